"""Ours minus theirs."""

import math

from evaluation.statistics import Interval
from evaluation.statistics.inputs import t_quantile
from leaderboards.paper.printed import Printed


def difference(ours: Interval, theirs: Printed) -> tuple[float, float | None, float | None]:
    """Ours minus the printed value, and a 95 % interval of it where ours has one.

    The squares of the distances to the nearer ends are added (Zou and Donner 2008). A paper that
    prints no spread adds nothing: the interval is ours, and too narrow by all that theirs is off.

    Raises:
        ValueError: nothing is printed that could be subtracted.
    """
    printed = theirs.number
    if printed is None:
        raise ValueError(f"'{theirs.value}' is no number")
    gap = ours.value - printed
    if ours.low is None or ours.high is None:
        return gap, None, None
    half = half_width(theirs)
    return (
        gap,
        gap - math.hypot(ours.value - ours.low, half),
        gap + math.hypot(ours.high - ours.value, half),
    )


def half_width(theirs: Printed) -> float:
    """Half the 95 % interval that a printed standard deviation over runs gives the mean; else 0."""
    if not theirs.spread or theirs.seeds < 2:
        return 0.0
    error = float(theirs.spread) / math.sqrt(theirs.seeds)
    return t_quantile(0.975, theirs.seeds - 1) * error
