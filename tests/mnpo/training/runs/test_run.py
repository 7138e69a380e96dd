"""Whole runs of a small recipe: what they leave, how they go on, what they refuse."""

import csv
import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from small_recipe import small_values

from mnpo.errors import UserError
from mnpo.training.runs import jobs, run
from mnpo.training.runs.executors import Processes, make_executor
from mnpo.training.runs.export import export_policy
from mnpo.training.runs.jobs import Hooks
from mnpo.training.runs.plan import make_plan
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import load_recipe, methods_of
from mnpo.training.runs.run import RunResult, run_recipe
from mnpo.training.workbench import open_workbench


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("small")

    def recipe(**changes) -> Recipe:
        return Recipe.model_validate(small_values(folder, **changes))

    return recipe


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The recipe's three methods with one seed, and a judge who writes one file."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return run_recipe(small(), folder, evaluate=lambda bench, result: {"judged.txt": "all good\n"})


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(lines))


def hashes(result: RunResult) -> dict[str, str]:
    return {name: policy.sha256 for name, policy in result.policies.items()}


def tree(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*")}


def test_the_policies_are_plain_checkpoints_that_share_the_stages_files(whole: RunResult) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from mnpo.training.models.hashing import hash_policy
    from mnpo.training.models.verifying import verify_policy

    assert set(whole.policies) == {
        *("inpo-seed-0", "dpo-seed-0", "ht-mnpo-seed-0-player-1", "ht-mnpo-seed-0-player-2")
    }
    assert len(set(hashes(whole).values())) == 4
    kept = {own.sha256: own.path for result in whole.results for own in result.final}
    for policy in whole.policies.values():
        assert hash_policy(policy.path) == policy.sha256
        verify_policy(policy.path)
        for file in policy.path.iterdir():
            own = file.name in ("README.md", "hashes.json")
            assert file.samefile(kept[policy.sha256] / file.name) != own
        AutoTokenizer.from_pretrained(policy.path)
        AutoModelForCausalLM.from_pretrained(policy.path)


def test_policies_that_share_a_checkpoint_have_cards_of_their_own(small, tmp_path: Path) -> None:
    # Multiplicative weights under two names: one checkpoint.
    shared = run_recipe(small(methods={"sppo": {}, "mwu": {}}), tmp_path / "run")
    assert len(set(hashes(shared).values())) == 1
    spent = {row["method"]: row for row in rows(tmp_path / "run" / "ledger.csv")}
    for name in ("sppo", "mwu"):
        card = (shared.policies[f"{name}-seed-0"].path / "README.md").read_text()
        assert f"- algorithm: {name}\n" in card
        for count in ("preference_queries", "responses", "gradient_steps"):
            assert f"{count}: {spent[name][count]}\n" in card


def test_the_manifest_says_what_was_run(whole: RunResult, small) -> None:
    manifest = json.loads((whole.folder / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert manifest["failed"] == []
    assert [own["method"] for own in manifest["methods"]] == ["inpo", "dpo", "ht-mnpo"]
    assert set(manifest["outputs"]) == {"ledger.csv", "training.csv", "judged.txt"}
    prompts = small().data.prompts[0]
    assert manifest["inputs"].keys() == {prompts, "start model"}
    assert manifest["algorithms"]["dpo"]["parameters"]["temperature"] == 0.2
    assert manifest["oracle"]["options"] == {"target": 3}
    assert load_recipe(str(whole.folder)) == small()
    assert (whole.folder / "judged.txt").read_text() == "all good\n"


def test_every_gradient_step_has_a_row(whole: RunResult) -> None:
    curve = rows(whole.folder / "training.csv")
    ledger = {row["method"]: row for row in rows(whole.folder / "ledger.csv")}
    assert set(ledger) == {"inpo", "dpo", "ht-mnpo"}
    for name, spent in ledger.items():
        own = [row for row in curve if row["method"] == name]
        assert len(own) == int(spent["gradient_steps"])
        assert {row["iteration"] for row in own} == {"1", "2"}
        assert {row["player"] for row in own} == ({"1", "2"} if name == "ht-mnpo" else {"1"})
        assert sum(float(row["tokens"]) for row in own) <= int(spent["trained_tokens"])
        assert all(float(row["grad_norm"]) > 0 for row in own)
        assert float(spent["seconds"]) > 0
    # Equal budgets, whatever the number of players.
    for column in ("prompts", "responses", "gradient_steps"):
        assert len({row[column] for row in ledger.values()}) == 1


def test_the_plan_is_what_is_done(whole: RunResult, small, tmp_path: Path) -> None:
    recipe = small()
    bench = open_workbench(recipe, tmp_path / "nothing")
    plan = make_plan(bench, methods_of(recipe), recipe.seeds)
    assert not (tmp_path / "nothing").exists()
    for kind in ("sample", "ask", "train"):
        made = list((whole.folder / "stages").glob(f"{kind}-*/stage.json"))
        assert plan.count(kind) == len(made), kind
    assert plan.count("score") == len(list((whole.folder / "logprobs").glob("*.logprobs")))
    for planned, result in zip(plan.methods, whole.results, strict=True):
        most, spent = planned.cost, result.ledger
        for exact in ("prompts", "responses", "preference_queries", "gradient_steps"):
            assert getattr(most, exact) == getattr(spent, exact), (planned.name, exact)
        for bound in ("sampled_tokens", "scored_tokens", "trained_tokens"):
            assert 0 < getattr(spent, bound) <= getattr(most, bound), (planned.name, bound)
    weights = (bench.start.path / "model.safetensors").stat().st_size
    assert 0.8 * weights < plan.checkpoint_bytes < weights  # the header apart


def test_a_finished_run_is_told_again_without_loading_anything(
    whole: RunResult, small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*arguments, **options):
        raise AssertionError("the workbench was opened")

    monkeypatch.setattr(run, "open_workbench", refuse)
    before = tree(whole.folder)
    again = run_recipe(small(), whole.folder)
    assert again.finished_before
    assert hashes(again) == hashes(whole)
    assert again.results == whole.results
    assert tree(whole.folder) == before

    moved = tmp_path / "moved"
    shutil.copytree(whole.folder, moved, symlinks=True)
    assert hashes(run_recipe(small(), moved)) == hashes(whole)
    # Told again from another place; what is not whole is made again.
    for damaged in ("ledger.csv", "policies/dpo-seed-0", "parts/dpo-seed-0.json"):
        path = moved / damaged
        aside = path.rename(tmp_path / "aside")
        with pytest.raises(AssertionError, match="was opened"):
            run_recipe(small(), moved)
        aside.rename(path)


def test_a_lost_checkpoint_is_made_again(whole: RunResult, small, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    (result,) = (own for own in whole.results if own.method == "dpo")
    stage = folder / result.final[0].path.relative_to(whole.folder).parent
    shutil.rmtree(stage)
    (folder / "ledger.csv").unlink()
    statuses: list[tuple[str, str]] = []
    hooks = Hooks(method=lambda name, seed, status: statuses.append((name, status)))
    again = run_recipe(small(), folder, hooks=hooks)
    assert statuses == [
        *(("inpo", "taken over"), ("ht-mnpo", "taken over"), ("dpo", "started"), ("dpo", "done"))
    ]
    assert hashes(again) == hashes(whole)
    assert stage.is_dir()


def test_interrupted_and_continued(
    whole: RunResult, small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[str] = []

    def stop(event: str, kind: str, key: str, detail: str) -> None:
        if kind == "train" and event == "finished":
            seen.append(key)
            if len(seen) == 3:  # one method is finished, another half
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_recipe(small(), tmp_path / "run", hooks=Hooks(stage=stop))
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["status"] == "running"
    assert not (tmp_path / "run" / "policies").exists()
    events: list[tuple[str, str]] = []
    hooks = Hooks(stage=lambda event, kind, key, detail: events.append((event, kind)))
    result = run_recipe(small(), tmp_path / "run", hooks=hooks)
    assert result.taken_over == 1
    assert events.count(("started", "train")) == 5  # of eight
    assert hashes(result) == hashes(whole)


TWO = {"methods": {"inpo": {}, "dpo": {}}, "budget": {"iterations": 1, "prompts": 8}}


@pytest.fixture(scope="module")
def two(small, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run_recipe(small(**TWO), tmp_path_factory.mktemp("two") / "run")


def test_a_method_that_fails_does_not_lose_the_others(
    two: RunResult, small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    true = jobs.run_method

    def faulty(bench, method, seed):
        if method.name == "dpo":
            raise UserError("the oracle went home")
        return true(bench, method, seed)

    monkeypatch.setattr(jobs, "run_method", faulty)
    folder = tmp_path / "run"
    first = run_recipe(small(**TWO), folder)
    assert [(f.method, f.seed, f.reason) for f in first.failures] == [
        ("dpo", 0, "the oracle went home")
    ]
    assert [own.method for own in first.results] == ["inpo"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "failed"
    assert manifest["failed"][0]["reason"] == "the oracle went home"
    assert not (folder / "policies" / "dpo-seed-0").exists()

    monkeypatch.setattr(jobs, "run_method", true)
    second = run_recipe(small(**TWO), folder)
    assert second.taken_over == 1
    assert second.failures == ()
    assert hashes(second) == hashes(two)
    assert json.loads((folder / "manifest.json").read_text())["status"] == "done"


def test_a_judge_that_failed_is_asked_again_and_nothing_is_trained_again(
    two: RunResult, small, tmp_path: Path
) -> None:
    def unreachable(bench, result):
        raise UserError("the judge does not answer")

    with pytest.raises(UserError, match="does not answer"):
        run_recipe(small(**TWO), tmp_path / "run", evaluate=unreachable)
    assert len(list((tmp_path / "run" / "policies").iterdir())) == 2, "exported before"
    result = run_recipe(
        small(**TWO), tmp_path / "run", evaluate=lambda bench, result: {"judged.txt": "good"}
    )
    assert result.taken_over == 2
    assert not result.finished_before
    assert (tmp_path / "run" / "judged.txt").read_text() == "good"
    assert hashes(result) == hashes(two)


@pytest.mark.slow
def test_two_processes_give_what_one_gives(two: RunResult, small, tmp_path: Path) -> None:
    result = run_recipe(small(**TWO), tmp_path / "run", executor=Processes(2))
    assert hashes(result) == hashes(two)
    samples = list((tmp_path / "run" / "stages").glob("sample-*/stage.json"))
    assert len(samples) == 1, "both start from the same samples, which are drawn once"


def test_executors_that_cannot_be() -> None:
    assert make_executor("local", 1) is None
    with pytest.raises(UserError, match="--jobs must be at least 1, got 0"):
        make_executor("local", 0)
    with pytest.raises(UserError, match="--executor must be local or ray, got 'dask'"):
        make_executor("dask", 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"budget": {"prompts": 11}}, "3 iterations of 11 prompts need 33 training prompts"),
        ({"budget": {"prompts": 1, "iterations": 2}}, "raise budget.prompts"),
        ({"methods": {"spin": {}}}, "has no demonstration to imitate"),
        ({"data": {"prompts": ["nowhere.jsonl"]}}, "nowhere.jsonl"),
        ({"model": {"name": "./nowhere"}}, "no such folder"),
        ({"methods": {"inpoo": {}}}, "did you mean 'inpo'?"),
        ({"methods": {"eo-mnpo": {}}}, "it needs 1 under externals"),
    ],
)
def test_refused_before_anything_is_written(small, tmp_path: Path, changes, said) -> None:
    with pytest.raises(UserError) as caught:
        run_recipe(small(**changes), tmp_path / "run")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_anothers_folder_is_refused(whole: RunResult, small, tmp_path: Path) -> None:
    before = tree(whole.folder)
    with pytest.raises(UserError, match="holds a run with budget"):
        run_recipe(small(budget={"iterations": 1, "prompts": 8}), whole.folder)
    assert tree(whole.folder) == before
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty and holds no run"):
        run_recipe(small(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_prompts_that_changed_are_refused(small, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    shutil.copy(small().data.prompts[0], prompts)
    changes = {**TWO, "methods": {"dpo": {}}, "data": {"prompts": [str(prompts)]} | {
        "held_out_size": 4
    }}  # fmt: skip
    run_recipe(small(**changes), tmp_path / "run")
    prompts.write_text(prompts.read_text().replace("w0 w0", "w9 w9"))
    with pytest.raises(UserError, match="the file has changed since"):
        run_recipe(small(**changes), tmp_path / "run")


def test_exports_are_copies_where_links_fail(
    whole: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source, target):
        raise OSError("cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    checkpoint = whole.results[0].final[0].path
    target = tmp_path / "policy"
    export_policy(checkpoint, target)
    names = {path.name for path in checkpoint.iterdir()}
    assert {path.name for path in target.iterdir()} == names
    for name in names:
        assert (target / name).read_bytes() == (checkpoint / name).read_bytes()
        assert not (target / name).samefile(checkpoint / name)
    stamp = target.stat().st_ino
    export_policy(checkpoint, target)
    assert target.stat().st_ino == stamp, "made again though nothing changed"
    (target / "config.json").write_text("{}")
    export_policy(checkpoint, target)
    assert json.loads((target / "config.json").read_text())


def test_the_configuration_is_fed_back(whole: RunResult, small) -> None:
    held = yaml.safe_load((whole.folder / "run.yaml").read_text())
    assert Recipe.model_validate(held) == small()
