"""Axes: where a number lies between two ends, and which ticks stand there."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.statistics import Interval
from leaderboards.render.html.texts import typeset
from simulators.report.figures.scales import FLOOR, bounds, log_ticks

#: A scale is logarithmic where all is positive and spans this ratio.
LOGARITHMIC = 1e3


@dataclass(frozen=True)
class Scale:
    """An axis.

    Attributes:
        low, high: its ends; low < high.
        ticks: places and labels, ascending, within the ends.
        log: whether it is logarithmic; both ends are positive then.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def place(self, x: float) -> float:
        """From 0 at the low end to 1 at the high one; what lies outside is put at the end."""
        low, high = self.low, self.high
        if self.log:
            x, low, high = math.log(max(x, low)), math.log(low), math.log(high)
        return min(max((x - low) / (high - low), 0.0), 1.0)


def linear(numbers: Iterable[float], most: int = 5, *, tight: bool = False) -> Scale | None:
    """An axis with at most about `most` round steps; None where no number is finite.

    Args:
        numbers: to be shown; what is not finite is left out.
        most: steps.
        tight: it ends at the outermost numbers instead of round ones.
    """
    finite = [x for x in numbers if math.isfinite(x)]
    if not finite:
        return None
    low, high = min(finite), max(finite)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-300):
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin
    step = _round_step((high - low) / most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0)
    largest = max(abs(first * step), abs(last * step))
    digits = math.floor(math.log10(largest)) - math.floor(math.log10(step) + 1e-9) + 1
    form = f".{max(digits, 2)}g" if largest < 1e-3 else f".{decimals}f"
    ticks = tuple((k * step, typeset(f"{k * step:{form}}")) for k in range(first, last + 1))
    if tight:
        slack = 1e-9 * (high - low)
        inner = tuple(one for one in ticks if low - slack <= one[0] <= high + slack)
        return Scale(low, high, inner)
    return Scale(first * step, last * step, ticks)


def logarithmic(numbers: Iterable[float], *, tight: bool = False) -> Scale | None:
    """Whole decades around all positive numbers, none below `FLOOR`; tight as in `linear`."""
    positive = np.array([max(x, FLOOR) for x in numbers if x > 0 and math.isfinite(x)])
    if not len(positive):
        return None
    low, high = (positive.min(), positive.max()) if tight else bounds(positive)
    return Scale(low, high, tuple(zip(*log_ticks(low, high), strict=True)), log=True)


def scale_of(intervals: Sequence[Interval], most: int = 10) -> Scale | None:
    """The axis that a column's intervals share: logarithmic where they span decades.

    Args:
        intervals: of the column.
        most: steps, as in `linear`; the more, the closer the ends are to the numbers.
    """
    values = [one.value for one in intervals if math.isfinite(one.value)]
    ends = [x for one in intervals for x in (one.low, one.high) if x is not None]
    if values and min(values) > 0 and max(values) / min(values) >= LOGARITHMIC:
        return logarithmic([*values, *(x for x in ends if x > 0)])
    return linear([*values, *ends], most)


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))
