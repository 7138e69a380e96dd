"""What `status` says of runs of every kind, of running and damaged ones, and that it only reads."""

import contextlib
import csv
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from leaderboards.chain.status import status_of
from leaderboards.chain.status_reading import disk_bytes
from leaderboards.chain.status_values import Item
from mnpo.errors import UserError
from mnpo.judging.cache import Answer, AnswerCache
from mnpo.judging.calls import Usage
from mnpo.runs import RunDirectory
from mnpo.runs.alive import at_work

TRAINING = {"recipe": "r", "methods": {"inpo": {}, "dpo": {}}, "seeds": [0, 1]}
ENDPOINT = {"kind": "endpoint", "model": "judge-1", "price_input": 2.0, "price_output": 8.0}
EVALUATION = {
    "models": [{"name": "a"}, {"name": "b"}],
    "benchmarks": ["mini", "arena-hard-v0.1"],
    "judges": [ENDPOINT, {"kind": "oracle", "name": None}],
    "cache": None,
}


#: What the oracle of the recipe calls itself.
ORACLE = "mixture(brevity-6, brevity-4, brevity-9)"


def make(folder: Path, config: dict, **manifest) -> Path:
    run = RunDirectory.open(folder, config)
    run.update_manifest(**manifest)
    return folder


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(p): (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"")
        for p in (folder, *folder.rglob("*"))
    }


def test_a_chain_is_told_with_what_it_cost(whole: Path) -> None:
    before = tree(whole)
    found = status_of(whole)
    assert tree(whole) == before
    assert (found.kind, found.state, found.command) == ("chain", "done", None)
    assert {item.what for item in found.items} == {"inpo, seed 0", "dpo, seed 0"}
    assert {item.state for item in found.items} == {"done"}
    with (whole / "ledger.csv").open() as lines:
        ledger = list(csv.DictReader(lines))
    for column, words in {
        "responses": "responses",
        "preference_queries": "preference queries",
        "gradient_steps": "gradient steps",
        "trained_tokens": "trained tokens",
    }.items():
        assert found.cost[words] == sum(int(row[column]) for row in ledger), words
    (evaluation,) = found.within
    assert [item.what for item in evaluation.items] == [
        f"mini, judge {ORACLE}",
        f"cross-play, judge {ORACLE}",
    ]
    generated = json.loads((whole / "evaluation" / "manifest.json").read_text())["generated"]
    written = sum(own["tokens_written"] for own in generated.values())
    assert evaluation.cost["tokens written"] == written
    assert json.dumps(found.describe())


def test_damage_to_a_finished_run_is_told(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    (folder / "results.csv").write_text("altered")
    (folder / "evaluation" / "results.json").unlink()
    (folder / "leaderboard" / "leaderboard.md").unlink()
    (part,) = (folder / "parts").glob("inpo-*.json")
    part.write_text("{}")
    found = status_of(folder)
    assert any(line.startswith("results.csv is not what was written") for line in found.failures)
    assert any("leaderboard's files" in line for line in found.failures)
    assert any(line.startswith("results.json is missing") for line in found.within[0].failures)
    assert Item("inpo, seed 0", "left") in found.items


def test_a_training_that_was_killed(tmp_path: Path) -> None:
    folder = make(
        tmp_path / "run",
        TRAINING,
        failed=[{"method": "dpo", "seed": 1, "reason": "out of memory"}],
        plan={"together": {"sample": 3, "ask": 3, "score": 9, "train": 4}},
        environment={"arguments": ["train-all", "--recipe", "my recipe.yaml", "--jobs", "2"]},
    )
    for name in ("sample-a", "sample-b", "train-a", ".train-b.working", ".ask-c.working"):
        (folder / "stages" / name).mkdir(parents=True)
    found = status_of(folder)
    assert (found.kind, found.state) == ("training", "interrupted")
    assert found.items == (
        Item("inpo, seed 0", "left"),
        Item("inpo, seed 1", "left"),
        Item("dpo, seed 0", "left"),
        Item("dpo, seed 1", "failed", "out of memory"),
    )
    assert found.progress == ("stages: 2 of 3 sample, 0 of 3 ask, 1 of 4 train; 2 begun",)
    assert found.command == "mnpo-bench train-all --recipe 'my recipe.yaml' --jobs 2"
    with at_work(folder):
        assert status_of(folder).state == "running"
    assert status_of(folder).state == "interrupted"


def test_a_command_of_another_program_is_not_repeated(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", TRAINING, environment={"arguments": ["-q", "tests"]})
    wanted = f"mnpo-bench train-all --recipe {folder} --output {folder}"
    assert status_of(folder).command == wanted


def answer(cache: AnswerCache, key: str, judge: str, tokens: tuple[int, int]) -> None:
    call = SimpleNamespace(
        item="i", contract=SimpleNamespace(name="c"), template="t", order="AB", repeat=0
    )
    own = Answer(0.5, "", Usage(*tokens))
    cache.put(key, own, call=call, judge=judge, seconds=1.0)  # type: ignore[arg-type]


def test_an_evaluation_under_two_judges(tmp_path: Path) -> None:
    failures = ["arena-hard-v0.1, judge judge-1: it is down", "the disk is slow"]
    folder = make(tmp_path / "run", EVALUATION, status="failed", failures=failures)
    for judge in ("judge-1", "brevity-3"):
        place = folder / "mini-v1" / judge
        place.mkdir(parents=True)
        (place / "results.json").write_text(json.dumps({"judge": judge}))
    with AnswerCache(folder / "judge-answers.sqlite") as cache:
        answer(cache, "a", "judge-1", (1000, 10))
        answer(cache, "b", "judge-1", (500, 5))
        answer(cache, "c", "brevity-3", (0, 0))
        before = tree(folder)
        running = status_of(folder)
        assert tree(folder) == before, "a reader left traces"
    found = status_of(folder)
    assert running.cost["judge calls"] == found.cost["judge calls"] == 3
    assert (found.kind, found.state) == ("evaluation", "failed")
    assert set(found.items) == {
        Item("mini, judge judge-1", "done"),
        Item("mini, judge brevity-3", "done"),
        Item("arena-hard-v0.1, judge judge-1", "failed", failures[0]),
        Item("arena-hard-v0.1, judge oracle", "left"),
    }
    assert found.failures == ("the disk is slow",)
    assert found.cost["judge tokens"] == 1515
    assert found.cost["dollars"] == pytest.approx((1500 * 2 + 15 * 8) / 1e6)
    assert found.command == f"mnpo-bench evaluate --config {folder} --output {folder}"


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"game": "rps", "algorithms": ["inpo"]}, "simulation"),
        ({"suite": "standard", "seeds": 3}, "suite"),
        ({"claims": ["a"], "seeds": 3}, "claims"),
    ],
)
def test_studies(tmp_path: Path, config: dict, kind: str) -> None:
    folder = make(tmp_path / "run", config, jobs=7)
    RunDirectory(folder).write_part("a", "json", "{}")
    (folder / "parts" / "b.json").write_text("{}")  # without its seal: it does not count
    found = status_of(folder)
    assert (found.kind, found.state) == (kind, "interrupted")
    assert found.progress == ("jobs: 1 of 7",)
    assert str(folder) in (found.command or "")


def test_a_run_that_was_killed_before_its_manifest(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", TRAINING)
    (folder / "manifest.json").unlink()
    assert status_of(folder).state == "interrupted"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("run.yaml", None, "has no run.yaml; the run is damaged"),
        ("run.yaml", "a: [", "run.yaml cannot be read"),
        ("run.yaml", "- 1", "run.yaml holds something else"),
        ("run.yaml", "\0", "run.yaml cannot be read"),
        ("run.yaml", "a: 1", "a run of no kind that this version knows"),
        ("run.yaml", "recipe: r\nmethods: 3\nseeds: 4", "do not fit together"),
        ("manifest.json", '{"format": 1, "sta', "manifest.json cannot be read"),
        ("manifest.json", "[]", "manifest.json holds something else"),
        ("manifest.json", '{"format": 2}', "written in format 2, this version reads 1"),
        ("manifest.json", '{"format": 1, "status": 5}', "is not a manifest"),
        ("manifest.json", '{"format": 1, "chain": {"train": 5}}', "is not a manifest"),
        ("manifest.json", '{"format": 1, "failed": 5}', "do not fit together"),
        ("manifest.json", '{"format": 1, "plan": {"together": {}}, "failed": [{}]}', "do not fit"),
    ],
)
def test_what_is_damaged_is_one_line(tmp_path: Path, file: str, content, said: str) -> None:
    folder = make(tmp_path / "run", TRAINING)
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    before = tree(folder)
    with pytest.raises(UserError) as refused:
        status_of(folder)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert tree(folder) == before


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; give a run directory"):
        status_of(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        status_of(tmp_path / "file")
    with pytest.raises(UserError, match="holds no run"):
        status_of(tmp_path)


def test_every_damaged_file_is_refused_or_read(whole: Path, tmp_path: Path) -> None:
    """Whatever half of a file there is, it is a status or one line."""
    folder = tmp_path / "copy"
    for name in ("run.yaml", "manifest.json"):
        text = (whole / name).read_text()
        for length in range(0, len(text), max(len(text) // 12, 1)):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for other in ("run.yaml", "manifest.json"):
                shutil.copy(whole / other, folder / other)
            (folder / name).write_text(text[:length])
            with contextlib.suppress(UserError):
                assert status_of(folder).describe()


def test_hard_links_take_their_room_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1" * 1000)
    os.link(tmp_path / "a" / "x", tmp_path / "y")
    (tmp_path / "z").symlink_to(tmp_path / "y")
    assert disk_bytes(tmp_path) == 1000


def test_yaml_of_a_run_keeps_its_words(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", TRAINING | {"methods": {"\x1b[31mred": {}}})
    assert yaml.safe_load((folder / "run.yaml").read_text())["methods"]
    assert status_of(folder).items[0].what.startswith("\x1b[31mred")  # spelled out when printed
