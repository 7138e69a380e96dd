"""Executors: chosen by name, stopped when nobody waits, and plain about what went wrong."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from mnpo.errors import InvalidSetting, UserError
from simulators.study.config import parse_config
from simulators.study.executors import Processes, Ray, Serial, make_executor
from simulators.study.job import Job
from simulators.study.plan import make_plan


def jobs(iterations: int) -> list[Job]:
    algorithms = ["inpo", "mwu", "mnpo", "egpo", "onpo", "sppo"]
    config = parse_config({"algorithms": algorithms, "iterations": iterations, "game": "disc"})
    return make_plan(config).jobs


def ended(before: set[object]) -> bool:
    deadline = time.monotonic() + 30
    while set(multiprocessing.active_children()) - before:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_names() -> None:
    assert isinstance(make_executor("local", 1), Serial)
    assert isinstance(make_executor("local", 2), Processes)
    with pytest.raises(InvalidSetting, match="--executor must be local or ray, got 'slurm'"):
        make_executor("slurm", 1)
    for workers in (0, -1):
        with pytest.raises(InvalidSetting, match="--jobs must be at least 1"):
            make_executor("local", workers)


@pytest.mark.ray
def test_ray_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    for address in ("", "auto", "local"):
        monkeypatch.setenv("RAY_ADDRESS", address)
        assert isinstance(make_executor("ray", 2), Ray)
    for address in ("ray://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:99999"):
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(InvalidSetting, match=f"no Ray cluster answers at .*{address}"):
            make_executor("ray", 2)


def test_every_job_is_run_once() -> None:
    listed = jobs(3)
    for executor in (Serial(), Processes(2), Processes(20)):
        found = dict(executor.run(listed, lambda _: None))
        assert sorted(found) == list(range(len(listed)))
        for index, output in found.items():
            assert output.rows[0]["algorithm"] == listed[index].algorithm


def test_no_jobs_are_no_work() -> None:
    for executor in (Serial(), Processes(2)):
        assert list(executor.run([], lambda _: None)) == []


def test_workers_end_when_nobody_waits_for_the_rest() -> None:
    before = set(multiprocessing.active_children())
    running = Processes(2).run(jobs(8_000), lambda _: None)
    next(running)
    running.close()
    assert ended(before)


def test_a_worker_that_is_killed_is_one_line() -> None:
    before = set(multiprocessing.active_children())
    running = Processes(2).run(jobs(8_000), lambda _: None)
    next(running)
    victim = next(iter(set(multiprocessing.active_children()) - before))
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    with pytest.raises(UserError, match=r"a worker process was killed.*fewer --jobs"):
        list(running)
    assert ended(before)


def test_interrupts_reach_the_parent_again() -> None:
    list(Processes(2).run(jobs(1), lambda _: None))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        time.sleep(10)
