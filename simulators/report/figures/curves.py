"""Gap curves: one panel a metric, one line a run, on log axes."""

from dataclasses import dataclass

import numpy as np

from simulators.report.content import Array, ReportContent, RunCurves
from simulators.report.figures.inline import Picture, canvas, to_svg
from simulators.report.figures.palette import Cast
from simulators.report.figures.scales import FLOOR, bounds, end_labels, log_axes, thinned
from simulators.report.formats import listed

MAX_CURVES = 48
CLOSED, OPEN = 1e-6, 0.1
WIDTH, HEIGHT = 390.0, 250.0
_BOX = (0.085, 0.14, 0.68, 0.82)


@dataclass(frozen=True)
class Panel:
    """One metric over time."""

    attribute: str
    title: str
    about: str


PANELS = (
    Panel("gap", "Duality gap, last iterate", "What the best response gains against π_t (Eq. 4)."),
    Panel(
        "average_gap",
        "Duality gap, average iterate",
        "The same for the average of all policies played so far.",
    ),
    Panel(
        "regularized_gap",
        "Regularised gap, last iterate",
        "Gap of the KL-regularised game, 2τ KL(π_t ‖ best response).",
    ),
    Panel(
        "average_regularized_gap",
        "Regularised gap, average iterate",
        "The regularised gap of the average of all policies played so far.",
    ),
    Panel(
        "kl",
        "KL to the regularised equilibrium",
        "KL(π*_τ ‖ π_t) in nats; exponential convergence bends down on these axes.",
    ),
)


def gap_pictures(content: ReportContent, series: Cast) -> list[Picture]:
    """The panels that have data; call within `drawing`."""
    pictures = []
    for panel in PANELS:
        lines = [
            (run, *data)
            for run in content.curves[:MAX_CURVES]
            if (data := _positive(run, panel.attribute)) is not None
        ]
        if lines:
            pictures.append(_draw(panel, lines, series))
    return pictures


def _positive(run: RunCurves, attribute: str) -> tuple[Array, Array] | None:
    """Iterations from 1 on (a log axis has no 0) and their values, at least the floor."""
    values = getattr(run, attribute)
    if values is None:
        return None
    iterations = np.asarray(run.iterations)
    kept = np.isfinite(values) & (iterations >= 1)
    if not kept.any():
        return None
    iterations, values = iterations[kept], np.asarray(values, dtype=np.float64)[kept]
    chosen = thinned(iterations, values)
    return iterations[chosen].astype(np.float64), values[chosen]


def _draw(panel: Panel, lines: list[tuple[RunCurves, Array, Array]], series: Cast) -> Picture:
    figure, axes = canvas(WIDTH, HEIGHT)
    axes.set_position(_BOX)
    shown = [(run, x, np.maximum(y, FLOOR)) for run, x, y in lines]
    y_limits = bounds(np.concatenate([y for _, _, y in shown]))
    last = max(float(x[-1]) for _, x, _ in shown)
    first = min(float(x[0]) for _, x, _ in shown)
    log_axes(axes, (first, max(last, first * 10)), y_limits, "iteration")
    low, high = np.log10(y_limits)
    repeated = len(shown) > len({series.name(run) for run, _, _ in shown})
    ends: dict[str, tuple[str, str, float]] = {}
    for run, x, y in shown:
        name = series.name(run)
        style = series.style(name)
        axes.plot(
            x,
            y,
            color=style.color,
            linestyle=style.dashes,
            linewidth=0.9 if repeated else 1.5,
            alpha=0.6 if repeated else 0.95,
            marker="o" if len(x) == 1 else None,
            markersize=3,
        )
        place = float((np.log10(y[-1]) - low) / (high - low))
        ends.setdefault(name, (series.label(name), style.color, place))
    end_labels(axes, list(ends.values()), HEIGHT * _BOX[3])
    caption = " ".join(part for part in (panel.about, _reading(lines, series)) if part)
    svg = to_svg(figure, f"curve-{panel.attribute}".replace("_", "-"), panel.title)
    return Picture(panel.title, svg, caption)


def _reading(lines: list[tuple[RunCurves, Array, Array]], series: Cast) -> str:
    """What the ends of the curves say, in words."""
    ends: dict[str, list[float]] = {}
    for run, _, y in lines:
        ends.setdefault(series.name(run), []).append(float(y[-1]))
    closed = [name for name, values in ends.items() if max(values) <= CLOSED]
    opened = [name for name, values in ends.items() if min(values) > OPEN]
    said = []
    if len(closed) == len(ends):
        said.append("All end below 1e-06.")
    elif closed:
        said.append(f"Below 1e-06 at the end: {listed(closed)}.")
    if opened and len(opened) == len(ends):
        said.append("All end above 0.1.")
    elif opened:
        said.append(f"Above 0.1 at the end: {listed(opened)}.")
    if any((y < FLOOR).any() for _, _, y in lines):
        said.append("Values below 1e-16 are drawn there: rounding.")
    return " ".join(said)
