"""Whether some process works in a run directory, told by a lock that ends with the process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: In the run directory; what it holds says nothing.
LOCK = ".lock"


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Show that this process works in a run directory, as long as the block lasts.

    Several processes may at once; a process that is killed, however suddenly, shows it no more.

    Args:
        folder: the run directory, which must exist.

    Raises:
        OSError: the lock's file cannot be made. On file systems without locks nothing is shown.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _try(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def is_at_work(folder: Path) -> bool:
    """Whether a process works in a run directory, by `at_work` or a filelock; writes nothing."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return True
    return True
