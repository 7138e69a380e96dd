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
        "Projection onto the plane in which the game rotates fastest around the equilibrium at "
        "the centre: horizontal and vertical are the leading pair of vectors in the Schur form "
        "of P − ½, weighted by the equilibrium. Grey dots are the actions, and a policy lies at "
        "the mean of its actions. An action beats those up to half a turn counter-clockwise of "
        "it, so play turns clockwise: a closed orbit is a cycle, a spiral inwards converges. The "
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
    _limits(axes, seen)
    _actions(axes, game, seen)
    points = run.policies[chosen_points(len(run.policies))] @ seen.places
    color = series.style(series.name(run)).color
    cuts = np.linspace(0, len(points) - 1, _STEPS + 1).astype(int)
    for step in range(_STEPS):
        part = points[cuts[step] : cuts[step + 1] + 1]
        alpha = 0.35 + 0.65 * (step + 1) / _STEPS
        axes.plot(*part.T, color=color, linewidth=1.2, alpha=alpha, zorder=3)
    marks = [
        (np.asarray(game.reference) if np.ndim(game.reference) == 1 else None, "+", 6.0, MUTED),
        (game.nash, "*", 8.5, INK),
        (_equilibrium(game, run), "D", 4.5, "none"),
    ]
    for policy, marker, size, face in marks:
        if policy is not None:
            x, y = policy @ seen.places
            edge = MUTED if marker == "+" else INK
            axes.plot([x], [y], marker=marker, markersize=size, markerfacecolor=face,
                      markeredgecolor=edge, markeredgewidth=1.1, zorder=5)  # fmt: skip
    for point, face in ((points[0], SURFACE), (points[-1], color)):
        axes.plot(*point[:, None], marker="o", markersize=5.5, markerfacecolor=face,
                  markeredgecolor=color, markeredgewidth=1.3, zorder=4)  # fmt: skip
    svg = to_svg(figure, name, f"Policies of {title} over time: {run.verdict}")
    return Picture(title, svg, "", badge=run.verdict)


def _equilibrium(game: GameFacts, run: RunCurves) -> Array | None:
    """The regularised equilibrium, if it is the one at the run's own temperature."""
    if np.isclose(run.temperature, game.temperature):
        return game.regularized_equilibrium
    return None


def _limits(axes: "Axes", seen: View) -> None:
    low, high = seen.places.min(axis=0), seen.places.max(axis=0)
    centre, half = (low + high) / 2, float((high - low).max()) / 2
    half = 1.16 * half if seen.simplex else 1.22 * half
    axes.set_xlim(centre[0] - half, centre[0] + half)
    axes.set_ylim(centre[1] - half, centre[1] + half)


def _actions(axes: "Axes", game: GameFacts, seen: View) -> None:
    if seen.simplex:
        axes.fill(*seen.places.T, facecolor="none", edgecolor=MUTED, linewidth=0.9, zorder=1)
        for share in (0.25, 0.5, 0.75):
            for i in range(3):
                a, b, c = (seen.places[(i + k) % 3] for k in range(3))
                ends = np.stack([share * a + (1 - share) * b, share * a + (1 - share) * c])
                axes.plot(*ends.T, color=GRID, linewidth=0.6, zorder=0)
        aligned = (("center", "bottom", 5), ("left", "top", -5), ("right", "top", -5))
        shift = (0.0, -0.1, 0.1)
        for place, label, (h, v, up), right in zip(
            seen.places, game.actions, aligned, shift, strict=True
        ):
            _name(axes, place + np.array([right, up * 0.007]), label, h, v)
        return
    weight = game.nash if game.nash is not None else game.regularized_equilibrium
    order = np.argsort(-np.asarray(weight), kind="stable")
    axes.plot(*seen.places[order[:MAX_DOTS]].T, linestyle="none", marker="o", markersize=2.6,
              markerfacecolor=GRID, markeredgecolor=MUTED, markeredgewidth=0.6, zorder=1)  # fmt: skip
    for i in order[:MAX_NAMES]:
        place = seen.places[i]
        across = "left" if place[0] >= 0 else "right"
        gap = 0.02 * float(np.ptp(axes.get_xlim()))
        _name(axes, place + np.array([gap if across == "left" else -gap, 0]),
              game.actions[i], across, "center_baseline")  # fmt: skip


def _name(axes: "Axes", place: Array, label: str, across: str, along: str) -> None:
    axes.text(
        float(place[0]),
        float(place[1]),
        shortened(str(label), 14),
        horizontalalignment=across,
        verticalalignment=along,
        color=MUTED,
        fontsize=8,
        parse_math=False,
        zorder=2,
    )
