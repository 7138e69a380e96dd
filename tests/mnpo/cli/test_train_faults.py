"""Training runs that meet a full disk, too little memory or a dead judge, and keep secrets."""

import contextlib
import csv
import gzip
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from small_recipe import small_values

from mnpo.training.recipe import Recipe
from mnpo.training.runs.run import run_recipe

KEY = "sk-not-to-be-seen-0123456789"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def values(folder: Path, **changes: Any) -> dict[str, Any]:
    """Two iterations of two steps, a checkpoint after each."""
    found = small_values(folder, methods={"td-mnpo": {}}, budget={"iterations": 2, "prompts": 8})
    found["optimizer"] |= {"save_steps": 1, "micro_batch_tokens": 64}
    return found | changes


@pytest.fixture
def recipe(kept: Path, tmp_path: Path):
    def write(**changes: Any) -> str:
        text = yaml.safe_dump(values(kept, **changes), sort_keys=False)
        (tmp_path / "small.yaml").write_text(text)
        return "small.yaml"

    return write


@pytest.fixture(scope="module")
def whole(kept: Path) -> Path:
    """The folder of an uninterrupted run."""
    return run_recipe(Recipe.model_validate(values(kept)), kept / "whole").folder


def weights(folder: Path) -> bytes:
    return (folder / "policies" / "td-mnpo-seed-0" / "model.safetensors").read_bytes()


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Any]:
    """A real file system whose size can be set."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not shutil.which("mount"):
        pytest.skip("there is no mount command to make a small disk with")
    command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"mounting a small disk is not permitted here: {mounted.stderr.strip()}")
    yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_is_full_again_and_again(bench, recipe, whole, disk, tmp_path: Path) -> None:
    words = ("train", "td-mnpo", "--recipe", recipe(), "--json", "--output")
    failed = []
    for size in range(16, 1000, 40):
        disk(f"{size}k")
        outcome = bench(*words, "disk/run")
        if outcome.code == 0:
            break
        assert outcome.code == 2, outcome
        assert outcome.out == ""
        (line,) = outcome.errors
        assert line.startswith("mnpo-bench: the disk is full: could not write disk"), line
        assert "free some space and repeat the command" in line
        failed.append(line)
        assert not (tmp_path / "disk" / "run" / "ledger.csv").exists()
    assert any("checkpoint-" in line for line in failed)
    assert any("policy" in line for line in failed)
    assert weights(tmp_path / "disk" / "run") == weights(whole)


def test_damage_is_told(bench, recipe, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    (stage, *_) = (tmp_path / "run" / "stages").glob("ask-*")
    (stage / "answers.jsonl.gz").write_bytes(b"")
    (tmp_path / "run" / "parts" / "td-mnpo-seed-0.json").unlink()
    outcome = bench("train", "td-mnpo", "--recipe", recipe(), "--output", "run")
    assert outcome.code == 0, outcome.err
    damaged = f"run/stages/{stage.name}/answers.jsonl.gz is not what was written (its hash differs)"
    assert outcome.notes == [f"note: {damaged}; it is made again"]
    assert weights(tmp_path / "run") == weights(whole)


def _training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory runs out in the second step."""
    from mnpo.training.engine import trainer

    true, calls = trainer.completion_log_probs, iter([True] * 2)

    def greedy(*arguments: Any) -> Any:
        if next(calls, None) is None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return true(*arguments)

    monkeypatch.setattr(trainer, "completion_log_probs", greedy)


def _scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    from mnpo.training.logprobs import scoring

    def greedy(*arguments: Any, **options: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(scoring, "token_log_probs", greedy)


def _sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    from mnpo.training.generation.transformers_backend import TransformersSampler

    def greedy(*arguments: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(TransformersSampler, "_decode", greedy)


@pytest.mark.parametrize(
    ("place", "knobs", "change", "output"),
    [
        (_training, ("optimizer.micro_batch_tokens", "model.gradient_checkpointing"),
         {"optimizer.micro_batch_tokens": 24, "model.gradient_checkpointing": True},
         ("--output", "out")),
        (_scoring, ("optimizer.micro_batch_tokens",), {"optimizer.micro_batch_tokens": 24}, ()),
        (_sampling, ("sampling.batch_size",), {"sampling.batch_size": 2}, ("--output", "out")),
    ],
)  # fmt: skip
def test_out_of_memory_then_on_with_less(
    bench, recipe, whole: Path, tmp_path: Path, monkeypatch, place, knobs, change, output
) -> None:
    """In the folder that was given, and in the one that the recipe's hash names."""
    words = ("train", "td-mnpo", "--recipe", recipe(), "--json")
    with monkeypatch.context() as patched:
        place(patched)
        short = bench(*words, *output)
    assert short.code == 1
    (line,) = short.errors
    assert "out of memory" in line
    for knob in knobs:
        assert knob in line
    (folder,) = [tmp_path / "out"] if output else (tmp_path / "runs").iterdir()
    before = json.loads((folder / "manifest.json").read_text())

    sets = [word for key, value in change.items() for word in ("--set", f"{key}={value}")]
    done = bench(*words, *output, *sets)
    assert done.code == 0, done.err
    if not output:
        assert list((tmp_path / "runs").iterdir()) == [folder]
    held = yaml.safe_load((folder / "run.yaml").read_text())
    for key, value in change.items():
        section, name = key.split(".")
        assert held[section][name] == value
    manifest = json.loads((folder / "manifest.json").read_text())
    (noted,) = (entry["changed"] for entry in manifest["resumed"] if "changed" in entry)
    assert {key: new for key, (_, new) in noted.items()} == change
    assert manifest["config_sha256"] != before["config_sha256"]
    # The same run but for rounding, which Adam's first step turns into signs.
    mine, theirs = (rows(path / "training.csv") for path in (folder, whole))
    assert len(mine) == len(theirs) == 4
    for column in ("loss", "grad_norm"):
        assert float(mine[0][column]) == pytest.approx(float(theirs[0][column]), rel=1e-4)
    # Told again with any of these settings, and refused with another rate.
    assert "finished before" in bench(*words[:-1], "--output", folder).out
    assert "holds a run with optimizer" in "".join(
        bench(*words, "--output", folder, "--set", "optimizer.learning_rate=1").errors
    )


class Judge(ThreadingHTTPServer):
    """Prefers the longer text; answers ``limit`` requests, then it is down."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.limit = 10**6
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.keys: set[str | None] = set()
        self.lock = threading.Lock()

    def handle_error(self, *_: Any) -> None:
        pass  # a client that gave up is part of the test


class Handler(BaseHTTPRequestHandler):
    server: Judge

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][0]["content"]
        with self.server.lock:
            up = len(self.server.answered) < self.server.limit
            self.server.asked.append(text)
            self.server.keys.add(self.headers["Authorization"])
            if up:
                self.server.answered.append(text)
        _, a, b = text.split("|")
        verdict = "tie" if len(a) == len(b) else "A" if len(a) > len(b) else "B"
        message = {"role": "assistant", "content": json.dumps({"verdict": verdict})}
        reply = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
        # A careless server says the key when it fails.
        wrong = {"error": {"message": f"no worker for {self.headers['Authorization']}"}}
        data = json.dumps(reply if up else wrong).encode()
        self.send_response(200 if up else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def judge() -> Iterator[Judge]:
    made = Judge()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_judge_that_dies_is_asked_only_what_is_missing(
    bench, recipe, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    oracle = {
        "kind": "judge",
        "model": "m",
        "url": f"http://127.0.0.1:{judge.server_address[1]}/v1",
        "api_key_env": "JUDGE_KEY",
        "template": "{{ prompt }}|{{ response_a }}|{{ response_b }}",
        "concurrency": 4,
        "retries": 2,
        "first_wait": 0.01,
        "max_wait": 0.02,
    }
    words = ("train", "td-mnpo", "--recipe", recipe(oracle=oracle, annotators=[]), "--json")
    judge.limit = 17
    first = bench(*words, "--output", "out")
    assert first.code == 1
    assert len(first.errors) == 1, first.err
    (line,) = first.errors
    assert "failed 3 times: status 503" in line
    assert "run the same command again to go on" in line
    assert len(judge.asked) >= 17 + 3
    assert KEY not in first.err
    assert not list((tmp_path / "out" / "stages").glob("train-*"))

    judge.limit = 10**6
    # More patience is no other run.
    second = bench(*words, "--output", "out", "--set", "oracle.retries=5")
    assert second.code == 0, second.err
    assert len(judge.answered) == len(set(judge.answered)), "something was asked twice"
    answered = len(judge.answered)
    assert judge.keys == {f"Bearer {KEY}"}

    whole = bench(*words, "--output", "whole")
    assert whole.code == 0, whole.err
    assert len(judge.answered) == 2 * answered
    assert weights(tmp_path / "out") == weights(tmp_path / "whole")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            content = gzip.decompress(content) if file.suffix == ".gz" else content
            assert KEY.encode() not in content, file


def test_an_altered_answer_is_asked_again(bench, recipe, judge: Judge, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{judge.server_address[1]}/v1"
    oracle = {
        "kind": "judge",
        "model": "m",
        "url": url,
        "template": "{{ prompt }}|{{ response_a }}|{{ response_b }}",
    }
    budget = {"iterations": 1, "prompts": 8}
    file = recipe(oracle=oracle, annotators=[], methods={"inpo": {}}, budget=budget)
    words = ("train", "inpo", "--recipe", file, "--json", "--output", "out")
    assert bench(*words).code == 0
    asked = len(judge.asked)
    out = tmp_path / "out"
    (store,) = (out / "answers").iterdir()
    with contextlib.closing(sqlite3.connect(store)) as database:
        keys = [key for (key,) in database.execute("SELECT key FROM answers LIMIT 6")]
        database.execute(
            "UPDATE answers SET value = '\"tie\"', reply = 'x' WHERE key = ?", keys[3:4]
        )
        database.execute("UPDATE answers SET seal = 'torn' WHERE key = ?", keys[5:6])
        database.commit()
    policy = (out / "policies" / "inpo-seed-0" / "model.safetensors").read_bytes()
    for part in ("stages", "parts", "ledger.csv"):
        path = out / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = bench(*words)
    assert again.code == 0, again.err
    assert len(judge.asked) == asked + 2
    assert (out / "policies" / "inpo-seed-0" / "model.safetensors").read_bytes() == policy


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"oracle": {"kind": "judge", "model": "m", "url": "http://me:hush@h/v1"}}, "oracle.url"),
        ({"oracle": {"kind": "judge", "model": "m", "url": "http://h/v1",
                     "extra_body": {"api_key": "hush"}}}, "oracle.extra_body: holds 'api_key'"),
        ({"sampling": {"backend": "server", "server": {"url": "http://me:hush@h/v1"}}},
         "sampling.server.url"),
        ({"sampling": {"backend": "server", "server": {"command": ["vllm", "--api-key", "hush"]}}},
         "sampling.server.command: holds a key (--api-key)"),
        ({"sampling": {"backend": "server", "server": {"command": ["vllm", "--api-key=hush"]}}},
         "holds a key (--api-key)"),
        ({"recipe": KEY}, "holds the value of the environment variable JUDGE_KEY"),
    ],
)  # fmt: skip
def test_recipes_that_would_write_a_secret_down(
    bench, recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes, said
) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    outcome = bench("train", "td-mnpo", "--recipe", recipe(**changes), "--json")
    assert outcome.code == 2, outcome
    (line,) = outcome.errors
    assert said in line
    assert "hush" not in line
    assert KEY not in line
    assert not (tmp_path / "runs").exists()


def test_tensorboards_curves_outlive_the_stage(
    bench, recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for the package: what matters is where it is told to write."""
    package = tmp_path / "packages" / "tensorboardX"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import pathlib\n"
        "class SummaryWriter:\n"
        "    def __init__(self, log_dir):\n"
        "        pathlib.Path(log_dir).mkdir(parents=True, exist_ok=True)\n"
        "        self.file = pathlib.Path(log_dir) / 'events'\n"
        "    def add_scalar(self, name, value, step):\n"
        "        with self.file.open('a') as file:\n"
        "            file.write(f'{name} {value} {step}\\n')\n"
        "    def add_text(self, *_): pass\n"
        "    def flush(self): pass\n"
        "    def close(self): pass\n"
    )
    monkeypatch.syspath_prepend(package.parent)
    # Whoever has the real one gets the stand-in too.
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    file = recipe(report_to=["tensorboard"])
    outcome = bench("train", "td-mnpo", "--recipe", file, "--json", "--output", "out")
    assert outcome.code == 0, outcome.err
    curves = list((tmp_path / "out" / "tensorboard").glob("train-*/events"))
    assert len(curves) == 2
    for curve in curves:
        steps = [line for line in curve.read_text().splitlines() if line.startswith("train/loss ")]
        assert [line.split()[-1] for line in steps] == ["1", "2"]
