"""Figures that cannot be: a win rate above 100 %, an interval far beyond every possible value."""

from evaluation.statistics import Interval
from leaderboards.collect.metrics import family_of, metric_of

#: A value may leave its range by rounding.
_ROUNDING = 1e-9
#: Whose grades may lie outside the scale, since the official reading takes any number for one.
_OPEN = frozenset({"mt-bench"})
_OFFICIAL = "official/"


def require_possible(
    benchmark: str, metric: str, interval: Interval, *, probability: bool = False
) -> None:
    """Refuse a figure outside the range of its metric.

    The ends of official intervals may leave it by its width: some programs give a value plus and
    minus multiples of its standard error.

    Args:
        benchmark: that measured it.
        metric: what it is.
        interval: the figure.
        probability: it is in [0, 1], where others are in percent.

    Raises:
        ValueError: it is; the message begins with the metric.
    """
    bounds = metric_of(benchmark, metric, probability=probability).bounds
    if bounds is None or family_of(benchmark) in _OPEN:
        return
    low, high = bounds
    width = high - low
    room = width if metric.startswith(_OFFICIAL) else 0.0
    for what, value, beyond in (
        ("", interval.value, 0.0),
        ("the interval of ", interval.low, room),
        ("the interval of ", interval.high, room),
    ):
        slack = beyond + _ROUNDING * max(1.0, min(width, 100.0))
        if value is not None and not low - slack <= value <= high + slack:
            said = f"between {low:g} and {high:g}" if high < float("inf") else f"at least {low:g}"
            raise ValueError(f"{what}{metric} must be {said}, got {value:g}")
