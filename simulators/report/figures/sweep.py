"""Final gap against each swept parameter."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulators.report.content import ReportContent
from simulators.report.figures.inline import Picture, canvas, to_svg
from simulators.report.figures.palette import Cast
from simulators.report.figures.scales import (
    FLOOR,
    bounds,
    end_labels,
    frame,
    log_axes,
    log_ticks,
)
from simulators.report.formats import setting, shortened
from simulators.report.groups import identity

WIDTH, HEIGHT = 360.0, 235.0
_BOX = (0.09, 0.15, 0.665, 0.81)
MAX_PLACES = 80  # more values of an axis are drawn in so many intervals
METRICS = (
    ("gap_last", "Final gap"),
    ("regularized_gap_last", "Final regularised gap"),
)


@dataclass(frozen=True)
class Axis:
    """One swept parameter: its values in order and where they are drawn.

    Attributes:
        name: of the column.
        values: distinct values.
        places: on the axis; the values themselves, or 0, 1, ... for anything but numbers.
        logarithmic: whether positive numbers span more than a decade.
    """

    name: str
    values: tuple[Any, ...]
    places: tuple[float, ...]
    logarithmic: bool

    def bins(self) -> dict[Any, float]:
        """The place each value is drawn at: its own, or of many the middle of its bin."""
        places = np.array(self.places)
        if len(places) > MAX_PLACES:
            scaled = np.log(places) if self.logarithmic else places
            edges = np.linspace(scaled[0], scaled[-1], MAX_PLACES + 1)
            number = np.clip(np.searchsorted(edges, scaled, "right") - 1, 0, MAX_PLACES - 1)
            middles = (edges[:-1] + edges[1:]) / 2
            places = np.exp(middles[number]) if self.logarithmic else middles[number]
        return dict(zip(self.values, (float(place) for place in places), strict=True))


@dataclass
class Spread:
    """The final gaps of one algorithm, by place on the axis; those that do not read it."""

    at: dict[float, list[float]] = field(default_factory=dict)
    unread: list[float] = field(default_factory=list)


def sweep_pictures(content: ReportContent, series: Cast) -> list[Picture]:
    """A panel for each swept axis and each gap; call within `drawing`."""
    pictures = []
    for name in content.swept:
        axis = _axis(name, [row.get(name) for row in content.rows])
        if axis is None:
            continue
        for metric, title in METRICS:
            spreads = _spreads(content.rows, axis, metric)
            if any(spread.at for spread in spreads.values()):
                others = [other for other in content.swept if other != name]
                pictures.append(_draw(axis, metric, title, spreads, others, series))
    return pictures


def _axis(name: str, given: Sequence[Any]) -> Axis | None:
    values = list(dict.fromkeys(v for v in map(identity, given) if v is not None))
    if len(values) < 2:
        return None
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        numbers = sorted(values)  # type: ignore[type-var]
        places = tuple(float(v) for v in numbers)  # type: ignore[arg-type]
        logarithmic = places[0] > 0 and places[-1] / places[0] > 10
        return Axis(name, tuple(numbers), places, logarithmic)
    return Axis(name, tuple(values), tuple(float(i) for i in range(len(values))), False)


def _spreads(rows: Sequence[Any], axis: Axis, metric: str) -> dict[str, Spread]:
    spreads: dict[str, Spread] = {}
    place = axis.bins()
    for row in rows:
        value = row.get(metric)
        if value is None or not math.isfinite(value):
            continue
        spread = spreads.setdefault(str(row["algorithm"]), Spread())
        key = identity(row.get(axis.name))
        (spread.unread if key is None else spread.at.setdefault(place[key], [])).append(
            max(float(value), FLOOR)
        )
    return spreads


def _draw(
    axis: Axis,
    metric: str,
    title: str,
    spreads: dict[str, Spread],
    others: Sequence[str],
    series: Cast,
) -> Picture:
    figure, axes = canvas(WIDTH, HEIGHT)
    axes.set_position(_BOX)
    everything = np.concatenate(
        [
            np.concatenate([*map(np.asarray, s.at.values()), np.asarray(s.unread)])
            for s in spreads.values()
        ]
    )
    limits = bounds(everything)
    _scale(axes, axis, limits)
    low, high = np.log10(limits)
    ends = []
    flat = []
    for name, spread in spreads.items():
        style = series.style(name)
        if spread.at:
            x = sorted(spread.at)
            middle = np.array([np.median(spread.at[place]) for place in x])
            least = np.array([min(spread.at[place]) for place in x])
            most = np.array([max(spread.at[place]) for place in x])
            if (most > least).any():
                axes.fill_between(x, least, most, color=style.color, alpha=0.18, linewidth=0)
            axes.plot(x, middle, color=style.color, linestyle=style.dashes, linewidth=1.5,
                      marker="o", markersize=2.8)  # fmt: skip
            end = middle[-1]
        else:
            end = float(np.median(spread.unread))
            axes.plot(axes.get_xlim(), [end, end], color=style.color, linestyle=(0, (1, 2)),
                      linewidth=1.2)  # fmt: skip
            flat.append(name)
        place = float((np.log10(end) - low) / (high - low))
        ends.append((series.label(name), style.color, place))
    end_labels(axes, ends, HEIGHT * _BOX[3])
    name = f"sweep-{axis.name}-{metric}"
    heading = f"{title} against {axis.name}"
    svg = to_svg(figure, "".join(c if c.isalnum() else "-" for c in name), heading)
    pooled = f"seeds and over {', '.join(others)}" if others else "seeds"
    if len(axis.places) > MAX_PLACES:
        pooled += f", in {MAX_PLACES} intervals of {axis.name}"
    caption = f"Line: median over {pooled}; band: smallest to largest."
    if flat:
        caption += f" Dotted: methods that read no {axis.name}."
    return Picture(heading, svg, caption)


def _scale(axes: Any, axis: Axis, limits: tuple[float, float]) -> None:
    first, last = axis.places[0], axis.places[-1]
    if axis.logarithmic:
        log_axes(axes, (first, last), limits, shortened(axis.name, 60))
        return
    axes.set_yscale("log")
    axes.set_ylim(*limits)
    margin = 0.03 * (last - first)
    axes.set_xlim(first - margin, last + margin)
    numeric = axis.places == axis.values
    stride = math.ceil(len(axis.values) / 6)
    if numeric and len(axis.values) > 6:
        places = [float(x) for x in np.linspace(first, last, 5)]
        labels = [f"{x:.3g}" for x in places]
    else:
        places = list(axis.places[::stride])
        labels = [shortened(setting(v), 12) for v in axis.values[::stride]]
    frame(axes, (places, labels), log_ticks(*limits), shortened(axis.name, 60))
