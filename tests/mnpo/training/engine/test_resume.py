"""Killed, damaged, out of disk: training goes on to the very same weights."""

import copy
import json
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnpo.errors import UserError
from mnpo.training.engine import pair_loss_objective, plan_batches
from mnpo.training.logprobs.packing import packed_tokens
from mnpo.training.recipe import LoraSettings, ModelSettings

LOSS = pair_loss_objective("ipo", {"temperature": 0.1})
#: 3 steps an epoch, 2 epochs, several micro-batches a step.
SETTINGS = {"epochs": 2, "save_steps": 2, "micro_batch_tokens": 40}
_killing: dict[str, int] = {"after": -1}


def objective(log_probs: Any, batch: Any) -> Any:
    """The loss, or the end of the process when its time has come."""
    if _killing["after"] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    _killing["after"] -= 1
    return LOSS(log_probs, batch)


@pytest.fixture(scope="module")
def start(lab: Any) -> Any:
    return lab.tiny_llama()


@pytest.fixture(scope="module")
def examples(lab: Any) -> Any:
    return lab.random_examples(10)


@pytest.fixture(scope="module")
def finished(lab: Any, start: Any, examples: Any, tmp_path_factory: Any) -> tuple[Any, Path]:
    """An uninterrupted run: its model and folder. Do not write there."""
    folder = tmp_path_factory.mktemp("finished")
    model = copy.deepcopy(start)
    lab.run(model, examples, objective, folder, **SETTINGS)
    return model, folder


@pytest.fixture
def go_on(lab: Any, start: Any, examples: Any) -> Any:
    def run(folder: Path, **settings: Any) -> Any:
        model = copy.deepcopy(start)
        result = lab.run(model, examples, objective, folder, **SETTINGS | settings)
        return model, result

    return run


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def without_seconds(folder: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in record.items() if k != "seconds"} for record in log_of(folder)]


def kill_after(calls: int, run: Any) -> None:
    """Do it in a process that is killed when the objective is called once more."""
    child = os.fork()
    if child == 0:
        _killing["after"] = calls
        run()
        os._exit(1)  # it should not come this far
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize(("step", "saved"), [(1, None), (4, 2), (5, 4)])
def test_killed_in_the_middle_of_a_step(
    lab, examples, finished, go_on, tmp_path, step, saved
) -> None:
    whole, folder = finished
    counts = [packed_tokens((e.prompt_ids, e.response_ids)) for e in examples]
    plan = plan_batches(counts, batch_size=4, micro_batch_tokens=40, epochs=2, seed=0)
    passes = [len(step.micro_batches[0]) for step in plan]
    assert passes[step - 1] > 1
    calls = sum(passes[: step - 1]) + 1
    kill_after(calls, lambda: go_on(tmp_path))
    found = sorted(int(path.name.split("-")[1]) for path in tmp_path.glob("checkpoint-*"))
    assert (found[-1] if found else None) == saved
    # What a kill in the middle of writing leaves of the log.
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"loss": 1.')
    model, result = go_on(tmp_path)
    assert lab.distance(model, whole) == 0
    assert result.steps == 6
    assert without_seconds(tmp_path) == without_seconds(folder)


def test_an_adapter_is_loaded_back(lab, examples, tmp_path) -> None:
    settings = ModelSettings(lora=LoraSettings(rank=4))

    def run(name: str) -> Any:
        model = lab.adapted(tmp_path / "start", settings)
        own = SETTINGS | {"model_settings": settings, "learning_rate": 1e-2}
        result = lab.run(model, examples, objective, tmp_path / name, **own)
        assert result.steps == 6
        return model

    whole = run("whole")
    assert lab.distance(whole, lab.adapted(tmp_path / "start", settings)) > 1e-3
    counts = [packed_tokens((e.prompt_ids, e.response_ids)) for e in examples]
    plan = plan_batches(counts, batch_size=4, micro_batch_tokens=40, epochs=2, seed=0)
    calls = sum(len(step.micro_batches[0]) for step in plan[:4]) + 1
    kill_after(calls, lambda: run("killed"))
    found = sorted(path.name for path in (tmp_path / "killed").glob("checkpoint-*"))
    assert found == ["checkpoint-2", "checkpoint-4"]
    assert (tmp_path / "killed" / "checkpoint-4" / "adapter_model.safetensors").is_file()
    assert lab.distance(run("killed"), whole) == 0
    assert without_seconds(tmp_path / "killed") == without_seconds(tmp_path / "whole")
    assert lab.distance(run("whole"), whole) == 0


def test_a_finished_run_is_read_not_repeated(lab, finished, go_on, tmp_path) -> None:
    whole, folder = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    before = log_of(tmp_path)
    model, result = go_on(tmp_path)
    assert lab.distance(model, whole) == 0
    assert log_of(tmp_path) == before
    assert result.metrics == before[-1]
    assert result.tokens == sum(record["tokens"] for record in before)


def _truncate(checkpoint: Path) -> None:
    file = checkpoint / "optimizer.pt"
    file.write_bytes(file.read_bytes()[:-100])


def _flip_a_bit(checkpoint: Path) -> None:
    file = checkpoint / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-7] ^= 1
    file.write_bytes(content)


def _lose_a_file(checkpoint: Path) -> None:
    (checkpoint / "scheduler.pt").unlink()


def _empty_the_seal(checkpoint: Path) -> None:
    (checkpoint / "seal.json").write_text("")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_truncate, "optimizer.pt has changed"),
        (_flip_a_bit, "model.safetensors has changed"),
        (_lose_a_file, "scheduler.pt is missing"),
        (_empty_the_seal, "seal.json cannot be read"),
    ],
)
def test_a_damaged_checkpoint(lab, finished, go_on, tmp_path, caplog, damage, words) -> None:
    whole, folder = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "checkpoint-6")
    with caplog.at_level(logging.WARNING, "mnpo"):
        model, _ = go_on(tmp_path)
    (line,) = (record.getMessage() for record in caplog.records if record.name.startswith("mnpo"))
    assert line == f"{tmp_path}/checkpoint-6 is damaged ({words}); going back to the one before"
    assert lab.distance(model, whole) == 0
    assert without_seconds(tmp_path) == without_seconds(folder)


def test_all_damaged_starts_again(lab, finished, go_on, tmp_path) -> None:
    whole, folder = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    for checkpoint in tmp_path.glob("checkpoint-*"):
        _flip_a_bit(checkpoint)
    model, _ = go_on(tmp_path)
    assert lab.distance(model, whole) == 0
    assert [record["step"] for record in log_of(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_two_checkpoints_are_kept(finished) -> None:
    _, folder = finished
    assert sorted(path.name for path in folder.glob("check*")) == ["checkpoint-4", "checkpoint-6"]


def test_only_the_way_of_splitting_may_change(finished, go_on, tmp_path) -> None:
    _, folder = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    go_on(tmp_path, micro_batch_tokens=999, save_steps=1)
    with pytest.raises(UserError, match="belongs to training with other data, loss or settings"):
        go_on(tmp_path, learning_rate=2e-3)
    with pytest.raises(UserError, match="belongs to training with other data, loss or settings"):
        go_on(tmp_path, seed=1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with room for one checkpoint and a half."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not shutil.which("mount"):
        pytest.skip("there is no mount command to make a small disk with")
    command = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", folder]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"mounting a small disk is not permitted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk(lab, finished, go_on, small_disk) -> None:
    whole, _ = finished
    with pytest.raises(UserError) as caught:
        go_on(small_disk)
    line = str(caught.value)
    assert line.startswith(f"the disk is full: could not write {small_disk}/checkpoint-4")
    assert line.endswith("free some space and repeat the command, older checkpoints are kept")
    assert [path.name for path in small_disk.glob("checkpoint-*")] == ["checkpoint-2"]
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    model, _ = go_on(small_disk)
    assert lab.distance(model, whole) == 0
