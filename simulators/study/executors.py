"""Where jobs run: in this process, in several, or on a Ray cluster."""

import os
from collections.abc import Callable, Generator
from typing import Protocol, TypeAlias

from mnpo.errors import InvalidSetting
from mnpo.runs.workers import (
    become_worker,
    interrupts_held_back,
    process_pool,
    ray_cluster,
    require_ray,
)
from simulators.study.job import Job, JobOutput, run_job

#: Called with the run-iterations that have been finished since the last call.
Advance = Callable[[int], None]
#: (index, output) of finished jobs; closing it stops the others.
Outputs: TypeAlias = Generator[tuple[int, JobOutput], None, None]


class Executor(Protocol):
    """Runs jobs and yields (index, output) as they finish, in any order."""

    def run(self, jobs: list[Job], advance: Advance) -> Outputs:
        """Run all jobs."""
        ...


class Serial:
    """One after the other, here; reports progress within a job."""

    def run(self, jobs: list[Job], advance: Advance) -> Outputs:
        """Run all jobs, in order."""
        for index, job in enumerate(jobs):
            every = max(1, job.iterations // 50)

            def progress(t: int, runs: int = job.runs, every: int = every) -> None:
                if t and t % every == 0:
                    advance(runs * every)

            output = run_job(job, progress)
            advance(job.runs * (job.iterations % every if job.iterations else 1))
            yield index, output


class Processes:
    """Several processes on this machine, each with one BLAS thread."""

    def __init__(self, workers: int) -> None:
        """Use at most ``workers`` processes."""
        self._workers = workers

    def run(self, jobs: list[Job], advance: Advance) -> Outputs:
        """Run all jobs, as they finish."""
        from concurrent.futures import as_completed

        workers = min(self._workers, len(jobs)) or 1
        with process_pool(workers, _one_thread, kept="finished parts") as pool:
            with interrupts_held_back():
                futures = {pool.submit(run_job, job): index for index, job in enumerate(jobs)}
            for future in as_completed(futures):
                index = futures[future]
                output = future.result()
                advance(jobs[index].runs * max(jobs[index].iterations, 1))
                yield index, output


class Ray:
    """Tasks on a Ray cluster: the one RAY_ADDRESS names, else a local one of ``workers`` CPUs."""

    def __init__(self, workers: int) -> None:
        """Use a running cluster, or start a local one with ``workers`` CPUs."""
        self._workers = workers

    def run(self, jobs: list[Job], advance: Advance) -> Outputs:
        """Run all jobs, as they finish.

        Raises:
            InvalidSetting: no cluster can be reached or started.
        """
        with ray_cluster(self._workers) as ray:
            task = ray.remote(run_job)
            pending = {task.remote(job): index for index, job in enumerate(jobs)}
            while pending:
                ready, _ = ray.wait(list(pending), num_returns=1)
                for reference in ready:
                    index = pending.pop(reference)
                    output = ray.get(reference)
                    advance(jobs[index].runs * max(jobs[index].iterations, 1))
                    yield index, output


def make_executor(name: str, workers: int) -> Executor:
    """An executor by its command-line name.

    Raises:
        InvalidSetting: unknown name, no worker, or a Ray that is not there.
    """
    if workers < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {workers}")
    if name == "local":
        return Serial() if workers == 1 else Processes(workers)
    if name == "ray":
        require_ray(os.environ.get("RAY_ADDRESS", ""))
        return Ray(workers)
    raise InvalidSetting(f"--executor must be local or ray, got '{name}'")


def _one_thread() -> None:
    """Also for the BLAS that numpy has loaded already."""
    become_worker()
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
