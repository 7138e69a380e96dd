"""Where models that are made or fetched once are kept."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "MNPO_BENCH_CACHE"


def cache_folder() -> Path:
    """``$MNPO_BENCH_CACHE``, else ``mnpo-bench`` in the platform's folder for caches."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mnpo-bench"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mnpo-bench"


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one process at a time into the block; the others wait.

    Args:
        path: a file for the lock; made where missing, and left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed, also by a crash
        yield
