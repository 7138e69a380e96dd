"""How many digits a figure is written with: as many as its interval leaves room for."""

import math

from evaluation.statistics import Interval

#: Significant digits: of an interval's half width, and of a figure without an interval.
OF_WIDTH, WITHOUT = 2, 4
MOST_DECIMALS = 6
_SMALL = 1e-3


def rounded(interval: Interval) -> tuple[str, str, str]:
    """Value and both ends as text, all to the same decimal place.

    The place is that of the second significant digit of the interval's half width, and never
    left of the point: 13.0869 in [8.8693, 18.8943] is 13.1 in [8.9, 18.9]. A figure without an
    interval has four significant digits and no trailing zeros. Where all three are below a
    thousandth they are written with an exponent.

    Args:
        interval: any of its numbers may be NaN or infinite.

    Returns:
        Value, low, high; "" where there is none (None or NaN), "inf" or "-inf". ASCII: a renderer
        puts its own minus sign, infinity and mark for what is missing.
    """
    numbers = [_number(x) for x in (interval.value, interval.low, interval.high)]
    finite = [abs(x) for x in numbers if x is not None and math.isfinite(x)]
    width = _half_width(*numbers)
    small = bool(finite) and 0 < max(finite) < _SMALL
    value, low, high = (_written(x, width, small) for x in numbers)
    return value, low, high


def _number(x: float | None) -> float | None:
    return None if x is None or math.isnan(x) else float(x)


def _half_width(value: float | None, low: float | None, high: float | None) -> float:
    """0 where nothing says how wide it is."""
    if low is not None and high is not None:
        width = (high - low) / 2
    elif value is not None and (low is not None or high is not None):
        width = abs(value - (high if low is None else low))  # type: ignore[operator]
    else:
        return 0.0
    return width if math.isfinite(width) else 0.0


def _written(x: float | None, width: float, small: bool) -> str:
    if x is None:
        return ""
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if small:
        return _scientific(x, width) if x else "0"
    if width <= 0:
        return _plain(x)
    decimals = min(max(OF_WIDTH - 1 - _exponent(width), 0), MOST_DECIMALS)
    return _positive_zero(f"{x:.{decimals}f}")


def _scientific(x: float, width: float) -> str:
    digits = OF_WIDTH - 1 + _exponent(x) - _exponent(width) if width > 0 else 1
    return f"{x:.{min(max(digits, 0), 3)}e}"


def _plain(x: float) -> str:
    """Four significant digits; whole numbers as they are, without an exponent."""
    decimals = min(max(WITHOUT - 1 - _exponent(x), 0), MOST_DECIMALS) if x else 0
    text = f"{x:.{decimals}f}"
    return _positive_zero(text.rstrip("0").rstrip(".") if "." in text else text)


def _exponent(x: float) -> int:
    return math.floor(math.log10(abs(x)))


def _positive_zero(text: str) -> str:
    return text.removeprefix("-") if not text.strip("-0.") else text
