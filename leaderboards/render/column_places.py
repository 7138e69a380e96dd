"""The decimal places of every column of figures on a board; see `rounding.places`."""

from collections.abc import Sequence

import numpy as np

from evaluation.statistics import Interval
from leaderboards.board import Column, Pool, Rating, Section, Table
from leaderboards.render.rounding import Places, places


def of_columns(section: Section, columns: Sequence[Column]) -> dict[str, Places]:
    """By the columns' keys."""
    return {
        own.key: places(
            (e.figures[own.key].interval for e in section.entries if own.key in e.figures), own.unit
        )
        for own in columns
    }


def of_rating(rating: Rating) -> Places:
    """Of its column in a pool's table."""
    return places(rating.values, rating.unit)


def of_matrix(pool: Pool) -> Places:
    """Of its win rates: all pairs alike."""
    pairs = ~np.eye(len(pool.names), dtype=bool)
    ends = zip(pool.wins[pairs], pool.low[pairs], pool.high[pairs], strict=True)
    return places(Interval(float(win), float(low), float(high), 0, 0) for win, low, high in ends)


def of_table(table: Table) -> tuple[Places, ...]:
    """Of each column of a plain table; its whole numbers stay as they are."""
    return tuple(
        places(alone(cell) for row in table.rows if isinstance(cell := row[place], float))
        for place in range(len(table.header))
    )


def alone(number: float) -> Interval:
    """A number that has no interval."""
    return Interval(number, None, None, 0, 0)
