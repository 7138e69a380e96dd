"""A run that is killed or damaged goes on to the very same result."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_recipe import small_values

from mnpo.training.recipe import Recipe
from mnpo.training.runs.jobs import Hooks
from mnpo.training.runs.run import RunResult, run_recipe

DRIVER = Path(__file__).with_name("kill_at.py")
NAME = "td-mnpo-seed-0"
#: In the order in which a run comes past them.
POINTS = (
    "the run is being set up",
    "between two shards of samples",
    "samples are complete and not sealed",
    "between two shards of answers",
    "log-probs are computed and not written",
    "in a step after a checkpoint",
    "a checkpoint is written and not sealed",
    "the policy is written and not renamed",
    "a stage is sealed and not renamed",
    "a stage is renamed and its scratch still there",
    "in the second iteration's samples",
    "in the second iteration's steps",
    "the method's part is not written",
    "trained and not exported",
    "in the middle of the export",
    "tables are being written",
    "before the end is noted",
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def small(kept: Path):
    """Two iterations, four gradient steps each, a checkpoint after every one."""

    def recipe(**changes: Any) -> Recipe:
        values = small_values(
            kept,
            methods={"td-mnpo": {}},
            budget={"iterations": 2, "prompts": 8, "epochs": 2},
        )
        values["sampling"]["shard_size"] = 3
        values["optimizer"] |= {"save_steps": 1, "micro_batch_tokens": 40}
        for key, value in changes.items():
            old = values.get(key)
            merge = isinstance(old, dict) and key not in ("oracle", "methods")
            values[key] = old | value if merge else value
        return Recipe.model_validate(values)

    return recipe


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """An uninterrupted run. Do not write there."""
    return run_recipe(small(), tmp_path_factory.mktemp("whole") / "run")


def weights(folder: Path) -> bytes:
    return (folder / "policies" / NAME / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_killed_at_every_turn(small, whole: RunResult, tmp_path: Path) -> None:
    """kill -9 seventeen times, the same command each time."""
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small().model_dump(mode="json")))
    words = ["train", "td-mnpo", "--recipe", "small.yaml", "--output", "run", "--json"]
    subprocess.run(
        [sys.executable, DRIVER, tmp_path / "report.json", ",".join(POINTS), *words],
        cwd=tmp_path,
        check=True,
        timeout=300,
    )
    *killed, last = json.loads((tmp_path / "report.json").read_text())
    for attempt, point in zip(killed, POINTS, strict=True):
        assert attempt["signal"] == signal.SIGKILL, (point, attempt["err"])
        assert attempt["err"] == "", (point, attempt)
    assert last["code"] == 0, last
    assert last["err"] == ""
    assert json.loads(last["out"])["runs"][0]["method"] == "td-mnpo"

    out = tmp_path / "run"
    assert weights(out) == weights(whole.folder)
    # What was done is never done again.
    done = [tuple(event) for attempt in (*killed, last) for event in attempt["events"]]
    redone = {event for event in done if done.count(event) > 1}
    lost = {event for event in redone if event[0] == "log-probs"}  # computed, then killed
    assert redone == lost
    assert len(lost) == 1
    assert sum(kind == "checkpoint" for kind, _ in done) == 8
    left = [path.name for path in out.rglob("*") if "partial" in path.name or "work" in path.name]
    assert left == []
    assert not list(out.rglob("scratch"))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["status"] == "done"


def flip(file: Path) -> None:
    """One bit in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()  # not through a hard link
    file.write_bytes(content)


def flip_in_place(file: Path) -> None:
    """The same through every hard link, and the time of change set back: a bad disk."""
    stat = file.stat()
    with file.open("r+b") as opened:
        opened.seek(stat.st_size // 2)
        byte = opened.read(1)[0]
        opened.seek(stat.st_size // 2)
        opened.write(bytes([byte ^ 1]))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def truncate(file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[: len(content) // 2])


def alter(file: Path) -> None:
    """A shard that is still JSON, with another token or another answer; else a flipped bit."""
    if file.suffix != ".json":
        flip(file)
        return
    head, rows = file.read_text().split('"rows": ')
    ends = (i for i, letter in enumerate(rows) if letter.isdigit())
    place = next(i for i in ends if not rows[i + 1].isdigit())
    changed = rows[:place] + str(int(rows[place]) ^ 1) + rows[place + 1 :]
    json.loads(changed.removesuffix("}"))
    file.write_text(f'{head}"rows": {changed}')


@pytest.fixture
def folder(whole: RunResult, tmp_path: Path) -> Path:
    """A copy of the finished run, hard links as they were."""
    copied = Path(shutil.copytree(whole.folder, tmp_path / "run"))
    (final,) = (own.final[0].path.relative_to(whole.folder) for own in whole.results)
    for file in (copied / "policies" / NAME).iterdir():
        file.unlink()
        os.link(copied / final / file.name, file)
    return copied


def run_again(recipe: Recipe, folder: Path) -> tuple[RunResult, list[str]]:
    """The result and the kinds of the stages that were made."""
    made: list[str] = []

    def listen(event: str, kind: str, key: str, detail: str) -> None:
        if event == "started":
            made.append(kind)

    return run_recipe(recipe, folder, hooks=Hooks(stage=listen)), made


@pytest.mark.parametrize(
    ("pattern", "remade", "hurt"),
    [
        ("stages/sample-*/groups.jsonl.gz", ["sample", "sample"], truncate),
        ("stages/sample-*/groups.jsonl.gz", ["sample", "sample"], flip_in_place),
        ("stages/ask-*/answers.jsonl.gz", ["ask", "ask"], truncate),
        ("stages/ask-*/answers.jsonl.gz", ["ask", "ask"], flip),
        ("logprobs/*.logprobs", [], truncate),
        ("logprobs/*.logprobs", [], flip_in_place),
        ("stages/train-*/policy/model.safetensors", ["train", "train"], truncate),
        ("stages/train-*/policy/model.safetensors", ["train", "train"], flip_in_place),
        ("stages/train-*/log.jsonl", ["train", "train"], flip),
    ],
)
def test_damaged_stages_are_made_again(
    small, whole: RunResult, folder: Path, pattern: str, remade: list[str], hurt
) -> None:
    """All files of a kind, in a run that was not noted as finished."""
    damaged = list(folder.glob(pattern))
    assert len(damaged) > 1
    for file in damaged:
        hurt(file)
    (folder / "parts" / f"{NAME}.json").unlink()
    result, made = run_again(small(), folder)
    assert made == remade
    assert weights(folder) == weights(whole.folder)
    assert result.policies[NAME].sha256 == whole.policies[NAME].sha256
    for file in damaged:
        if file.suffix in (".gz", ".logprobs"):
            assert file.read_bytes() == (whole.folder / file.relative_to(folder)).read_bytes()


@pytest.mark.parametrize(
    ("what", "hurt"),
    [
        ("final", flip_in_place),
        ("export", flip_in_place),
        ("export", flip),
        ("export", truncate),
        ("log", truncate),
        ("part", flip),
        ("ledger.csv", flip_in_place),
    ],
)
def test_a_finished_run_that_is_damaged_is_mended(
    small, whole: RunResult, folder: Path, what: str, hurt
) -> None:
    (result,) = whole.results
    file = {
        "final": folder / result.final[0].path.relative_to(whole.folder) / "model.safetensors",
        "export": folder / "policies" / NAME / "model.safetensors",
        "log": folder / result.logs[0].path.relative_to(whole.folder),
        "part": folder / "parts" / f"{NAME}.json",
        "ledger.csv": folder / "ledger.csv",
    }[what]
    hurt(file)
    again, made = run_again(small(), folder)
    assert not again.finished_before
    # A bad disk below a hard link spoils the stage as well.
    spoilt = what in ("final", "log") or (what == "export" and hurt is flip_in_place)
    assert made == (["train"] if spoilt else [])
    assert weights(folder) == weights(whole.folder)
    assert run_again(small(), folder)[0].finished_before


def stop_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, calls: int) -> None:
    """Interrupt the so-manieth call of a function."""
    true, left = getattr(owner, name), iter(range(calls))

    def counted(*arguments: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return true(*arguments, **options)

    monkeypatch.setattr(owner, name, counted)


@pytest.mark.parametrize(
    ("kind", "hurt"), [("sample", alter), ("ask", alter), ("ask", truncate), ("train", alter)]
)
def test_damaged_pieces_of_an_unfinished_stage(
    small, whole: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, hurt
) -> None:
    from mnpo.training.engine import trainer
    from mnpo.training.online import asking, sampling

    with monkeypatch.context() as patched:
        patched.setattr(asking, "SHARD", 3)
        owner, name = {
            "sample": (sampling, "write_shard"),
            "ask": (asking, "write_shard"),
            "train": (trainer, "seal_checkpoint"),
        }[kind]
        stop_at(patched, owner, name, 2)
        with pytest.raises(KeyboardInterrupt):
            run_recipe(small(), tmp_path / "run")
    (scratch,) = (tmp_path / "run" / "stages").glob(f".{kind}-*.working/scratch")
    pieces = sorted(scratch.glob("shard-*")) or sorted(scratch.glob("check*/model.safetensors"))
    assert len(pieces) >= 2
    for file in pieces:
        hurt(file)
    monkeypatch.setattr(asking, "SHARD", 3)
    run_recipe(small(), tmp_path / "run")
    assert weights(tmp_path / "run") == weights(whole.folder)
