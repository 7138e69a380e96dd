"""Judges' answers in a run's store, counted without opening it for writing."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_COUNT = """
SELECT judge, count(*), sum(coalesce(prompt_tokens, 0)), sum(coalesce(completion_tokens, 0)),
       sum(seconds) FROM answers GROUP BY judge
"""


@dataclass(frozen=True)
class Answered:
    """What one judge has answered.

    Attributes:
        calls: valid answers that are kept.
        prompt_tokens, completion_tokens: of the requests that brought them, as reported.
        seconds: that they took, one after the other.
    """

    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float


def answered(file: Path) -> Mapping[str, Answered] | None:
    """By judge; None where the store is not there or cannot be read now."""
    if not file.is_file():
        return None
    try:
        with _opened(file) as database:
            rows = database.execute(_COUNT).fetchall()
    except (sqlite3.Error, OSError):
        return None
    return {str(judge): Answered(int(n), int(p), int(c), float(s)) for judge, n, p, c, s in rows}


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The store itself where nobody writes; else a copy, since readers leave traces beside it."""
    log = file.with_name(file.name + "-wal")
    with tempfile.TemporaryDirectory(prefix="mnpo-bench-") as scratch:
        if log.is_file():
            copy = Path(scratch) / file.name
            shutil.copyfile(file, copy)
            shutil.copyfile(log, copy.with_name(log.name))
            place, how = copy, ""
        else:
            place, how = file, "?immutable=1"
        with closing(sqlite3.connect(f"{place.resolve().as_uri()}{how}", uri=True)) as database:
            yield database
