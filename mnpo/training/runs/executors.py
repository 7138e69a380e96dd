"""Where methods are trained: in this process, in several, or on a Ray cluster.

All of them share the stage store through the file system. Two methods that need the same samples
at the same time wait for one another; the samples are drawn once.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.workers import (
    become_worker,
    interrupts_held_back,
    process_pool,
    ray_cluster,
    require_ray,
    spawning,
)
from mnpo.training.runs.jobs import Job, run_job


class Executor(Protocol):
    """Trains in other processes."""

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, str | None]]:
        """(index, None or the reason of failure) of finished jobs, in any order."""
        ...


class Processes:
    """Several processes on this machine, each with one thread, GPUs dealt out in turn."""

    def __init__(self, workers: int) -> None:
        """Use at most ``workers`` processes."""
        self._workers = workers

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, str | None]]:
        """Train, as they finish.

        Raises:
            UserError: a worker was killed.
        """
        from concurrent.futures import as_completed

        workers = min(self._workers, len(jobs)) or 1
        turns = spawning().Queue()
        for worker in range(workers):
            turns.put(worker)
        with process_pool(workers, _take_turn, turns, kept="finished stages") as pool:
            with interrupts_held_back():
                futures = {pool.submit(run_job, job): index for index, job in enumerate(jobs)}
            for future in as_completed(futures):
                yield futures[future], future.result()


class Ray:
    """Tasks on a Ray cluster: the one RAY_ADDRESS names, else a local one of ``workers`` CPUs.

    Every task gets a GPU of its own where the cluster has any. The machines must share the run
    directory's file system.
    """

    def __init__(self, workers: int) -> None:
        """Use a running cluster, or start a local one with ``workers`` CPUs."""
        self._workers = workers

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, str | None]]:
        """Train, as they finish.

        Raises:
            InvalidSetting: no cluster can be reached or started.
            UserError: a task was lost.
        """
        with ray_cluster(self._workers) as ray:
            gpus = 1 if ray.cluster_resources().get("GPU", 0) >= 1 else 0
            task = ray.remote(num_gpus=gpus, max_retries=0)(run_job)
            pending = {task.remote(job): index for index, job in enumerate(jobs)}
            while pending:
                ready, _ = ray.wait(list(pending), num_returns=1)
                for reference in ready:
                    index = pending.pop(reference)
                    try:
                        yield index, ray.get(reference)
                    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError):
                        raise UserError(
                            f"the Ray task of {jobs[index].method} was lost, most likely for want "
                            "of memory; finished stages are kept, repeat the command"
                        ) from None


def make_executor(name: str, workers: int) -> Executor | None:
    """An executor by its command-line name; None trains in this process.

    Raises:
        InvalidSetting: unknown name, no worker, or a Ray that is not there.
    """
    if workers < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {workers}")
    if name == "local":
        return None if workers == 1 else Processes(workers)
    if name == "ray":
        require_ray(os.environ.get("RAY_ADDRESS", ""))
        return Ray(workers)
    raise InvalidSetting(f"--executor must be local or ray, got '{name}'")


def _take_turn(turns: Any) -> None:
    """One thread, and the next GPU in turn."""
    become_worker()
    turn = turns.get()
    import torch

    torch.set_num_threads(1)
    if torch.cuda.device_count() > 1:
        torch.cuda.set_device(turn % torch.cuda.device_count())
