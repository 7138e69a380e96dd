"""Train, evaluate, compare: what is made once, what is made again, and what the manifest says."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from small_chain import small_chain

from evaluation.suite.run import run_evaluation
from leaderboards.chain.run import ChainResult, plan_chain, run_chain
from leaderboards.chain.settings import future_models
from leaderboards.check import check_board
from leaderboards.render import load_board
from mnpo.cli.judging import judge_policies
from mnpo.errors import InvalidSetting, UserError
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import methods_of

#: What the oracle of the recipe calls itself.
ORACLE = "mixture(brevity-6, brevity-4, brevity-9)"


def chain(folder: Path, recipe: Recipe | None = None, **options) -> ChainResult:
    return run_chain(recipe or small_chain(), folder, evaluate=judge_policies, **options)


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


def seals(folder: Path) -> dict[str, int]:
    """When each stage was finished, by its name."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("stage.json")}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_finished_training_is_taken_up(trained: Path, whole: Path) -> None:
    assert "chain" not in manifest(trained)
    assert manifest(trained)["status"] == "done"
    assert set(seals(trained)) == {name for name in seals(whole) if name.startswith("stages")}
    found = manifest(whole)
    assert found["status"] == "done"
    assert list(found["chain"]) == ["train", "evaluate", "leaderboard"]
    assert {own["status"] for own in found["chain"].values()} == {"done"}
    assert found["outputs"] == manifest(trained)["outputs"]
    evaluated = (whole / "evaluation" / "manifest.json").read_bytes()
    assert found["chain"]["evaluate"]["manifest_sha256"] == hashlib.sha256(evaluated).hexdigest()
    for name, sha256 in found["chain"]["leaderboard"]["files"].items():
        content = (whole / "leaderboard" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
    # What was evaluated how stands in the one run.yaml, and that it changed in the manifest.
    assert yaml.safe_load((whole / "run.yaml").read_text())["evaluation"]["judges"] == ["oracle"]
    assert "evaluation" in found["resumed"][0]["changed"]


def test_the_board_shows_every_policy_and_its_figures_are_those_of_the_files(whole: Path) -> None:
    board = load_board(whole / "leaderboard")
    names = {entry.algorithm for own in board.sections for entry in own.entries}
    assert names == {"sft", "inpo", "dpo"}
    report = check_board(whole / "leaderboard")
    assert report.problems == ()
    assert report.figures > 10


def test_a_finished_chain_is_left_alone(run: Path) -> None:
    before = tree(run)
    again = chain(run)
    assert again.taken_over == ("train", "evaluate", "leaderboard")
    assert tree(run) == before


def test_what_is_gone_or_changed_is_made_again_and_nothing_else(run: Path) -> None:
    (run / "leaderboard" / "leaderboard.csv").write_text("altered")
    before = seals(run), (run / "evaluation" / "manifest.json").read_bytes()
    again = chain(run)
    assert again.taken_over == ("train", "evaluate")
    assert again.board is not None
    assert (run / "leaderboard" / "leaderboard.csv").read_text() != "altered"
    assert (seals(run), (run / "evaluation" / "manifest.json").read_bytes()) == before

    (run / "evaluation" / "results.csv").unlink()
    again = chain(run)
    assert again.taken_over == ("train",)  # its spend is another one, and stands on the board
    assert (run / "evaluation" / "results.csv").is_file()
    assert seals(run) == before[0]


def test_an_evaluation_of_other_weights_does_not_count(run: Path) -> None:
    file = run / "evaluation" / "manifest.json"
    held = json.loads(file.read_text())
    held["inputs"]["model inpo-seed-0"] = "0" * 64
    file.write_text(json.dumps(held))
    assert chain(run).taken_over == ("train",)
    held = json.loads(file.read_text())
    trained = {own["method"]: own["policies"] for own in manifest(run)["methods"]}
    assert held["inputs"]["model inpo-seed-0"] == trained["inpo"][0]


def test_another_evaluation_trains_nothing_and_uses_what_it_can(run: Path) -> None:
    before = seals(run)
    policies = tree(run / "policies")
    rules = [{"kind": "oracle", "oracle": {"kind": "rule", "rule": "brevity", "target": 3}}]
    recipe = small_chain(evaluation__judges=["oracle", *rules])
    again = chain(run, recipe)
    assert again.taken_over == ("train",)
    assert {own.judge for own in again.evaluation.scores} == {ORACLE, "brevity-3"}
    assert not [line for line in again.evaluation.spend if ORACLE in line], "asked twice"
    assert seals(run) == before, "answers were generated again"
    assert tree(run / "policies") == policies
    assert manifest(run)["status"] == "done"
    assert check_board(run / "leaderboard").problems == ()
    # A copy elsewhere is the same run.
    moved = run.with_name("moved")
    run.rename(moved)
    assert chain(moved, recipe).taken_over == ("train", "evaluate", "leaderboard")


def test_a_folder_that_holds_something_else_is_not_emptied(run: Path) -> None:
    shutil.rmtree(run / "evaluation")
    (run / "evaluation").mkdir()
    (run / "evaluation" / "notes.txt").write_text("mine")
    again = chain(run)
    assert [line for line in again.failures if "holds no evaluation" in line]
    assert (run / "evaluation" / "notes.txt").read_text() == "mine"
    assert manifest(run)["status"] == "failed"


def test_a_method_that_fails_leaves_the_others_on_the_board(tmp_path: Path) -> None:
    failing = {"temperature": 1e-300}
    recipe = small_chain(methods__dpo=failing, evaluation__benchmarks=["cross-play"])
    found = chain(tmp_path / "out", recipe)
    assert [own.method for own in found.training.failures] == ["dpo"]
    assert {own.model for own in found.evaluation.scores[0].models} == {"sft", "inpo-seed-0"}
    assert any("dpo" in note for note in found.board.notes)
    state = manifest(tmp_path / "out")
    assert state["status"] == "failed"
    statuses = {name: own["status"] for name, own in state["chain"].items()}
    assert statuses == {"train": "failed", "evaluate": "done", "leaderboard": "done"}
    again = chain(tmp_path / "out", recipe)
    assert again.evaluation is None, "it was evaluated again although nothing is new"
    assert again.taken_over == ("evaluate", "leaderboard")


def test_a_judge_that_fails_is_reported_and_asked_again(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_, **__):
        raise UserError("the judge is down")

    monkeypatch.setattr("leaderboards.chain.run.run_evaluation", down)
    recipe = small_chain(evaluation__limit=2)
    found = chain(run, recipe)
    assert found.failures == ("evaluate: the judge is down",)
    assert found.board.notes[0] == "evaluate: the judge is down"
    state = manifest(run)
    assert state["status"] == "failed"
    assert state["chain"]["evaluate"]["reasons"] == ["evaluate: the judge is down"]
    monkeypatch.setattr("leaderboards.chain.run.run_evaluation", run_evaluation)
    again = chain(run, recipe)
    assert again.failures == ()
    assert manifest(run)["status"] == "done"
    assert "the judge is down" not in (run / "leaderboard" / "leaderboard.md").read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"evaluation__limt": 3}, "unknown key 'limt'; did you mean 'limit'?"),
        ({"evaluation__benchmarks": ["minni"]}, "unknown benchmark 'minni'; did you mean 'mini'?"),
        ({"evaluation__models": []}, "evaluation.models: "),
        ({"evaluation__benchmarks": ["mt-bench"]}, "mt-bench"),
        ({"evaluation__benchmarks": ["alpaca-eval"]}, "alpaca-eval"),
        ({"evaluation__judges": [{"kind": "endpoint", "url": "http://me:hush@h/v1",
                                  "model": "m"}]}, "evaluation: judges"),
        ({"evaluation__judges": [{"kind": "oracle", "oracle": {
            "kind": "rule", "rule": "brevity"}, "name": "sk-not-to-be-seen-0123456789"}]},
         "the recipe holds"),
    ],
)  # fmt: skip
def test_an_evaluation_that_cannot_be_is_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes, said
) -> None:
    monkeypatch.setenv("JUDGE_API_KEY", "sk-not-to-be-seen-0123456789")
    monkeypatch.setenv("MNPO_BENCH_DATA", str(tmp_path / "nothing"))
    with pytest.raises(UserError) as refused:
        chain(tmp_path / "out", small_chain(**changes, evaluation__data_dir=str(tmp_path)))
    assert said in str(refused.value)
    assert "hush" not in str(refused.value)
    assert "0123456789" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_the_plan_counts_what_the_evaluation_then_does(whole: Path, tmp_path: Path) -> None:
    recipe = small_chain()
    expected = {own["name"] for own in future_models(recipe, methods_of(recipe))}
    assert expected == {path.name for path in (whole / "policies").iterdir()}
    plan = plan_chain(recipe, tmp_path / "out")
    assert plan.answers["mini"][0] == 3 * 3
    pairs, orders = 3, 2
    (estimate,) = [own for (name, _), own in plan.judging.items() if name == "cross-play"]
    assert estimate.json()["calls"] == pairs * orders * 3
    assert not (tmp_path / "out").exists()


def test_an_oracle_that_asks_an_endpoint_is_no_judge(tmp_path: Path) -> None:
    oracle = {"kind": "judge", "model": "m", "url": "http://localhost:1/v1"}
    with pytest.raises(InvalidSetting, match="kind endpoint"):
        chain(tmp_path / "out", small_chain(oracle=oracle))
