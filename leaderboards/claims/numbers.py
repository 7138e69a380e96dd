"""How claims write numbers: as boards do, and what is rounding to a computer is told as such."""

from evaluation.statistics import Interval
from leaderboards.claims.claim import Detail
from leaderboards.render.rounding import rounded

#: What is below is rounding, and differs from machine to machine.
ROUNDING = 1e-12


def shown_number(number: Interval) -> str:
    """A value, with its interval and what it was taken over: ``0.063 [0.056, 0.070] (n = 128)``.

    Digits are those of `leaderboards.render.rounding`: as many as the interval leaves room for,
    four significant ones without one.
    """
    if number.low is None or number.high is None:
        return shown_value(number.value)
    if 0 < max(abs(number.low), abs(number.high)) < ROUNDING:
        return f"< 1e-12 (n = {number.n})"
    value, low, high = rounded(number)
    return f"{value or 'none'} [{low}, {high}] (n = {number.n})"


def shown_value(value: float) -> str:
    """A number without an interval."""
    if 0 < abs(value) < ROUNDING:
        return "< 1e-12"
    return rounded(Interval(value, None, None, 1, 1))[0] or "none"


def shown_detail(detail: Detail) -> str | None:
    """A further number; None for a text, whose markup is the caller's matter."""
    if isinstance(detail, Interval):
        # Beside the finding's own number it would be read n times.
        return shown_number(detail).partition(" (n =")[0]
    return shown_value(detail) if isinstance(detail, float) else None
