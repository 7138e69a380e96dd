"""What a published board says, before it is ranked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluation.statistics import Interval
from leaderboards.board import Column

#: Standard errors from the middle to the end of a normal interval of 95 and of 90 %.
Z95, Z90 = 1.959963984540054, 1.6448536269514722
#: Where a board does not name its judge.
NOT_STATED = "not stated in the file"


@dataclass(frozen=True)
class Cell:
    """One figure.

    Attributes:
        interval: as published; `n` is 0 where the file does not say how many questions.
        row: of the file, from 1.
        error: the standard error that is published or that the interval implies; None where there
            is none.
        flags: what does not fit, one line each.
    """

    interval: Interval
    row: int
    error: float | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfficialColumn:
    """A column and its figures, by model, in the file's order."""

    column: Column
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Official:
    """A board as published.

    Attributes:
        title: above it.
        benchmark: name and version; "" where the file does not say.
        judge: whose verdicts.
        columns: the first one sorts.
        rows: of the file.
        notes: one line each.
    """

    title: str
    benchmark: str
    judge: str
    columns: tuple[OfficialColumn, ...]
    rows: int
    notes: tuple[str, ...] = field(default=())


def plain(value: float, n: int = 0) -> Interval:
    """A figure without an interval."""
    return Interval(value, None, None, n, n)


def outside(value: float, low: float, high: float) -> tuple[str, ...]:
    """A flag where a figure is not within its own interval."""
    if low <= value <= high:
        return ()
    return (f"{value:g} is outside its own published interval, {low:g} to {high:g}",)
