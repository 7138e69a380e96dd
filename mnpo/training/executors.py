"""Where methods are trained: in this process, in several, or on a Ray cluster.

All of them share the stage store through the file system. Two methods that need the same samples
at the same time wait for one another; the samples are drawn once.
"""

import importlib.util
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.jobs import Job, run_job

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
        from concurrent.futures import ProcessPoolExecutor, as_completed
        from concurrent.futures.process import BrokenProcessPool

        # Fresh interpreters: a forked copy of torch's threads or of CUDA's state does not work.
        context = multiprocessing.get_context("spawn")
        workers = min(self._workers, len(jobs)) or 1
        turns = context.Queue()
        for worker in range(workers):
            turns.put(worker)
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_become_worker, initargs=(turns,)
        )
        try:
            with _interrupts_held_back():
                futures = {pool.submit(run_job, job): index for index, job in enumerate(jobs)}
            for future in as_completed(futures):
                yield futures[future], future.result()
            pool.shutdown()
        except BrokenProcessPool:
            raise UserError(
                "a worker process was killed, most likely for want of memory; finished stages are "
                "kept, repeat the command with fewer --jobs"
            ) from None
        finally:
            # After an interruption nobody waits for the jobs that are under way.
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            pool.shutdown(cancel_futures=True)


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
        import ray

        started = not ray.is_initialized()
        if started:
            address = os.environ.get("RAY_ADDRESS")
            local: dict[str, Any] = {}
            if not address:
                local = {"num_cpus": self._workers, "include_dashboard": False}
            try:
                ray.init(
                    address=address,
                    runtime_env={"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")},
                    log_to_driver=False,
                    logging_level=40,
                    **local,
                )
            except (ConnectionError, ray.exceptions.RayError) as error:
                raise InvalidSetting(f"no Ray cluster: {' '.join(str(error).split())}") from None
        try:
            resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
            gpus = 1 if resources.get("GPU", 0) >= 1 else 0
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
        finally:
            if started:
                ray.shutdown()


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


def _become_worker(turns: Any) -> None:
    """One thread, one GPU, gone with the parent: without the watch it would wait forever."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"
    turn = turns.get()
    import torch

    torch.set_num_threads(1)
    if torch.cuda.device_count() > 1:
        torch.cuda.set_device(turn % torch.cuda.device_count())


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
