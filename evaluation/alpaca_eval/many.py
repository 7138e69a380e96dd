"""One task for each model, in this process or in several, with the same results."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from mnpo.errors import InvalidSetting
from mnpo.runs.workers import become_worker, interrupts_held_back, process_pool

#: Models that each process must have: starting one takes as long as scoring about as many.
LEAST = 10

_T = TypeVar("_T")


class Each(Protocol):
    """Like ``map``: calls a function of the module's level for each model, results in order."""

    def __call__(self, function: Callable[..., _T], *arguments: Iterable[Any]) -> list[_T]:
        """Call it."""
        ...


def one_by_one(function: Callable[..., _T], *arguments: Iterable[Any]) -> list[_T]:
    """In this process."""
    return [function(*own) for own in zip(*arguments, strict=True)]


def cores() -> int:
    """Those that this process may use, where the system says so; else all of the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def several(jobs: int, models: int) -> Iterator[Each]:
    """In at most ``jobs`` processes, fewer where there are too few models to be worth a process.

    Every process, this one too where there is only one, has one BLAS thread for the time, so that
    no sum depends on how many there are.

    Raises:
        InvalidSetting: ``jobs`` is below 1.
        UserError: a process was killed.
    """
    if jobs < 1:
        raise InvalidSetting(f"--jobs must be at least 1, got {jobs}")
    workers = min(jobs, models // LEAST)
    if workers < 2:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            yield one_by_one
        return
    with process_pool(workers, _one_thread, kept="the annotations") as pool:

        def spread(function: Callable[..., _T], *arguments: Iterable[Any]) -> list[_T]:
            with interrupts_held_back():
                waiting = [pool.submit(function, *own) for own in zip(*arguments, strict=True)]
            return [own.result() for own in waiting]

        yield spread


def _one_thread() -> None:
    """Also for the BLAS that numpy has loaded already."""
    become_worker()
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
