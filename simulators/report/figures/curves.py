"""Gap curves: one panel a metric, one line a run, on log axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.metrics.gaps import duality_gap
from simulators.metrics.verdict import RUNAWAY
from simulators.report.content import Array, ReportContent, RunCurves
from simulators.report.figures.inline import Picture, canvas, to_svg
from simulators.report.figures.palette import MUTED, Cast
from simulators.report.figures.scales import FLOOR, bounds, end_labels, log_axes, thinned
from simulators.report.formats import listed

MAX_CURVES = 48
CLOSED, OPEN = 1e-6, 0.1
WIDTH, HEIGHT = 360.0, 235.0
_BOX = (0.09, 0.15, 0.665, 0.81)
_BOX_FOR_LABELS = (0.09, 0.15, 0.53, 0.81)  # settings have longer names than algorithms
CEILING = RUNAWAY


@dataclass(frozen=True)
class Panel:
    """One metric over time; ``plain`` if it is a gap of the unregularised game."""

    attribute: str
    title: str
    about: str
    plain: bool = False


PANELS = (
    Panel(
        "gap",
        "Duality gap, last iterate",
        "What the best response gains against the current policy (Eq. 4); 0 at an equilibrium.",
        plain=True,
    ),
    Panel(
        "average_gap",
        "Duality gap, average iterate",
        "The same for the average of all policies played so far.",
        plain=True,
    ),
    Panel(
        "regularized_gap",
        "Regularised gap, last iterate",
        "The gap of the KL-regularised game; 0 at its equilibrium.",
    ),
    Panel(
        "average_regularized_gap",
        "Regularised gap, average iterate",
        "The regularised gap of the average of all policies played so far.",
    ),
    Panel(
        "kl",
        "KL to the regularised equilibrium",
        "KL(equilibrium ‖ current policy), in nats.",
    ),
)


@dataclass(frozen=True, eq=False)
class Line:
    """A run's data in one panel; the values are positive, but below the floor as they are."""

    run: RunCurves
    x: Array
    y: Array


def gap_pictures(content: ReportContent, series: Cast) -> list[Picture]:
    """The panels that have data; call within `drawing`."""
    pictures = []
    runs = drawn_runs(content)
    for panel in PANELS:
        lines = _lines(runs, panel.attribute)
        if lines:
            aim = _gap_of_equilibrium(content, lines) if panel.plain else None
            pictures.append(_draw(panel, lines, series, aim))
    return pictures


def drawn_runs(content: ReportContent) -> list[RunCurves]:
    """All runs, or evenly chosen ones when they are too many to see."""
    runs = list(content.curves)
    if len(runs) <= MAX_CURVES:
        return runs
    return [runs[i] for i in np.linspace(0, len(runs) - 1, MAX_CURVES).round().astype(int)]


def _lines(runs: Sequence[RunCurves], attribute: str) -> list[Line]:
    """Finite values from iteration 1 on: a log axis has no 0."""
    lines = []
    for run in runs:
        values, iterations = getattr(run, attribute), np.asarray(run.iterations)
        if values is None:
            continue
        kept = np.isfinite(values) & (iterations >= 1)
        if kept.any():
            x, y = iterations[kept], np.asarray(values, dtype=np.float64)[kept]
            chosen = thinned(x, y)
            lines.append(Line(run, x[chosen].astype(np.float64), y[chosen]))
    return lines


def _gap_of_equilibrium(content: ReportContent, lines: Sequence[Line]) -> float | None:
    """Unregularised gap of the regularised equilibrium, when all runs share one."""
    games = {line.run.game for line in lines}
    temperatures = {line.run.temperature for line in lines}
    if len(games) > 1 or len(temperatures) > 1 or max(games) >= len(content.games):
        return None
    game = content.games[games.pop()]
    if game.preferences is None or game.regularized_equilibrium is None or game.players > 2:
        return None
    if not np.isclose(game.temperature, temperatures.pop()):
        return None
    gap = float(duality_gap(game.preferences, game.regularized_equilibrium))
    return gap if gap > FLOOR else None


def _draw(panel: Panel, lines: Sequence[Line], series: Cast, aim: float | None) -> Picture:
    figure, axes = canvas(WIDTH, HEIGHT)
    axes.set_position(_BOX_FOR_LABELS if series.by_label else _BOX)
    drawn = [np.clip(line.y, FLOOR, CEILING) for line in lines]
    y_limits = bounds(np.concatenate([*drawn, [aim]] if aim else drawn))
    first = min(float(line.x[0]) for line in lines)
    last = max(float(line.x[-1]) for line in lines)
    log_axes(axes, (first, max(last, first * 10)), y_limits, "iteration")
    low, high = np.log10(y_limits)
    repeated = len(lines) > len({series.name(line.run) for line in lines})
    ends: dict[str, tuple[str, str, float]] = {}
    if aim:
        axes.axhline(aim, color=MUTED, linestyle=(0, (1, 2)), linewidth=1, zorder=1)
        place = float((np.log10(aim) - low) / (high - low))
        ends[""] = ("reg. equilibrium", MUTED, place)
    for line, y in zip(lines, drawn, strict=True):
        name = series.name(line.run)
        style = series.style(name)
        axes.plot(
            line.x,
            y,
            color=style.color,
            linestyle=style.dashes,
            linewidth=0.9 if repeated else 1.2 if series.by_label else 1.5,
            alpha=0.6 if repeated else 0.95,
            marker="o" if len(y) == 1 else None,
            markersize=3,
        )
        place = float((np.log10(y[-1]) - low) / (high - low))
        ends.setdefault(name, (series.label(name), style.color, place))
    end_labels(axes, list(ends.values()), HEIGHT * _BOX[3])
    said = [panel.about, *_reading(lines, series)]
    if aim:
        said.append(
            "Dotted: the gap of the regularised equilibrium, which is as low as a method that "
            "plays the regularised game is meant to get."
        )
    svg = to_svg(figure, f"curve-{panel.attribute}".replace("_", "-"), panel.title)
    return Picture(panel.title, svg, " ".join(said))


def _reading(lines: Sequence[Line], series: Cast) -> list[str]:
    """What the ends of the curves say, in words."""
    ends: dict[str, list[float]] = {}
    for line in lines:
        ends.setdefault(series.name(line.run), []).append(float(line.y[-1]))
    closed = [name for name, values in ends.items() if max(values) <= CLOSED]
    opened = [name for name, values in ends.items() if min(values) > OPEN]
    said = []
    for names, where in ((closed, "below 10⁻⁶"), (opened, "above 0.1")):
        if names and len(names) == len(ends):
            said.append(f"{'All end' if len(ends) > 1 else 'It ends'} {where}.")
        elif names:
            said.append(f"{where.capitalize()} at the end: {listed(names)}.")
    said += [f"{listed(names)} coincide." for names in _coinciding(lines, series)]
    if any((line.y < FLOOR).any() for line in lines):
        said.append("Values below 10⁻¹⁶ are drawn there: rounding.")
    if any((line.y > CEILING).any() for line in lines):
        said.append("Values above 10⁵⁰ are drawn there: the run ran off.")
    return said


def _coinciding(lines: Sequence[Line], series: Cast) -> list[list[str]]:
    """Series of one run each whose curves are the same: only the last drawn is seen."""
    names = [series.name(line.run) for line in lines]
    if len(names) > len(set(names)):
        return []
    groups: list[tuple[Line, list[str]]] = []
    for name, line in zip(names, lines, strict=True):
        for other, members in groups:
            if other.y.shape == line.y.shape and np.allclose(
                np.log(np.maximum(other.y, FLOOR)), np.log(np.maximum(line.y, FLOOR)), atol=1e-3
            ):
                members.append(name)
                break
        else:
            groups.append((line, [name]))
    return [members for _, members in groups if len(members) > 1]
