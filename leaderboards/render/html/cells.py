"""A figure as a cell: text, and a dot with its whisker on the column's axis."""

import math
from dataclasses import dataclass

from evaluation.statistics import Interval
from leaderboards.render.html.scale import Scale
from leaderboards.render.html.texts import figure_texts, order
from leaderboards.render.rounding import Places

#: Of the drawing, in pixels; the margin is room for the dot.
WIDTH, MARGIN, MIDDLE = 84.0, 3.0, 6


@dataclass(frozen=True)
class CellView:
    """What the template writes.

    Attributes:
        order: that it sorts by; "" last.
        value, interval: as text.
        whisker: the path from end to end, "" without an interval.
        dot: its abscissa, "" where the value cannot be drawn.
        best: bold; see `leaderboards.render.bold`.
        notes: numbers of footnotes.
        spread: standard deviation over seeds, or "".
    """

    order: str
    value: str
    interval: str
    whisker: str = ""
    dot: str = ""
    best: bool = False
    notes: tuple[int, ...] = ()
    spread: str = ""


EMPTY = CellView("", "–", "")
#: Of a policy in the column of games against it.
ITSELF = CellView("", "–", "the opponent itself")


def cell(
    interval: Interval,
    scale: Scale | None,
    places: Places,
    *,
    best: bool = False,
    notes: tuple[int, ...] = (),
    spread: str = "",
) -> CellView:
    """A figure on the axis of its column."""
    value, ends = figure_texts(interval, places)
    whisker = dot = ""
    if scale is not None and math.isfinite(interval.value):
        dot = pixels(_x(scale, interval.value))
        low, high = interval.low, interval.high
        if low is not None and high is not None and not math.isnan(low + high):
            whisker = f"M{pixels(_x(scale, low))} {MIDDLE}H{pixels(_x(scale, high))}"
    return CellView(order(interval.value), value, ends, whisker, dot, best, notes, spread)


def pixels(x: float) -> str:
    """A coordinate, to a tenth."""
    return f"{x:.1f}".removesuffix(".0")


def _x(scale: Scale, x: float) -> float:
    return MARGIN + scale.place(x) * (WIDTH - 2 * MARGIN)
