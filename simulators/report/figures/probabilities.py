"""The probabilities of the leading actions over time, for games without a plane to turn in."""

from collections.abc import Sequence

import numpy as np

from simulators.report.content import GameFacts, RunCurves
from simulators.report.figures.inline import Picture, canvas, to_svg
from simulators.report.figures.orbits import chosen_points
from simulators.report.figures.palette import style
from simulators.report.figures.scales import end_labels, frame, log_ticks
from simulators.report.formats import shortened

WIDTH, HEIGHT = 250.0, 190.0
MAX_ACTIONS = 6
CAPTION = (
    "Probability of the actions that some policy plays most, on a logarithmic axis of "
    "iterations (shifted by one, so that the start is seen)."
)
_BOX = (0.12, 0.17, 0.64, 0.78)


def probability_pictures(
    game: GameFacts, runs: Sequence[RunCurves], titles: Sequence[str]
) -> list[Picture]:
    """One small picture a run; call within `drawing`."""
    return [
        _draw(game, run, title, f"probability-{i}")
        for i, (run, title) in enumerate(zip(runs, titles, strict=True))
    ]


def _draw(game: GameFacts, run: RunCurves, title: str, name: str) -> Picture:
    assert run.policies is not None
    figure, axes = canvas(WIDTH, HEIGHT)
    axes.set_position(_BOX)
    kept = chosen_points(len(run.policies))
    policies = run.policies[kept]
    times = kept if run.policy_iterations is None else run.policy_iterations[kept]
    x = np.asarray(times, dtype=np.float64) + 1
    last = max(float(x[-1]), 10.0)
    axes.set_xscale("log")
    axes.set_xlim(1, last)
    axes.set_ylim(0, 1)
    frame(axes, log_ticks(1, last, 4), ((0, 0.5, 1), ("0", "0.5", "1")), "iteration + 1")
    leading = np.argsort(-policies.max(axis=0), kind="stable")[:MAX_ACTIONS]
    ends = []
    for action in sorted(leading):
        color = style(int(action) % 8).color
        axes.plot(x, policies[:, action], color=color, linewidth=1.3)
        label = shortened(str(game.actions[action]), 12)
        ends.append((label, color, float(policies[-1, action])))
    end_labels(axes, ends, HEIGHT * _BOX[3])
    svg = to_svg(figure, name, f"Action probabilities of {title} over time: {run.verdict}")
    return Picture(title, svg, "", badge=run.verdict)
