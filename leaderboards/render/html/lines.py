"""Plots of curves: training, gaps over iterations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from leaderboards.board import Curve, Plot
from leaderboards.render.html import strokes
from leaderboards.render.html.cells import pixels
from leaderboards.render.html.strokes import BOTTOM, RIGHT, TOP, Axes
from leaderboards.render.html.texts import number, short_names
from leaderboards.render.words import sources_text
from simulators.report.figures.palette import VARIABLES, Style
from simulators.report.figures.scales import FLOOR, spread

MOST_CURVES, MOST_POINTS, FEWEST_POINTS, ALL_POINTS = 24, 300, 40, 40_000
_LABEL, _APART = 17, 12.5
#: Of the key between a curve's end and its label.
_LEAD, _KEY, _TEXT = 8, 10, 30


@dataclass(frozen=True)
class LineView:
    """One curve.

    Attributes:
        path: of the line; "" where there is no number.
        band: of the area over seeds, or "".
        dots: (x, y) of points without neighbours.
        color: CSS variable.
        dashes: lengths, or "".
        label: at its end.
        lead: path from its end to the key.
        key: path of the key, a piece of the curve beside the label.
        x, y: of the label.
    """

    path: str
    band: str
    dots: tuple[tuple[str, str], ...]
    color: str
    dashes: str
    label: str
    lead: str
    key: str
    x: str
    y: str


@dataclass(frozen=True)
class PlotView:
    """What the template writes of a plot.

    Attributes:
        title, x_label, y_label, caption, sources: as texts.
        lines: the curves.
        x_ticks, y_ticks: coordinate and label.
        said: what the reader of the picture must know, one sentence each.
    """

    title: str
    x_label: str
    y_label: str
    caption: str
    sources: str
    lines: tuple[LineView, ...]
    x_ticks: tuple[tuple[str, str], ...]
    y_ticks: tuple[tuple[str, str], ...]
    said: tuple[str, ...]


def points_each(plots: Sequence[Plot]) -> int:
    """How many points a curve may have, so that all plots together stay small."""
    curves = sum(min(len(plot.curves), MOST_CURVES) for plot in plots)
    return min(max(ALL_POINTS // max(curves, 1), FEWEST_POINTS), MOST_POINTS)


def plot_view(plot: Plot, styles: Mapping[str, Style], most: int = MOST_POINTS) -> PlotView | None:
    """The view of a plot; None where no curve has a point.

    Args:
        plot: of the board.
        styles: by a curve's label.
        most: points a curve.
    """
    known = [curve for curve in plot.curves if strokes.known(curve, plot.log_y).any()]
    drawn = known[:MOST_CURVES]
    edge = None if plot.log_y else strokes.lower_edge(drawn)
    axes = strokes.axes_of(drawn, plot.log_y, edge)
    if axes is None:
        return None
    labels = short_names([curve.label for curve in drawn], _LABEL)
    ends = [_end(curve, axes) for curve in drawn]
    lines = tuple(
        _line(curve, axes, styles[curve.label], label, (end, place), most)
        for curve, label, end, place in zip(drawn, labels, ends, _apart(ends), strict=True)
    )
    return PlotView(
        plot.title,
        plot.x_label + (", log scale" if axes.across.log else ""),
        plot.y_label + (", log scale" if axes.up.log else ""),
        plot.caption,
        sources_text(plot.sources),
        lines,
        tuple((pixels(axes.x(x)), label) for x, label in axes.across.ticks),
        tuple((pixels(axes.y(y)), label) for y, label in axes.up.ticks),
        tuple(_said(known, drawn, plot.log_y, edge)),
    )


def _said(
    known: Sequence[Curve], drawn: Sequence[Curve], log: bool, edge: float | None
) -> Iterator[str]:
    if len(known) > len(drawn):
        yield f"The first {len(drawn)} of {len(known)} curves are drawn."
    if log and any(((curve.y > 0) & (curve.y < FLOOR)).any() for curve in drawn):
        yield "Values below 10⁻¹⁶ are drawn there: rounding."
    if log and any((curve.y == 0).any() for curve in drawn):
        yield "Zeros are drawn at the lower edge."
    if edge is not None and any((curve.y < edge).any() for curve in drawn):
        yield f"Values below {number(edge)} are drawn at the lower edge."


def _end(curve: Curve, axes: Axes) -> float:
    """Ordinate of the last point."""
    return axes.y(float(curve.y[strokes.known(curve, axes.log)][-1]))


def _apart(ends: Sequence[float]) -> list[float]:
    """Ordinates of labels for curves that end there, moved apart."""
    height = BOTTOM - TOP
    apart = min(_APART, height / max(len(ends), 1)) / height
    order = sorted(range(len(ends)), key=lambda i: ends[i])
    places = spread([(ends[i] - TOP) / height for i in order], apart)
    by_curve = dict(zip(order, places, strict=True))
    return [TOP + by_curve[i] * height for i in range(len(ends))]


def _line(
    curve: Curve, axes: Axes, style: Style, label: str, ends: tuple[float, float], most: int
) -> LineView:
    end, place = map(pixels, ends)
    at = strokes.chosen(curve, axes, most)
    points = strokes.points(curve, axes, at)
    dashes = style.dashes
    return LineView(
        strokes.path(points),
        strokes.band(curve, axes, at),
        strokes.alone(points),
        f"var({VARIABLES[style.color][0]})",
        "" if isinstance(dashes, str) else " ".join(f"{1.5 * part:g}" for part in dashes[1]),
        label,
        f"M{RIGHT + 2} {end}L{RIGHT + _LEAD} {place}",
        f"M{RIGHT + _KEY} {place}H{RIGHT + _TEXT - 4}",
        str(RIGHT + _TEXT),
        place,
    )
