"""`mnpo-bench evaluate` as a user meets it: tables, files, refusals, kills, keys."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from always_says import save_model_that_says
from judge_server import JudgeServer

from evaluation.mini.benchmark import open_benchmark

KEY = "sk-test-0123456789abcdefghij"


@pytest.fixture
def outputs():
    """Given answers to the mini-benchmark, in the current folder."""
    rows = [
        {"question_id": q.id, "model_id": "m", "output": f"answer {i} to {q.id}"}
        for i, q in enumerate(open_benchmark().questions())
    ]
    Path("outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ("--outputs", "m=outputs.jsonl", "--benchmarks", "mini")


def judge_of(server, **more):
    text = {"kind": "endpoint", "url": server.url, "model": "judge", **more}
    return ("--judge", json.dumps(text))


def test_the_embedded_model_on_the_embedded_benchmark(bench) -> None:
    first = bench("evaluate", "tiny", "--limit", 4, "--set", "answers.max_new_tokens=24")
    assert first.code == 0, first.err
    assert "rule-nearest-50-words" in first.out
    assert "spent:" in first.out
    (run,) = Path("runs").iterdir()
    assert (run / "results.csv").is_file()
    again = bench("evaluate", "tiny", "--limit", 4, "--set", "answers.max_new_tokens=24")
    assert again.code == 0
    assert "spent:" not in again.out
    taken_back = bench("evaluate", "--config", run, "--output", run)
    assert taken_back.code == 0, taken_back.err


def test_the_plan_writes_nothing(bench, outputs) -> None:
    found = bench("evaluate", *outputs, "--dry-run")
    assert found.code == 0, found.err
    assert "80 calls: 0 answered already, 80 to be asked" in found.out
    assert not Path("runs").exists()
    planned = json.loads(bench("evaluate", *outputs, "--dry-run", "--json").out)
    assert planned["judging"][0]["calls"] == 80


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give at least one model"),
        (["tiny", "--benchmarks", "alpaca"], "unknown benchmark 'alpaca'; did you mean"),
        (["tiny", "--benchmarks", "mt-bench", "--data-dir", "."], "mt-bench"),
        (["nowhere/at/all"], "no such folder"),
        (["tiny", "--judge-url", "http://127.0.0.1:1/v1"], "go together"),
        (["tiny", "--judge-key-env", "X"], "--judge-key-env goes with"),
        (
            [*"tiny --judge-url http://h/v1 --judge-model m --judge-key-env sk-SECRET".split()],
            "--judge-key-env names no variable",
        ),
        (["tiny", "--judge", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["tiny", "--judge", "{kind: orakel}"], "unknown kind 'orakel'"),
        (["tiny", "--set", "answer.max_new_tokens=3"], "did you mean 'answers'"),
        (["tiny", "--max-cost", "0"], "'--max-cost': must be above 0"),
        (["tiny", "--max-cost", "nan"], "'--max-cost': must be above 0"),
        (["tiny", "--max-cost", "inf"], "'--max-cost': must be above 0"),
        (["tiny", "--outputs", "x=nowhere.json"], "names? that one|there is no file"),
        (["tiny", "--benchmarks", "cross-play"], "at least two models"),
        (["tiny", "--config", "nowhere.yaml"], "nowhere.yaml"),
        (["a=tiny", "a=tiny"], "two models are called 'a'"),
        (["tiny", "--set", "data_dir=x", "--benchmarks", "lm-eval"], "no such folder"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(bench, arguments, says) -> None:
    found = bench("evaluate", *arguments, "--output", "run")
    assert found.code == 2, found.err
    assert len(found.errors) == 1
    assert re.search(says, found.errors[0])
    assert "SECRET" not in found.err
    assert not Path("run").exists()


def test_a_budget_in_dollars_needs_prices_and_is_kept(bench, outputs) -> None:
    with JudgeServer(lambda text: "<verdict>A</verdict>") as server:
        unpriced = bench("evaluate", *outputs, *judge_of(server), "--max-cost", 1)
        assert unpriced.code == 2
        assert "price_input" in unpriced.err
        assert not server.asked
        priced = judge_of(server, price_input=1.0, price_output=10.0, max_tokens=20)
        found = bench("evaluate", *outputs, *priced, "--max-cost", 0.01, "--output", "run")
        assert found.code == 1
        assert "budget" in found.err
        assert 0 < len(server.headers) * (100 * 1.0 + 10 * 10.0) / 1e6 <= 0.01
        asked = server.asked.total()
        more = bench("evaluate", *outputs, *priced, "--max-cost", 9, "--output", "run")
        assert more.code == 0, more.err
        assert server.asked.total() == 80
        assert max(server.asked.values()) == 1
        assert asked < 80
        assert "$" in more.out


def test_invalid_verdicts_are_missing_and_never_a_number(bench, outputs) -> None:
    def say(text):
        return "I cannot say." if "writing-1" in text else "<verdict>tie</verdict>"

    with JudgeServer(say) as server:
        asked = (*outputs, *judge_of(server), "--set", "re_asks=1", "--output", "run")
        found = bench("evaluate", *asked)
        assert found.code == 1
        assert "--allow-missing" in found.err
        assert "run the same command again" in found.err
        counts = dict(server.asked)
        allowed = bench("evaluate", *asked, "--allow-missing")
        assert allowed.code == 0, allowed.err
        result = json.loads(Path("run/results.json").read_text())["results"][0]
        assert (result["models"]["m"]["n"], result["models"]["m"]["missing"]) == (39, 1)
        assert result["models"]["m"]["score"] == 50
        good = [text for text in counts if "writing-1" not in text]
        assert all(server.asked[text] == 1 for text in good)


def test_a_judge_that_is_down_is_said(bench, outputs) -> None:
    judge = {"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "j", "retries": 1}
    judge |= {"first_wait": 0.01}
    found = bench("evaluate", *outputs, "--judge", json.dumps(judge))
    assert found.code == 1
    assert len(found.errors) == 1
    assert "no connection" in found.errors[0]


def test_a_model_behind_an_endpoint_is_answered_for_and_judged(bench, monkeypatch) -> None:
    monkeypatch.setenv("THE_KEY", KEY)

    def say(text):
        return "<verdict>tie</verdict>" if "<verdict>" in text else f"An answer. {KEY}"

    with JudgeServer(say) as server:
        asked = {"url": server.url, "model": "m", "api_key_env": "THE_KEY"}
        asked |= {"price_input": 1.0, "price_output": 1.0}
        models = [{"name": "far away", "endpoint": asked}]
        Path("eval.json").write_text(json.dumps({"models": models}))
        words = ("evaluate", "--config", "eval.json", "--limit", 4, *judge_of(server))
        planned = bench(*words, "--dry-run")
        assert "answers of far away:\n  4 calls: 0 answered already" in planned.out
        assert not server.asked
        found = bench(*words, "--output", "run")
        assert found.code == 0, found.err
        assert len(server.bodies) == 4 + 8
        assert "answers of far away: 4 requests" in found.out
        assert bench(*words, "--output", "run").code == 0
        assert len(server.bodies) == 4 + 8
    model = json.loads(Path("run/results.json").read_text())["results"][0]["models"]["far away"]
    assert (model["score"], model["n"]) == (50, 4)
    for path in Path("run").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    harness = bench(*words, "--benchmarks", "lm-eval", "--output", "other")
    assert harness.code == 2
    assert "lm-eval needs a model's weights" in harness.err


def test_keys_are_nowhere(bench, outputs, monkeypatch) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    with JudgeServer(lambda text: f"{KEY}\n<verdict>B</verdict>") as server:
        found = bench(
            "evaluate", *outputs, *judge_of(server, api_key_env="THE_KEY"), "--output", "run"
        )
        assert found.code == 0, found.err
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in found.out + found.err
    for path in Path("run").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_a_killed_run_repeats_no_answered_call(command, outputs) -> None:
    with JudgeServer(lambda text: "<verdict>A</verdict>", pause=0.1) as server:
        judge = judge_of(server, concurrency=4)
        words = [*command, "evaluate", *outputs, *judge, "--output", "run"]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while server.asked.total() < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.3)
        assert 20 <= server.asked.total() < 80
        finished = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert finished.returncode == 0, finished.stderr
        assert len(server.asked) == 80
        assert server.asked.total() <= 80 + 4  # at most what was in flight
    whole = sqlite3.connect("run/judge-answers.sqlite").execute("PRAGMA integrity_check")
    assert whole.fetchone() == ("ok",)


@pytest.mark.slow
def test_two_runs_share_a_cache_at_the_same_time(command, outputs) -> None:
    with JudgeServer(lambda text: "<verdict>A</verdict>", pause=0.02) as server:
        words = [*command, "evaluate", *outputs, *judge_of(server), "--set", "cache=shared.sqlite"]
        both = [
            subprocess.Popen([*words, "--output", f"run-{i}"], stderr=subprocess.PIPE)
            for i in range(2)
        ]
        for process in both:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        assert len(server.asked) == 80
        assert max(server.asked.values()) <= 2
    scores = {
        json.loads(Path(f"run-{i}/results.json").read_text())["results"][0]["models"]["m"]["score"]
        for i in range(2)
    }
    assert len(scores) == 1


NO_SERVER = pytest.mark.skipif(
    find_spec("fastapi") is None or find_spec("uvicorn") is None,
    reason="`transformers serve` needs the packages fastapi and uvicorn",
)


@contextmanager
def transformers_serve(folder: Path, home: Path):
    """A real OpenAI-compatible server; yields its address."""
    (home / "hub").mkdir(exist_ok=True)
    program = shutil.which("transformers", path=str(Path(sys.executable).parent))
    port = _free_port()
    words = [program, "serve", str(folder), "--device", "cpu", "--dtype", "float32"]
    process = subprocess.Popen(
        [*words, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"HF_HOME": str(home)},
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
@NO_SERVER
def test_a_real_server_generates_and_its_nonsense_is_no_verdict(bench, tmp_path) -> None:
    from mnpo.training.models.resolve import resolve

    folder = Path(str(resolve("tiny").path))
    with transformers_serve(folder, tmp_path) as url:
        judge = {"kind": "endpoint", "url": url, "model": str(folder), "concurrency": 1}
        judge |= {"max_tokens": 8}
        found = bench(
            "evaluate",
            *("tiny", "--limit", 2, "--output", "run", "--judge", json.dumps(judge)),
            *("--set", "answers.backend=server", "--set", f"answers.server.url={url}"),
            *("--set", "answers.server.concurrency=1", "--set", "answers.max_new_tokens=16"),
            *("--set", "re_asks=0"),
        )
    assert found.code == 1, found.err
    assert "2 of 2 scores are missing" in found.err
    assert not list(Path("run").rglob("mini-v1/*/results.json"))
    assert list(Path("run").glob("stages/sample-*/groups.jsonl.gz"))


@pytest.mark.slow
@NO_SERVER
def test_a_real_server_judges(bench, outputs, tmp_path) -> None:
    """A model that always says A: both orders cancel out, and it is told as a bias of place."""
    save_model_that_says("<verdict>A</verdict>", tmp_path / "model")
    with transformers_serve(tmp_path / "model", tmp_path) as url:
        judge = {"kind": "endpoint", "url": url, "model": str(tmp_path / "model")}
        judge |= {"name": "always-a", "max_tokens": 8, "concurrency": 2}
        found = bench(
            *("evaluate", *outputs, "--limit", 5, "--output", "run"),
            *("--judge", json.dumps(judge)),
        )
    assert found.code == 0, found.err
    model = json.loads(Path("run/results.json").read_text())["results"][0]["models"]["m"]
    assert (model["score"], model["n"], model["missing"]) == (50, 5, 0)
    agreement = json.loads(Path("run/mini-v1/agreement.json").read_text())
    assert agreement["judges"]["always-a"]["position"]["value"] == 0.5


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(url: str) -> None:
    import urllib.request

    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(url)
