"""Where policies go: the simplex of three actions, or a game's leading rotation plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulators.report.content import Array, GameFacts, RunCurves
from simulators.report.figures.inline import Picture, canvas, to_svg
from simulators.report.figures.palette import GRID, INK, MUTED, SURFACE, Cast
from simulators.report.figures.plane import rotation_plane
from simulators.report.formats import number, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = 190.0
MAX_POINTS = 400
MAX_DOTS = 60
MAX_NAMES = 10
_STEPS = 4  # of opacity along a trajectory
_MARKERS = (
    ("reference", "+", 6.0, MUTED, MUTED),
    ("nash", "*", 8.5, INK, INK),
    ("regularized", "D", 4.5, "none", INK),
)
MARKS = (
    "○ start, ● end, ★ Nash equilibrium, ◇ regularised equilibrium, + reference; the line "
    "darkens with time."
)


@dataclass(frozen=True, eq=False)
class View:
    """A planar picture of the policies of a game: the mean of the actions' places.

    Attributes:
        places: (K, 2) of the actions.
        simplex: whether it shows everything, the triangle of three actions.
        caption: what the axes are.
    """

    places: Array
    simplex: bool
    caption: str


def view(game: GameFacts) -> View | None:
    """The triangle for K = 3, the rotation plane for K > 3; None where there is neither."""
    size = len(game.actions)
    if size == 3:
        corners = np.array([[0.5, np.sqrt(0.75)], [0.0, 0.0], [1.0, 0.0]])
        return View(corners, True, f"Each corner is one action for certain. {MARKS}")
    centre = game.regularized_equilibrium if game.regularized_equilibrium is not None else game.nash
    if size < 3 or game.preferences is None or centre is None:
        return None
    plane = rotation_plane(game.preferences, centre)
    if plane is None:
        return None
    caption = (
        "Projection onto the plane in which the game rotates fastest around the equilibrium, "
        "which is where the thin lines cross: horizontal and vertical are the leading pair of "
        "vectors in the Schur form of P − ½, weighted by the equilibrium. A policy lies at the "
        "mean of its actions, which are named where they lie or, beyond the edge, in their "
        "direction; each picture is zoomed to its run. An action beats those up to half a turn "
        "counter-clockwise of it, so play turns clockwise: a closed orbit is a cycle, a spiral "
        "inwards converges. The "
        f"plane holds {plane.share:.0%} of the game's rotation (ω = {number(plane.frequency)}); "
        f"motion across it is not seen. {MARKS}"
    )
    return View(plane.positions, False, caption)


def orbit_pictures(
    game: GameFacts, runs: Sequence[RunCurves], seen: View, series: Cast, titles: Sequence[str]
) -> list[Picture]:
    """One small picture a run; call within `drawing`."""
    return [
        _draw(game, run, seen, series, title, f"orbit-{i}")
        for i, (run, title) in enumerate(zip(runs, titles, strict=True))
    ]


def chosen_points(count: int, most: int = MAX_POINTS) -> np.ndarray:
    """Indices of at most ``most`` of ``count`` policies, dense at the start and even after."""
    if count <= most:
        return np.arange(count)
    half = most // 2
    early = np.geomspace(1, count, half).astype(int) - 1
    even = np.linspace(0, count - 1, half).astype(int)
    return np.union1d(early, even)


def _draw(
    game: GameFacts, run: RunCurves, seen: View, series: Cast, title: str, name: str
) -> Picture:
    assert run.policies is not None
    figure, axes = canvas(SIZE, SIZE)
    axes.set_axis_off()
    points = run.policies[chosen_points(len(run.policies))] @ seen.places
    known = {
        "reference": np.asarray(game.reference) if np.ndim(game.reference) == 1 else None,
        "nash": game.nash,
        "regularized": _equilibrium(game, run),
    }
    spots = {key: policy @ seen.places for key, policy in known.items() if policy is not None}
    if seen.simplex:
        _frame(axes, seen.places, 1.16)
        _triangle(axes, game, seen)
    else:
        _frame(axes, np.vstack([points, *spots.values()]), 1.45)
        _dots(axes, game, seen)
    color = series.style(series.name(run)).color
    cuts = np.linspace(0, len(points) - 1, _STEPS + 1).astype(int)
    for step in range(_STEPS):
        part = points[cuts[step] : cuts[step + 1] + 1]
        alpha = 0.35 + 0.65 * (step + 1) / _STEPS
        axes.plot(*part.T, color=color, linewidth=1.2, alpha=alpha, zorder=3)
    for point, face in ((points[0], SURFACE), (points[-1], color)):
        _mark(axes, point, "o", 5.5, face, color)
    for key, marker, size, face, edge in _MARKERS:
        if key in spots:
            _mark(axes, spots[key], marker, size, face, edge)
    svg = to_svg(figure, name, f"Policies of {title} over time: {run.verdict}")
    return Picture(title, svg, "", badge=run.verdict)


def _equilibrium(game: GameFacts, run: RunCurves) -> Array | None:
    """The regularised equilibrium, if it is the one at the run's own temperature."""
    if np.isclose(run.temperature, game.temperature):
        return game.regularized_equilibrium
    return None


def _mark(axes: "Axes", point: Array, marker: str, size: float, face: str, edge: str) -> None:
    axes.plot(
        [point[0]],
        [point[1]],
        linestyle="none",
        color=edge,
        marker=marker,
        markersize=size,
        markerfacecolor=face,
        markeredgecolor=edge,
        markeredgewidth=1.2,
        zorder=5,
    )


def _frame(axes: "Axes", points: Array, margin: float) -> None:
    """A square view around points."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre, half = (low + high) / 2, max(margin * float((high - low).max()) / 2, 1e-3)
    axes.set_xlim(centre[0] - half, centre[0] + half)
    axes.set_ylim(centre[1] - half, centre[1] + half)


def _triangle(axes: "Axes", game: GameFacts, seen: View) -> None:
    axes.fill(*seen.places.T, facecolor="none", edgecolor=MUTED, linewidth=0.9, zorder=1)
    for share in (0.25, 0.5, 0.75):
        for i in range(3):
            a, b, c = (seen.places[(i + k) % 3] for k in range(3))
            ends = np.stack([share * a + (1 - share) * b, share * a + (1 - share) * c])
            axes.plot(*ends.T, color=GRID, linewidth=0.6, zorder=0)
    # The lower names start and end a little outside their corners.
    placed = (
        ((0.0, 0.035), "center", "bottom"),
        ((-0.1, -0.035), "left", "top"),
        ((0.1, -0.035), "right", "top"),
    )
    for place, label, (shift, across, along) in zip(seen.places, game.actions, placed, strict=True):
        _name(axes, place + np.array(shift), label, across, along)


def _dots(axes: "Axes", game: GameFacts, seen: View) -> None:
    """The actions that matter most: dots in the view, or names at its edge."""
    centre = np.array([np.mean(axes.get_xlim()), np.mean(axes.get_ylim())])
    half = float(np.ptp(axes.get_xlim())) / 2
    axes.plot(
        [centre[0] - half, centre[0] + half, np.nan, 0, 0],
        [0, 0, np.nan, centre[1] - half, centre[1] + half],
        color=GRID,
        linewidth=0.8,
        zorder=0,
    )
    weight = game.nash if game.nash is not None else game.regularized_equilibrium
    taken: list[Array] = []
    for i in np.argsort(-np.asarray(weight), kind="stable")[:MAX_DOTS]:
        away = (seen.places[i] - centre) / half
        reach = float(np.abs(away).max())
        inside = reach < 0.95
        spot = away if inside else away * (0.93 / reach)
        if inside:
            _mark(axes, seen.places[i], "o", 2.4, SURFACE, MUTED)
        crowded = any(np.abs((spot - other) / (0.34, 0.11)).max() < 1 for other in taken)
        if len(taken) >= MAX_NAMES or crowded:
            continue
        taken.append(spot)
        if inside:
            across = "left" if away[0] < 0.5 else "right"
            shift = np.array([0.04 if across == "left" else -0.04, 0.0])
        else:
            across = "right" if spot[0] > 0.5 else "left" if spot[0] < -0.5 else "center"
            shift = np.array([0.05 * np.sign(spot[0]) * (across != "center"), 0.0])
            tick = centre + half * np.stack([spot * 0.86, spot * 0.8])
            axes.plot(*tick.T, color=MUTED, linewidth=0.8, zorder=1)
        _name(axes, centre + half * (spot + shift), game.actions[i], across, "center_baseline")


def _name(axes: "Axes", place: Array, label: str, across: str, along: str) -> None:
    axes.text(
        float(place[0]),
        float(place[1]),
        shortened(str(label), 14),
        horizontalalignment=across,
        verticalalignment=along,
        color=MUTED,
        fontsize=8,
        zorder=2,
    )
