"""Ours, theirs and the difference, side by side."""

from collections.abc import Sequence

from leaderboards.board import Cell, Source, Table
from leaderboards.paper.agreement import remarks
from leaderboards.paper.pairs import Pair
from leaderboards.paper.printed import Paper
from leaderboards.paper.subtract import difference

HEADER = (
    "where",
    "measure",
    "theirs: row",
    "ours: row",
    "ours",
    "95 % interval",
    "theirs",
    "sd",
    "ours - theirs",
    "its 95 % interval",
    "what differs",
    "also",
)


def side_by_side(paper: Paper, pairs: Sequence[Pair]) -> Table:
    """One row for each pair; a difference only where nothing bars it."""
    sources: dict[Source, None] = {}
    for pair in pairs:
        sources.update(dict.fromkeys(pair.ours.figure.sources))
    agreeing = sum(not pair.differs for pair in pairs)
    notes = [
        f"{agreeing} of {len(pairs)} pairs agree in benchmark, judge and base model; the others "
        "have no difference, because it would be one of other things too.",
        "Theirs: as printed. Where no standard deviation is printed the difference has our "
        "interval alone, which is too narrow by all that theirs may be off.",
    ]
    return Table(
        title=f"Beside the paper: {paper.title} ({paper.source})",
        header=HEADER,
        rows=tuple(_row(pair) for pair in pairs),
        notes=(*notes, *paper.notes),
        sources=tuple(sources),
    )


def _row(pair: Pair) -> tuple[Cell, ...]:
    theirs, ours = pair.theirs, pair.ours
    interval, digits = ours.figure.interval, max(theirs.decimals, 1)
    gap = low = high = None
    if not pair.differs:
        gap, low, high = difference(interval, theirs)
    return (
        where(theirs.table),
        theirs.column,
        theirs.row,
        ours.entry.name,
        f"{interval.value:.{digits}f}",
        _ends(interval.low, interval.high, digits),
        theirs.value,
        theirs.spread or None,
        None if gap is None else _signed(gap, digits),
        _ends(low, high, digits),
        "; ".join(pair.differs) or "nothing that is known",
        "; ".join(remarks(theirs, ours)) or None,
    )


def where(table: str) -> str:
    """A table's number with its word."""
    return table if table[:1].isalpha() else f"Table {table}"


def _signed(x: float, digits: int) -> str:
    text = f"{x:+.{digits}f}"
    return text if float(text) else text[1:]


def _ends(low: float | None, high: float | None, digits: int) -> str | None:
    if low is None or high is None:
        return None
    return f"{low:.{digits}f} to {high:.{digits}f}"
