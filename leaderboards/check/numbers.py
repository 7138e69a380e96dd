"""When two figures are the same."""

import math
from collections.abc import Iterable
from typing import Any

from evaluation.statistics import Interval

#: Relative: sums of the same numbers on another machine may differ by this.
TOLERANCE = 1e-9
#: Absolute, where figures are of the order of one: a few units in the last place. Plots of gaps
#: span many orders of magnitude, so that nothing larger is rounding.
ROUNDING = 1e-15


def same(
    one: float | None, other: float | None, *, exactly: bool = False, scale: float = 1.0
) -> bool:
    """Whether two figures agree; "no number", None or NaN, agrees with itself alone.

    Args:
        one: a figure; whole numbers (of type int) agree only if they are equal.
        other: the other one.
        exactly: rounding is a difference too.
        scale: of the numbers that they were computed from, where that is above 1.
    """
    if _missing(one) or _missing(other):
        return _missing(one) and _missing(other)
    assert one is not None
    assert other is not None
    if one == other:
        return True
    if exactly or isinstance(one, int) or isinstance(other, int):
        return False
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=ROUNDING * max(1.0, scale))


def differences(one: Interval, other: Interval) -> list[str]:
    """``value 0.5 and 0.6``, for each part that differs."""
    scale = scale_of([one.value, one.low, one.high, other.value, other.low, other.high])
    pairs = {
        "value": (one.value, other.value),
        "low": (one.low, other.low),
        "high": (one.high, other.high),
    }
    found = [
        f"{name} {shown(a)} and {shown(b)}"
        for name, (a, b) in pairs.items()
        if not same(a, b, scale=scale)
    ]
    counts = {"n": (one.n, other.n), "clusters": (one.clusters, other.clusters)}
    found += [f"{name} {shown(a)} and {shown(b)}" for name, (a, b) in counts.items() if a != b]
    return found


def scale_of(values: Iterable[Any]) -> float:
    """The largest absolute value of those that are finite numbers; 0 where there are none."""
    numbers = (own for own in values if isinstance(own, int | float))
    return max((abs(own) for own in numbers if math.isfinite(own)), default=0.0)


def shown(value: object) -> str:
    """A figure at full precision."""
    return "nothing" if value is None or value != value else repr(value)


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)
