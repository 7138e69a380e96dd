"""The order of methods there and here: all that can be compared where scores cannot."""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise

from leaderboards.board import Cell, Table
from leaderboards.paper.beside import where
from leaderboards.paper.pairs import Pair
from leaderboards.paper.printed import Paper

HEADER = (
    "where",
    "measure",
    "methods",
    "their order",
    "our order",
    "Kendall's tau",
    "pairs told apart here",
    "of these, as there",
    "what differs",
)
#: Fewer methods have no order worth a number.
FEWEST = 3


def orders(paper: Paper, pairs: Sequence[Pair]) -> Table | None:
    """One row for each column of the paper and each of ours of the same benchmark and metric.

    A method counts if it has one row on each side: which of several is meant, nobody says. None
    where no column has enough methods.
    """
    groups: dict[tuple[str, str, str, str], list[Pair]] = {}
    for pair in pairs:
        if pair.ours.column.better == "neither":
            continue
        at = (pair.theirs.table, pair.theirs.column)
        here = (pair.ours.section.title, pair.ours.column.key)
        groups.setdefault((*at, *here), []).append(pair)
    rows = [row for group in groups.values() if (row := _row(group)) is not None]
    if not rows:
        return None
    return Table(
        title=f"Order of methods: {paper.title} ({paper.source})",
        header=HEADER,
        rows=tuple(rows),
        notes=(
            "An order is not a score: benchmark and metric are the same, and whatever else differs "
            "may have made the order.",
            "Kendall's tau-b: 1 the same order, -1 the reverse, 0 no relation; of so few methods "
            "it says little. Told apart: significantly different here, of all pairs tested here.",
        ),
    )


def _row(group: Sequence[Pair]) -> tuple[Cell, ...] | None:
    kept, several = _single(group)
    if len(kept) < FEWEST:
        return None
    sign = -1.0 if kept[0].ours.column.better == "lower" else 1.0
    theirs = [sign * (pair.theirs.number or 0.0) for pair in kept]
    ours = [sign * pair.ours.figure.interval.value for pair in kept]
    tested = [
        (i, j)
        for i, j in combinations(range(len(kept)), 2)
        if kept[i].ours.figure.letters and kept[j].ours.figure.letters
    ]
    told = [
        _sign(theirs[i] - theirs[j]) == _sign(ours[i] - ours[j])
        for i, j in tested
        if not set(kept[i].ours.figure.letters) & set(kept[j].ours.figure.letters)
    ]
    tau = kendall_tau(theirs, ours)
    names = [pair.theirs.row for pair in kept]
    differs = list(dict.fromkeys(line for pair in kept for line in pair.differs))
    if several:
        differs.append(f"left out, with several rows: {', '.join(several)}")
    column = kept[0].theirs
    return (
        where(column.table),
        column.column,
        len(kept),
        _order(names, theirs),
        _order(names, ours),
        None if tau is None else f"{tau:+.2f}",
        f"{len(told)} of {len(tested)}" if tested else "not tested",
        sum(told) if tested else None,
        "; ".join(differs) or "nothing that is known",
    )


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's tau-b; None where one side is all equal."""
    signs = [
        (_sign(first[i] - first[j]), _sign(second[i] - second[j]))
        for i, j in combinations(range(len(first)), 2)
    ]
    untied = sum(a != 0 for a, _ in signs) * sum(b != 0 for _, b in signs)
    return sum(a * b for a, b in signs) / math.sqrt(untied) if untied else None


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _single(group: Sequence[Pair]) -> tuple[list[Pair], list[str]]:
    """Pairs whose printed row and whose entry come once, and the names of methods that do not."""
    kept: list[Pair] = []
    several: dict[str, None] = {}
    for pair in group:
        alike = [p for p in group if p.ours.method == pair.ours.method]
        if len(alike) == 1:
            kept.append(pair)
        else:
            several[pair.ours.method] = None
    return kept, list(several)


def _order(names: Sequence[str], values: Sequence[float]) -> str:
    """Best first; what is equal is joined by "="."""
    places = sorted(range(len(names)), key=lambda i: -values[i])
    text = names[places[0]]
    for before, i in pairwise(places):
        text += f" {'=' if values[i] == values[before] else '>'} {names[i]}"
    return text
