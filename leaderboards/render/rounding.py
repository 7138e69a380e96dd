"""How many digits figures are written with: as many as their intervals leave room for."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, median_high

from evaluation.statistics import Interval

#: Significant digits: of an interval's half width, and of a figure without an interval.
OF_WIDTH, WITHOUT = 2, 4
MOST_DECIMALS = 6
_SMALL = 1e-3
#: Ratings in these are written without decimals where their intervals are wider than that.
_ELO, _WIDE = "Elo points", 5.0


@dataclass(frozen=True)
class Places:
    """How the figures of one column are written.

    Attributes:
        decimals: behind the point, for all of them.
        small: all are below a thousandth: written with exponents.
        signed: some are negative.
        decades: all are positive and span three: what is small is told apart by exponents.
    """

    decimals: int
    small: bool = False
    signed: bool = False
    decades: bool = False

    def written(self, interval: Interval) -> tuple[str, str, str]:
        """Value and both ends as text.

        What would round to zero is not written as zero: ``<0.01``, or, where the interval is as
        small and leaves out zero, or the column spans decades, with an exponent. Zero itself is
        ``0``. Where a column has negative figures, both are ``0.00``.

        Args:
            interval: any of its numbers may be NaN or infinite.

        Returns:
            Value, low, high; "" where there is none (None or NaN), "inf" or "-inf". ASCII: a
            renderer puts its own minus sign, infinity and mark for what is missing.
        """
        numbers = _numbers(interval)
        finite = [x for x in numbers if x is not None and math.isfinite(x)]
        least = min(_SMALL, 0.5 * 10.0**-self.decimals)
        tiny = min(finite, default=0.0) > 0 and max(finite) < least
        if self.decades and numbers[0] is not None:
            tiny = numbers[0] < least
        width = _half_width(numbers)
        if self.small or tiny:
            value, low, high = (_with_exponent(x, width) for x in numbers)
        else:
            value, low, high = map(self._plain, numbers)
        return value, low, high

    def _plain(self, x: float | None) -> str:
        if x is None or math.isinf(x):
            return _no_number(x)
        text = f"{x:.{self.decimals}f}"
        if text.strip("-0."):
            return text
        if self.signed:
            return text.removeprefix("-")
        return f"<{10.0**-self.decimals:.{self.decimals}f}" if x else "0"


def places(intervals: Iterable[Interval], unit: str = "") -> Places:
    """One number of decimal places for a whole column.

    It is that of the second significant digit of the intervals' median half width, and never left
    of the point: 13.0869 in [8.8693, 18.8943] is 13.1 in [8.9, 18.9]. Figures without intervals
    have four significant digits, counted at their median, and no decimals that all of them could
    do without. Figures so small that they need an exponent have no say where others do not.

    Args:
        intervals: of the column.
        unit: of the column; Elo points have no decimals where the half width is above 5.
    """
    columns = [_numbers(own) for own in intervals]
    every = [x for numbers in columns for x in numbers if x is not None and math.isfinite(x)]
    largest = max(map(abs, every), default=0.0)
    small, signed = 0 < largest < _SMALL, any(x < 0 for x in every)
    values = [x for x, _, _ in columns if x is not None and math.isfinite(x)]
    decades = bool(values) and 0 < min(values) <= _SMALL * max(values)
    counted = [own for own in columns if small or _largest(own) >= _SMALL]
    widths = [width for own in counted if (width := _half_width(own)) > 0]
    if not widths:
        return Places(_without([own[0] for own in counted]), small, signed, decades)
    width = median_high(widths)
    decimals = min(max(OF_WIDTH - 1 - _exponent(width), 0), MOST_DECIMALS)
    if unit == _ELO and width > _WIDE:
        decimals = 0
    return Places(decimals, small, signed, decades)


def rounded(interval: Interval) -> tuple[str, str, str]:
    """Value and both ends of a figure that stands alone; see `Places.written`."""
    return places([interval]).written(interval)


def _numbers(interval: Interval) -> tuple[float | None, float | None, float | None]:
    return _number(interval.value), _number(interval.low), _number(interval.high)


def _number(x: float | None) -> float | None:
    return None if x is None or math.isnan(x) else float(x)


def _largest(numbers: Sequence[float | None]) -> float:
    return max((abs(x) for x in numbers if x is not None and math.isfinite(x)), default=0.0)


def _half_width(numbers: tuple[float | None, float | None, float | None]) -> float:
    """0 where nothing says how wide it is."""
    value, *ends = numbers
    known = [end for end in ends if end is not None]
    if len(known) == 2:
        width = (known[1] - known[0]) / 2
    elif value is not None and known:
        width = abs(value - known[0])
    else:
        return 0.0
    return width if math.isfinite(width) else 0.0


def _without(values: Sequence[float | None]) -> int:
    """Decimals of a column that has no intervals."""
    found = [abs(x) for x in values if x is not None and math.isfinite(x) and x]
    if not found:
        return 0
    most = min(max(WITHOUT - 1 - _exponent(median(found)), 0), MOST_DECIMALS)
    texts = (f"{x:.{most}f}".rstrip("0") for x in found)
    return max(len(text.partition(".")[2]) for text in texts)


def _with_exponent(x: float | None, width: float) -> str:
    if x is None or math.isinf(x):
        return _no_number(x)
    if not x:
        return "0"
    digits = OF_WIDTH - 1 + _exponent(x) - _exponent(width) if width > 0 else 1
    return f"{x:.{min(max(digits, 0), 3)}e}"


def _no_number(x: float | None) -> str:
    return "" if x is None else "inf" if x > 0 else "-inf"


def _exponent(x: float) -> int:
    return math.floor(math.log10(abs(x)))
