"""When two figures are the same."""

import math

from evaluation.statistics import Interval

#: Relative and absolute: sums of the same numbers on another machine may differ by this.
TOLERANCE = 1e-9


def same(one: float | None, other: float | None, *, exactly: bool = False) -> bool:
    """Whether two figures agree; "no number", None or NaN, agrees with itself alone."""
    if _missing(one) or _missing(other):
        return _missing(one) and _missing(other)
    assert one is not None
    assert other is not None
    if one == other:
        return True
    return not exactly and math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def differences(one: Interval, other: Interval) -> list[str]:
    """``value 0.5 and 0.6``, for each part that differs."""
    pairs = {
        "value": (one.value, other.value),
        "low": (one.low, other.low),
        "high": (one.high, other.high),
        "n": (one.n, other.n),
        "clusters": (one.clusters, other.clusters),
    }
    return [f"{name} {shown(a)} and {shown(b)}" for name, (a, b) in pairs.items() if not same(a, b)]


def shown(value: object) -> str:
    """A figure at full precision."""
    return "nothing" if value is None or value != value else repr(value)


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)
