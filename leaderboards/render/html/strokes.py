"""The axes of a plot, and curves on them as paths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboards.board import Array, Curve
from leaderboards.render.html.cells import pixels
from leaderboards.render.html.scale import LOGARITHMIC, Scale, linear, logarithmic
from simulators.report.figures.scales import FLOOR

LEFT, RIGHT, TOP, BOTTOM = 52, 340, 12, 240
#: Largest value over the median one, beyond which most curves would lie on a linear axis's floor.
OUTLYING = 20.0
Point = tuple[str, str]


@dataclass(frozen=True)
class Axes:
    """Both axes of a plot; `log` is what the plot asks for, whatever the ordinate's numbers."""

    across: Scale
    up: Scale
    log: bool

    def x(self, x: float) -> float:
        """Its abscissa, in pixels."""
        return LEFT + self.across.place(x) * (RIGHT - LEFT)

    def y(self, y: float) -> float:
        """Its ordinate, in pixels from the top."""
        return math.nan if math.isnan(y) else BOTTOM - self.up.place(y) * (BOTTOM - TOP)


def lower_edge(curves: Sequence[Curve]) -> float | None:
    """Where the ordinate begins if it must be logarithmic for most of the curves to be seen.

    It must where nothing is negative and the largest value is more than `OUTLYING` times the
    median of the positive ones. It begins at the power of ten three decades below that median.
    """
    y = np.concatenate([curve.y[known(curve, log=False)] for curve in curves] or [np.empty(0)])
    positive = y[y > 0]
    if not len(positive) or (y < 0).any():
        return None
    median = float(np.median(positive))
    if positive.max() <= OUTLYING * median:
        return None
    edge = float(10.0 ** (math.floor(math.log10(median)) - 3))
    return edge if edge >= FLOOR else None


def axes_of(curves: Sequence[Curve], log: bool, edge: float | None = None) -> Axes | None:
    """Axes that hold all curves and their bands; None where there is nothing to draw.

    Args:
        curves: to be drawn.
        log: logarithmic ordinate; the abscissa too, where that is wide.
        edge: where a logarithmic ordinate begins that the plot did not ask for.
    """
    if not curves:
        return None
    kept = [known(curve, log) for curve in curves]
    x = _ends(np.concatenate([curve.x[k] for curve, k in zip(curves, kept, strict=True)]))
    parts = [curve.y[k] for curve, k in zip(curves, kept, strict=True)]
    parts += [end for c in curves for end in (c.low, c.high) if end is not None]
    y = np.concatenate(parts)
    wide = log and x[0] > 0 and x[1] / x[0] >= LOGARITHMIC / 10
    across = logarithmic(x, tight=True) if wide else linear(x, tight=True)
    if edge is not None:
        up = logarithmic([edge, *_ends(y)[1:]], tight=True)
    else:
        up = _decades(y) if log else linear(_ends(y))
    return None if across is None or up is None else Axes(across, up, log)


def known(curve: Curve, log: bool) -> NDArray[np.bool_]:
    """(P,) where there is something to draw; a logarithmic axis draws zeros at its edge."""
    finite = np.isfinite(curve.x) & np.isfinite(curve.y)
    return finite & (curve.y >= 0) if log else finite


def chosen(curve: Curve, axes: Axes, most: int) -> NDArray[np.intp]:
    """Indices of about `most` points that are drawn: where there are many, their envelope.

    Of each stretch the smallest and the largest value stay, so that no peak is lost; stretches
    are equally long on the axis, or have equally many points where it is linear.
    """
    if len(curve.x) <= most:
        return np.arange(len(curve.x), dtype=np.intp)
    there = np.flatnonzero(known(curve, axes.log)).astype(np.intp)
    y = curve.y[there]
    rising = bool((np.diff(curve.x[there]) >= 0).all())
    place = np.arange(float(len(there)))
    if axes.across.log and rising:
        place = np.log(curve.x[there])
    edges = np.linspace(place[0], place[-1], max(most // 2, 2))
    cuts = np.unique(np.searchsorted(place, edges[:-1]))
    kept = {0, len(there) - 1}
    for start, stop in zip(cuts, [*cuts[1:], len(there)], strict=True):
        kept.update((int(start + y[start:stop].argmin()), int(start + y[start:stop].argmax())))
    return there[np.array(sorted(kept), dtype=np.intp)]


def points(curve: Curve, axes: Axes, at: NDArray[np.intp]) -> list[Point | None]:
    """Coordinates; None where a point is missing."""
    there = known(curve, axes.log)[at]
    return [
        (pixels(axes.x(x)), pixels(axes.y(y))) if one else None
        for x, y, one in zip(curve.x[at].tolist(), curve.y[at].tolist(), there, strict=True)
    ]


def path(line: Sequence[Point | None]) -> str:
    """Broken where a point is missing."""
    parts, pen = [], "M"
    for point in line:
        if point is None:
            pen = "M"
            continue
        parts.append(f"{pen}{point[0]} {point[1]}")
        pen = "L"
    return "".join(parts)


def alone(line: Sequence[Point | None]) -> tuple[Point, ...]:
    """Points that no line reaches."""
    around = [None, *line, None]
    return tuple(
        point
        for before, point, after in zip(around, around[1:], around[2:], strict=False)
        if point is not None and before is None and after is None
    )


def band(curve: Curve, axes: Axes, at: NDArray[np.intp]) -> str:
    """The area between the curve's ends; "" where it has none."""
    if curve.low is None or curve.high is None:
        return ""
    x, low, high = curve.x[at], curve.low[at], curve.high[at]
    there = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    if there.sum() < 2:
        return ""
    upper = list(zip(x[there].tolist(), high[there].tolist(), strict=True))
    lower = list(zip(x[there].tolist(), low[there].tolist(), strict=True))
    corners = [f"{pixels(axes.x(a))} {pixels(axes.y(b))}" for a, b in upper + lower[::-1]]
    return f"M{'L'.join(corners)}z"


def _decades(y: Array) -> Scale | None:
    """With a decade below all positive numbers where there are zeros: they are drawn there."""
    positive = _ends(y[y > 0]) or [FLOOR]
    return logarithmic([*positive, max(positive[0] / 10, FLOOR)] if (y == 0).any() else positive)


def _ends(values: Array) -> list[float]:
    """The smallest and the largest finite number; none of no number."""
    finite = values[np.isfinite(values)]
    return [float(finite.min()), float(finite.max())] if len(finite) else []
