"""Log axes: ticks, thinning, and labels beside the curves' ends."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.report.figures.palette import GRID, INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

FLOOR = 1e-16
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: int) -> str:
    """``10⁻⁸``; between a hundredth and a thousand the plain number."""
    if -2 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def log_ticks(low: float, high: float, most: int = 6) -> tuple[list[float], list[str]]:
    """Places and labels of ticks between two positive numbers.

    Whole powers of ten at an even stride; within less than two decades also 2 and 5 times them.
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if math.log10(high / low) < 2:
        candidates = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1.0, 2.0, 5.0)]
        places = [x for x in candidates if low * (1 - 1e-9) <= x <= high * (1 + 1e-9)]
        if len(places) >= 2:
            return places, [f"{x:g}" for x in places]
    stride = max(1, math.ceil((last - first + 1) / most))
    exponents = list(range(last, first - 1, -stride))[::-1]
    return [10.0**e for e in exponents], [power_of_ten(e) for e in exponents]


def bounds(values: Array) -> tuple[float, float]:
    """Whole decades around positive values, at least one of them."""
    low = math.floor(math.log10(values.min()) + 1e-9)
    high = math.ceil(math.log10(values.max()) - 1e-9)
    return 10.0**low, 10.0 ** max(high, low + 1)


def log_axes(axes: "Axes", x: tuple[float, float], y: tuple[float, float], x_title: str) -> None:
    """Make both axes logarithmic, with a light grid and few ticks."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    frame(axes, log_ticks(*x), log_ticks(*y), x_title)


def frame(
    axes: "Axes",
    x_ticks: tuple[Sequence[float], Sequence[str]],
    y_ticks: tuple[Sequence[float], Sequence[str]],
    x_title: str,
) -> None:
    """Given ticks instead of searched ones: ten times as fast to draw."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    for axis, (places, labels) in ((axes.xaxis, x_ticks), (axes.yaxis, y_ticks)):
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(FixedLocator(list(places)))
        axis.set_major_formatter(FixedFormatter(list(labels)))
        axis.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=4, labelcolor=MUTED)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.spines["bottom"].set_linewidth(0.8)
    axes.set_xlabel(x_title, color=MUTED, labelpad=3)


def thinned(iterations: NDArray[np.intp], values: Array, points: int = 400) -> NDArray[np.intp]:
    """Indices of at most ``points`` samples that keep the envelope of the curve.

    Of each interval (of equal length on the log axis) the smallest and the largest value stay,
    so that a fast oscillation is drawn at its full height instead of at its beat.
    """
    size = len(iterations)
    if size <= points:
        return np.arange(size)
    places = np.log1p(np.asarray(iterations, dtype=np.float64))
    edges = np.linspace(places[0], places[-1], points // 2)
    cuts = np.unique(np.searchsorted(places, edges[:-1]))
    kept = {size - 1}
    for start, stop in zip(cuts, [*cuts[1:], size], strict=True):
        part = values[start:stop]
        kept.update((int(start + part.argmin()), int(start + part.argmax())))
    return np.array(sorted(kept))


def end_labels(axes: "Axes", ends: Sequence[tuple[str, str, float]], height: float) -> None:
    """Names beside the right ends of curves, moved apart where they would overlap.

    Args:
        axes: with its limits set.
        ends: (name, colour, place of the end as a fraction of the axis).
        height: of the axis in points.
    """
    ordered = sorted(ends, key=lambda end: end[2])
    size = min(9.0, 0.95 * height / max(len(ordered), 1))
    places = spread([place for _, _, place in ordered], (size + 1.2) / height)
    for (name, color, place), target in zip(ordered, places, strict=True):
        axes.plot(
            [1.005, 1.045],
            [place, target],
            transform=axes.transAxes,
            color=color,
            linewidth=0.8,
            clip_on=False,
        )
        axes.text(
            1.055,
            target,
            name,
            transform=axes.transAxes,
            color=INK,
            fontsize=size,
            verticalalignment="center_baseline",
        )


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Ascending places moved as little as needed to lie ``gap`` apart, within [0, 1] if possible.

    Neighbours that are too close form a block around their mean; blocks that meet merge.
    """
    blocks: list[tuple[float, int]] = []  # (mean of the members' own centre, members)
    for place in places:
        centre, members = place, 1
        while blocks and _top(blocks[-1], gap) + gap > _bottom((centre, members), gap) + 1e-12:
            other, count = blocks.pop()
            centre = (centre * members + other * count) / (members + count)
            members += count
            half = (members - 1) * gap / 2
            centre = min(max(centre, half), max(1 - half, half))
        blocks.append((centre, members))
    return [
        centre + (i - (members - 1) / 2) * gap for centre, members in blocks for i in range(members)
    ]


def _top(block: tuple[float, int], gap: float) -> float:
    return block[0] + (block[1] - 1) * gap / 2


def _bottom(block: tuple[float, int], gap: float) -> float:
    return block[0] - (block[1] - 1) * gap / 2
