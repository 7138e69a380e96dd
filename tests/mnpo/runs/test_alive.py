import os
import signal
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from mnpo.runs.alive import LOCK, at_work, is_at_work

WAIT = """
import pathlib, sys, time
from mnpo.runs.alive import at_work
with at_work(pathlib.Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(600)
"""


def test_nobody_works_in_a_folder_without_a_lock(tmp_path: Path) -> None:
    assert not is_at_work(tmp_path)
    assert not is_at_work(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_several_may_work_at_once_and_asking_disturbs_nobody(tmp_path: Path) -> None:
    with at_work(tmp_path), at_work(tmp_path):
        before = (tmp_path / LOCK).stat().st_mtime_ns
        assert is_at_work(tmp_path)
        assert is_at_work(tmp_path)
        assert (tmp_path / LOCK).stat().st_mtime_ns == before
    assert not is_at_work(tmp_path)


def test_the_lock_of_an_evaluation_is_seen(tmp_path: Path) -> None:
    with FileLock(str(tmp_path / LOCK)):
        assert is_at_work(tmp_path)
    assert not is_at_work(tmp_path)


def test_a_kill_leaves_nobody_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    assert is_at_work(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not is_at_work(tmp_path)
