"""Where jobs run: in this process, in several, or on a Ray cluster."""

import importlib.util
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

from mnpo.errors import InvalidSetting, UserError
from simulators.study.job import Job, JobOutput, run_job

#: Called with the run-iterations that have been finished since the last call.
Advance = Callable[[int], None]
#: (index, output) of finished jobs; closing it stops the others.
Outputs: TypeAlias = Generator[tuple[int, JobOutput], None, None]

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
        from concurrent.futures import ProcessPoolExecutor, as_completed
        from concurrent.futures.process import BrokenProcessPool

        # Fresh interpreters: a forked copy of BLAS's or torch's threads can hang.
        context = multiprocessing.get_context("spawn")
        workers = min(self._workers, len(jobs)) or 1
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_become_worker)
        try:
            with _interrupts_held_back():
                futures = {pool.submit(run_job, job): index for index, job in enumerate(jobs)}
            for future in as_completed(futures):
                index = futures[future]
                output = future.result()
                advance(jobs[index].runs * max(jobs[index].iterations, 1))
                yield index, output
            pool.shutdown()
        except BrokenProcessPool:
            raise UserError(
                "a worker process was killed, most likely for want of memory; finished parts are "
                "kept, repeat the command with fewer --jobs"
            ) from None
        finally:
            # After an interruption nobody waits for the jobs that are under way.
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            pool.shutdown(cancel_futures=True)


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
        import ray

        started = not ray.is_initialized()
        if started:
            address = os.environ.get("RAY_ADDRESS")
            local: dict[str, Any] = {}
            if not address:
                local = {"num_cpus": self._workers, "include_dashboard": False}
            threads = {"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")}
            try:
                ray.init(
                    address=address,
                    runtime_env=threads,
                    log_to_driver=False,
                    logging_level=40,
                    **local,
                )
            except (ConnectionError, ray.exceptions.RayError) as error:
                raise InvalidSetting(f"no Ray cluster: {' '.join(str(error).split())}") from None
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
        InvalidSetting: unknown name, no worker, or a Ray that is not there.
    """
    if workers < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {workers}")
    if name == "local":
        return Serial() if workers == 1 else Processes(workers)
    if name == "ray":
        _require_ray(os.environ.get("RAY_ADDRESS", ""))
        return Ray(workers)
    raise InvalidSetting(f"--executor must be local or ray, got '{name}'")


def _require_ray(address: str) -> None:
    """Refuse before anything is written: Ray itself would retry an address for minutes."""
    if importlib.util.find_spec("ray") is None:
        raise InvalidSetting("--executor ray needs the extra 'ray': install mnpo-bench[ray]")
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise InvalidSetting(
            f"no Ray cluster answers at RAY_ADDRESS={address} ({error}); unset it to start a "
            "local one"
        ) from None


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C, which a terminal sends to all: the parent answers."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _become_worker() -> None:
    """One BLAS and torch thread a worker (two on a shared core can collapse), gone with the parent.

    Without the watch a worker whose parent was killed would wait for its next job forever.
    """
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
