"""Where jobs run: in this process, in several, or on a Ray cluster."""

import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from mnpo.errors import InvalidSetting
from simulators.study.job import Job, JobOutput, run_job

#: Called with the run-iterations that have been finished since the last call.
Advance = Callable[[int], None]

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Executor(Protocol):
    """Runs jobs and yields (index, output) as they finish, in any order."""

    def run(self, jobs: list[Job], advance: Advance) -> Iterator[tuple[int, JobOutput]]:
        """Run all jobs."""
        ...


class Serial:
    """One after the other, here; reports progress within a job."""

    def run(self, jobs: list[Job], advance: Advance) -> Iterator[tuple[int, JobOutput]]:
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

    def run(self, jobs: list[Job], advance: Advance) -> Iterator[tuple[int, JobOutput]]:
        """Run all jobs, as they finish."""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor, as_completed

        # Fresh interpreters: a forked copy of BLAS's or torch's threads can hang.
        context = multiprocessing.get_context("spawn")
        workers = min(self._workers, len(jobs)) or 1
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
            futures = {pool.submit(run_job, job): index for index, job in enumerate(jobs)}
            try:
                for future in as_completed(futures):
                    index = futures[future]
                    output = future.result()
                    advance(jobs[index].runs * max(jobs[index].iterations, 1))
                    yield index, output
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


class Ray:
    """Tasks on a Ray cluster: the one RAY_ADDRESS names, else a local one of ``workers`` CPUs."""

    def __init__(self, workers: int) -> None:
        """Use a running cluster, or start a local one with ``workers`` CPUs."""
        self._workers = workers

    def run(self, jobs: list[Job], advance: Advance) -> Iterator[tuple[int, JobOutput]]:
        """Run all jobs, as they finish.

        Raises:
            InvalidSetting: Ray is not installed.
        """
        try:
            import ray
        except ImportError:
            raise InvalidSetting(
                "the ray executor needs the extra 'ray': install mnpo-bench[ray]"
            ) from None

        started = not ray.is_initialized()
        if started:
            address = os.environ.get("RAY_ADDRESS")
            local: dict[str, Any] = {}
            if not address:
                local = {"num_cpus": self._workers, "include_dashboard": False}
            threads = {"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")}
            ray.init(
                address=address, runtime_env=threads, log_to_driver=False, logging_level=40, **local
            )
        try:
            task = ray.remote(run_job)
            pending = {task.remote(job): index for index, job in enumerate(jobs)}
            while pending:
                ready, _ = ray.wait(list(pending), num_returns=1)
                for reference in ready:
                    index = pending.pop(reference)
                    output = ray.get(reference)
                    advance(jobs[index].runs * max(jobs[index].iterations, 1))
                    yield index, output
        finally:
            if started:
                ray.shutdown()


def make_executor(name: str, workers: int) -> Executor:
    """An executor by its command-line name.

    Raises:
        InvalidSetting: unknown name, or no worker.
    """
    if workers < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {workers}")
    if name == "local":
        return Serial() if workers == 1 else Processes(workers)
    if name == "ray":
        return Ray(workers)
    raise InvalidSetting(f"executor must be local or ray, got '{name}'")


def _one_thread() -> None:
    """One BLAS and torch thread a worker: two on a shared core can collapse."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
