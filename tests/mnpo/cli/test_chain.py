"""`train-all` from the recipe to the leaderboard, killed in every stage and taken up again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from small_chain import SETTINGS, small_chain

STAGES = ["train", "evaluate", "leaderboard"]
#: Reads commands, and runs each in a process of its own, which all share one import of torch. A
#: command waits, where it is told to, until it is killed: which call of which function, and a file
#: that says that it has come there.
PAUSING = """
import importlib, json, os, pathlib, sys, time
import mnpo.cli.judging, mnpo.training.workbench, leaderboards.chain.run, leaderboards.collect
from mnpo.cli import main
for line in sys.stdin:
    module, name, call, mark, log, words = json.loads(line)
    child = os.fork()
    if child:
        print(child, flush=True)
        os.waitpid(child, 0)
        continue
    for stream in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    owner = importlib.import_module(module)
    *way, name = name.split(".")
    for part in way:
        owner = getattr(owner, part)
    true, calls = getattr(owner, name), []
    def pausing(*arguments, **options):
        calls.append(1)
        if len(calls) == call:
            pathlib.Path(mark).touch()
            time.sleep(600)
        return true(*arguments, **options)
    setattr(owner, name, pausing)
    sys.argv = ["mnpo-bench", *words]
    try:
        main()
    finally:
        os._exit(3)
"""
#: Where each stage is stopped: after the first method, before the second benchmark is judged,
#: when the board is written.
PLACES = {
    "train": ("mnpo.training.runs.run", "train_and_keep", 2),
    "evaluate": ("evaluation.suite.judging", "Judging.cross_play", 1),
    "leaderboard": ("leaderboards.chain.boards", "sha256_file", 1),
}


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    values = small_chain().model_dump(mode="json")
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    return "small.yaml"


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def killed_at(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Start a command in a process of its own, and kill it in a stage."""
    server = subprocess.Popen(
        [sys.executable, "-c", PAUSING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None

    def run(stage: str, words: list[str], meanwhile: Callable[[], None]) -> None:
        mark, log = tmp_path / f"{stage}.mark", tmp_path / f"{stage}.log"
        print(json.dumps([*PLACES[stage], str(mark), str(log), words]), file=server.stdin)
        server.stdin.flush()
        process = int(server.stdout.readline())
        try:
            deadline = time.monotonic() + 200
            while not mark.exists():
                assert lives(process), log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            meanwhile()
        finally:
            os.kill(process, signal.SIGKILL)
        while lives(process):
            time.sleep(0.01)

    yield run
    server.stdin.close()
    server.stdout.close()
    server.kill()
    server.wait()


def seals(folder: Path) -> dict[str, int]:
    files = [*folder.rglob("stage.json"), *folder.rglob("parts/*.json")]
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def test_killed_in_every_stage_it_goes_on_and_repeats_nothing(
    bench, recipe: str, killed_at, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["train-all", "--recipe", recipe, "--output", "out"]
    before: dict[str, int] = {}
    for number, stage in enumerate(STAGES):

        def told(state: str, now: str, stage=stage, number=number) -> None:
            (found,) = json.loads(bench("status", "out", "--json").out)
            assert (found["kind"], found["state"]) == ("chain", state)
            wanted = ["done"] * number + [now] + ["waiting"] * (2 - number)
            assert list(found["stages"].values()) == wanted
            assert (found["done"], found["left"]) == ((1, 1) if stage == "train" else (2, 0))
            assert found["command"] == "mnpo-bench train-all --recipe small.yaml --output out"
            for inner in found["within"]:
                assert inner["state"] == (state if stage == "evaluate" else "done")

        killed_at(stage, words, lambda told=told: told("running", "running"))
        told("interrupted", "interrupted")
        manifest = json.loads((out / "manifest.json").read_text())
        assert manifest["status"] == "running"
        after = seals(out)
        assert before.items() <= after.items(), "finished work was made again"
        before = after
    evaluated = (out / "evaluation" / "manifest.json").read_bytes()

    outcome = bench(*words)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert seals(out) == before
    assert (out / "evaluation" / "manifest.json").read_bytes() == evaluated
    for shown in ("ledger", "inpo", "sft", "the training was finished before and taken over"):
        assert shown in outcome.out
    assert outcome.out.endswith("leaderboard: out/leaderboard/leaderboard.html\n")
    assert "finished before; --overwrite" in bench(*words).out

    held = json.loads(bench(*words, "--json").out)
    assert held["chain"]["leaderboard"]["status"] == "done"
    assert {own["benchmark"] for own in held["evaluation"]["results"]} == {"mini-v1", "cross-play"}
    assert held["leaderboard"]
    (found,) = json.loads(bench("status", "out", "--json").out)
    assert (found["state"], found["command"]) == ("done", None)


def test_a_dry_run_plans_the_evaluation_too(bench, recipe: str, tmp_path: Path) -> None:
    words = ("train-all", "--recipe", recipe, "--dry-run")
    outcome = bench(*words)
    assert outcome.code == 0, outcome.err
    assert "mini: 9 answers to be generated" in outcome.out
    planned = json.loads(bench(*words, "--json").out)
    assert [own["benchmark"] for own in planned["evaluation"]["judging"]] == ["mini", "cross-play"]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--until", "evaluation"], "--until"),
        (["--set", "evaluation.limt=3"], "evaluation: unknown key 'limt'; did you mean 'limit'?"),
        (["--set", "evaluation.judges=5"], "evaluation: judges must be a list"),
        (["--set", "evaluation=5"], "evaluation must be a mapping"),
    ],
)
def test_bad_input_is_one_line(bench, recipe: str, tmp_path: Path, words, said: str) -> None:
    outcome = bench("train-all", "--recipe", recipe, "--output", "out", *words)
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    (line,) = outcome.errors
    assert said in line
    assert not (tmp_path / "out").exists()


def test_the_settings_of_the_tests_are_of_the_recipe() -> None:
    assert set(small_chain().methods) == set(SETTINGS["methods"])


@pytest.mark.slow
def test_of_two_launched_processes_the_first_one_evaluates(recipe: str, tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launcher, "-m", "mnpo.cli", "train-all", "--recipe", recipe, "--output", "out"],
        env=os.environ | {"ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("leaderboard: out/leaderboard/leaderboard.html") == 1
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["status"], manifest["processes"]) == ("done", 2)
