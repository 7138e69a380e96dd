"""The branch of equilibria that starts at the reference, through its folds.

Where payoffs are not monotone (players with different oracles) the regularised equilibria of
all temperatures form a curve that may turn back in temperature, so it cannot be followed by
lowering tau. Pseudo-arclength continuation (Keller 1977; Turocy 2005 for quantal response
equilibria) follows it in a direction of its own.
"""

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import InvalidSetting
from simulators.equilibria.path import Payoffs, Rows, Solution, follow, softmax

Array = NDArray[np.float64]

_ONE: Rows = np.zeros(1, dtype=np.intp)
_MAX_STEPS = 20_000
_LONGEST, _SHORTEST = 0.5, 1e-9
_CORRECTIONS = 6


def trace(payoffs: Payoffs, log_reference: Array, temperature: float, blocks: int) -> Solution:
    """The first point at ``temperature`` on the branch from the reference.

    Points are (x, log 1/tau). Lengths are measured in the Fisher metric of the policies: it sees
    no distance between two ways of hardly ever playing an action.

    Args:
        payoffs: one game, profiles of ``blocks`` policies flattened to (1, N).
        log_reference: (1, N).
        temperature: tau > 0.
        blocks: number of players N is made of.

    Raises:
        InvalidSetting: the branch was lost before it reached the temperature.
    """
    goal = -np.log(temperature)
    start = min(goal, -np.log(2.0 * payoffs.scale))  # where the best response contracts
    x = follow(payoffs, log_reference, np.array([np.exp(-start)])).x[0]
    point = np.append(x, start)
    tangent = np.append(np.zeros_like(x), 1.0)
    tangent = _tangent(payoffs, log_reference, point, tangent, blocks)
    length, steps = 0.1, 1
    while point[-1] < goal:
        if length < _SHORTEST or steps >= _MAX_STEPS:
            raise InvalidSetting(
                f"temperature: {temperature:g} is too small for these oracles: the branch of"
                f" equilibria was lost at {np.exp(-point[-1]):.2g}; raise it"
            )
        steps += 1
        found = _step(payoffs, log_reference, point, tangent, length, blocks)
        if found is None:
            length /= 2.0
            continue
        new, new_tangent, easy = found
        if new[-1] >= goal:
            share = (goal - point[-1]) / (new[-1] - point[-1])
            new = point + share * (new - point)
            new[-1] = goal
        point, tangent = new, new_tangent
        length = min(_LONGEST, length * 1.5) if easy else length
    last = follow(payoffs, log_reference, np.array([temperature]), initial=point[None, :-1])
    return Solution(
        last.x,
        last.residual,
        last.iterations,
        last.homotopy_steps - 1 + steps,
        last.converged,
    )


def _step(
    payoffs: Payoffs, log_reference: Array, point: Array, tangent: Array, length: float, blocks: int
) -> tuple[Array, Array, bool] | None:
    """One predictor and its corrections; None when the step was too long."""
    new = point + length * tangent
    row = tangent * _metric(point, blocks)
    corrected = 0.0
    for correction in range(_CORRECTIONS):
        G, H = _system(payoffs, log_reference, new)
        # The payoffs round at eps, and 1/tau multiplies them.
        if np.abs(G).max() < 1e-10 * max(1.0, np.exp(new[-1])):
            turned = _tangent(payoffs, log_reference, new, tangent, blocks)
            if float(turned @ row) < 0.8 or corrected > 0.5 * length:
                return None
            return new, turned, correction <= 3
        move = np.linalg.solve(np.vstack([H, row]), -np.append(G, 0.0))
        new = new + move
        corrected += float(np.sqrt(move**2 @ _metric(point, blocks)))
        if not np.isfinite(new).all() or corrected > length:
            return None
    return None


def _tangent(
    payoffs: Payoffs, log_reference: Array, point: Array, previous: Array, blocks: int
) -> Array:
    """Unit direction of the branch, continuing the previous one."""
    _, H = _system(payoffs, log_reference, point)
    metric = _metric(point, blocks)
    end = np.zeros(len(point))
    end[-1] = 1.0
    direction = np.linalg.solve(np.vstack([H, previous * metric]), end)
    return np.asarray(direction / np.sqrt(direction**2 @ metric))


def _system(payoffs: Payoffs, log_reference: Array, point: Array) -> tuple[Array, Array]:
    """G at (x, log beta) and its derivative in both, (N,) and (N, N + 1)."""
    x, beta = point[None, :-1], float(np.exp(point[-1]))
    force = beta * payoffs.value(x, _ONE)[0]
    J = -beta * payoffs.jacobian(x, _ONE)[0]
    J[np.diag_indices_from(J)] += 1.0
    return point[:-1] - log_reference[0] - force, np.column_stack([J, -force])


def _metric(point: Array, blocks: int) -> Array:
    return np.append(softmax(point[:-1].reshape(blocks, -1)).ravel(), 1.0)
