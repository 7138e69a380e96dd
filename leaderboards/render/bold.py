"""Which figures of a column are set in bold: all that may be the best, where that says something.

A column has bold figures only if it is ranked, some pair of it differs significantly, and the
figure with the best value is itself among those that nothing is significantly better than.
"""

import math
from collections.abc import Sequence

from leaderboards.board import Column, Direction, Rating, Section

#: What bold says, where there is any.
BOLD = (
    "Bold: may be the best, nothing in the column is significantly better; only in columns where "
    "some pair differs significantly."
)


def bold_policies(section: Section, column: Column) -> frozenset[str]:
    """Names of the entries whose figure in the column is bold."""
    own = [(e.name, e.figures[column.key]) for e in section.entries if column.key in e.figures]
    marked = _bold(
        [figure.interval.value for _, figure in own],
        [figure.rank for _, figure in own],
        column.better,
    )
    return frozenset(name for (name, _), best in zip(own, marked, strict=True) if best)


def bold_places(rating: Rating) -> tuple[bool, ...]:
    """Whether a policy's rating is bold, in the pool's order."""
    ranks = rating.ranks or (None,) * len(rating.values)
    return _bold([own.value for own in rating.values], ranks, rating.better)


def _bold(
    values: Sequence[float], ranks: Sequence[tuple[int, int] | None], better: Direction
) -> tuple[bool, ...]:
    first = tuple(rank is not None and rank[0] == 1 for rank in ranks)
    nobody = (False,) * len(first)
    if better == "neither" or not any(rank is not None and rank[0] > 1 for rank in ranks):
        return nobody
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return nobody
    best = max(known) if better == "higher" else min(known)
    leads = [is_first for value, is_first in zip(values, first, strict=True) if value == best]
    return first if all(leads) else nobody
