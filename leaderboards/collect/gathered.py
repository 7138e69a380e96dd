"""What is gathered from run after run until it is a board."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from leaderboards.board import LeftOut, Plot, Pool, Run, Section, Table
from leaderboards.collect.facts import facts_of
from leaderboards.collect.opening import NotUsable, Opened
from leaderboards.collect.places import Given, left_out
from mnpo.errors import DamagedRun

T = TypeVar("T")
#: Simulations and trainings that are drawn, at most.
MOST_DRAWN = 4


@dataclass
class Parts:
    """What a board is put together from."""

    sections: tuple[Section, ...] = ()
    columns: tuple[str, ...] = ()
    pools: list[Pool] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.sections or self.pools or self.plots or self.tables)


@dataclass
class Known:
    """Names that options may hold."""

    benchmarks: set[str] = field(default_factory=set)
    algorithms: set[str] = field(default_factory=set)
    judges: set[str] = field(default_factory=set)


def of_kind(given: Given, kind: str) -> dict[str, Opened]:
    """Runs of one kind by their keys."""
    return {key: own for key, own in given.runs.items() if own.kind == kind}


def or_left_out(parts: Parts, opened: Opened, read: Callable[[], T]) -> T | None:
    """What a reader finds; None, and a reason among `Parts.left_out`, where it cannot be used."""
    try:
        return read()
    except (DamagedRun, NotUsable) as error:
        parts.left_out.append(left_out(opened.path, error))
        return None


def run_of(key: str, opened: Opened) -> Run:
    """A run as the board lists it, with the hashes of what has been read of it."""
    return Run(
        key=key,
        kind=opened.kind,
        path=str(opened.path),
        status=opened.status,
        files=opened.files,
        facts=facts_of(opened),
    )
