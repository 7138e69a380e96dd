"""Worker processes and Ray clusters for whoever runs many jobs: started, watched and ended."""

import importlib.util
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext
from typing import Any

from mnpo.errors import InvalidSetting, UserError

#: What limits the threads of BLAS and torch.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def spawning() -> SpawnContext:
    """Fresh interpreters: a forked copy of BLAS's or torch's threads, or of CUDA's state, hangs."""
    return multiprocessing.get_context("spawn")


@contextmanager
def process_pool(
    workers: int, initializer: Callable[..., None], *initargs: Any, kept: str
) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes that ends with the block, jobs under way included.

    Args:
        workers: how many.
        initializer: the first thing each does; it should call `become_worker`.
        *initargs: its arguments.
        kept: what survives a lost worker, for the message.

    Raises:
        UserError: a worker was killed.
    """
    from concurrent.futures.process import BrokenProcessPool

    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        workers, mp_context=spawning(), initializer=initializer, initargs=initargs
    )
    try:
        yield pool
        pool.shutdown()
    except BrokenProcessPool:
        raise UserError(
            f"a worker process was killed, most likely for want of memory; {kept} are kept, "
            "repeat the command with fewer --jobs"
        ) from None
    finally:
        # After an interruption nobody waits for the jobs that are under way.
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        pool.shutdown(cancel_futures=True)


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C, which a terminal sends to all: the parent answers."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def become_worker() -> None:
    """One thread for each library, gone with the parent.

    Two threads on a shared core can collapse; and without the watch a worker whose parent was
    killed would wait for its next job forever.
    """
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def ray_cluster(workers: int) -> Iterator[Any]:
    """Ray, connected to the cluster that RAY_ADDRESS names or to a local one of ``workers`` CPUs.

    A Ray that was running before is used and left running.

    Raises:
        InvalidSetting: no cluster can be reached or started.
    """
    import ray

    started = not ray.is_initialized()
    if started:
        address = os.environ.get("RAY_ADDRESS")
        local: dict[str, Any] = {}
        if not address:
            local = {"num_cpus": workers, "include_dashboard": False}
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
        yield ray
    finally:
        if started:
            ray.shutdown()


def require_ray(address: str) -> None:
    """Refuse before anything is written: Ray itself would retry an address for minutes.

    Raises:
        InvalidSetting: Ray is not installed, or nothing answers at the address.
    """
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
