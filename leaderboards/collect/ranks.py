"""Which of a column's figures differ: paired where the run compared them, else by their intervals.

A pair that was compared on the same questions has the paired test's Holm p-value of its run. Every
other pair is taken to be of independent figures: t = difference / sqrt(v_1 + v_2), v the squared
standard errors that the intervals imply, degrees of freedom by Welch and Satterthwaite. Figures on
the same questions vary together, so that this says "different" less often than it might. Holm's
correction goes over all pairs of the column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, holm
from leaderboards.board import Direction

LEVEL = 0.05


@dataclass(frozen=True)
class Uncertain:
    """A figure and its degrees of freedom; None where it has no interval."""

    interval: Interval
    freedom: float | None


def column_ranks(
    figures: Sequence[Uncertain],
    compared: Mapping[tuple[int, int], tuple[float | None, float | None]],
    better: Direction,
) -> tuple[list[tuple[int, int]], list[str]]:
    """Rank ranges and letters.

    Args:
        figures: N of them.
        compared: (i, j), i < j -> p-value and Holm's of the paired test.
        better: the direction; never "neither".
    """
    from leaderboards.ratings import rank_groups

    values = [own.interval.value for own in figures]
    return rank_groups(values, different(figures, compared), better=better)


def different(
    figures: Sequence[Uncertain],
    compared: Mapping[tuple[int, int], tuple[float | None, float | None]],
) -> NDArray[np.bool_]:
    """(N, N) symmetric: whether two figures differ significantly, after Holm."""
    size = len(figures)
    first, second = np.triu_indices(size, 1)
    p = _unpaired(figures, first, second)
    # Pairs in the order of triu_indices: row i begins after those of the rows before it.
    places = {
        pair: pair[0] * size - pair[0] * (pair[0] + 1) // 2 + pair[1] - pair[0] - 1
        for pair in compared
    }
    for pair, (raw, _) in compared.items():
        p[places[pair]] = np.nan if raw is None else raw
    known = ~np.isnan(p)
    adjusted = np.full(len(p), np.nan)
    adjusted[known] = holm(p[known].tolist())
    for pair, (_, theirs) in compared.items():
        adjusted[places[pair]] = np.nan if theirs is None else theirs
    found = np.zeros((size, size), dtype=np.bool_)
    apart = np.nan_to_num(adjusted, nan=1.0) <= LEVEL
    found[first[apart], second[apart]] = True
    return found | found.T


def _unpaired(
    figures: Sequence[Uncertain], first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.float64]:
    """p-values of all pairs; NaN where one of them has no interval."""
    from scipy.special import stdtr, stdtrit

    values = np.array([own.interval.value for own in figures])
    freedom = np.array([np.nan if own.freedom is None else own.freedom for own in figures])
    half = np.array(
        [
            np.nan if low is None or high is None else (high - low) / 2
            for low, high in ((own.interval.low, own.interval.high) for own in figures)
        ]
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        square = (half / stdtrit(freedom, 0.975)) ** 2
        total = square[first] + square[second]
        joint = total**2 / (
            square[first] ** 2 / freedom[first] + square[second] ** 2 / freedom[second]
        )
        t = np.abs(values[first] - values[second]) / np.sqrt(total)
        p = 2 * stdtr(joint, -t)
    return np.where(total > 0, p, np.nan)
