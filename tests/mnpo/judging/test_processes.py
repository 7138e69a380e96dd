"""Processes that are killed, interrupted, or two at once."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mnpo.judging.cache import AnswerCache
from mnpo.judging.endpoint import EndpointJudge
from mnpo.judging.executor import Executor
from mnpo.judging.limits import Limits

SCRIPT = Path(__file__).with_name("asking_process.py")


def start(server, path: Path, number: int, concurrency: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), server.url, str(path), str(number), str(concurrency)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=SCRIPT.parent
    )


def stored(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {item for (item,) in database.execute("SELECT item FROM answers")}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_repeats_no_finished_call(
    server, endpoint, make_call, truth, tmp_path, how
) -> None:
    server.latency = 0.03
    path = tmp_path / "answers.sqlite"
    child = start(server, path, 400, 16)
    try:
        deadline = time.monotonic() + 60
        while len(server.billed) < 120 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        child.send_signal(how)
        _, errors = child.communicate(timeout=30)
    assert child.returncode != 0
    assert how != signal.SIGINT or errors.rstrip().endswith("KeyboardInterrupt")
    kept = stored(path)
    started = len(server.bodies)
    assert 100 < len(kept) < 400
    assert started - len(kept) <= 16  # lost: what was in flight
    server.latency = 0
    calls = [make_call(n) for n in range(400)]
    with AnswerCache(path) as cache:
        executor = Executor(EndpointJudge(endpoint()), cache, limits=Limits(16))
        report = executor.ask(calls)
        assert all(executor.outcome(c).value == truth(c.messages[0].content) for c in calls)
    assert (report.cached, report.answered) == (len(kept), 400 - len(kept))
    finished = {call.messages[0].content for call in calls if call.item in kept}
    assert all(server.asked[text] == 1 for text in finished)
    assert len(server.bodies) == started + 400 - len(kept)


def test_two_processes_on_one_file(server, tmp_path) -> None:
    server.latency = 0.02
    path = tmp_path / "folder" / "answers.sqlite"
    children = [start(server, path, 600, 16) for _ in range(2)]
    ended = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0], ended
    counts = [[int(word) for word in out.split()] for out, _ in ended]
    assert all(cached + answered == 600 and missing == 0 for cached, answered, missing in counts)
    assert len(stored(path)) == len(server.asked) == 600
    assert max(server.asked.values()) <= 2  # both had it in flight
    assert sum(answered for _, answered, _ in counts) == len(server.bodies) < 1200
