"""The polytope of equilibria, in its own coordinates.

``q = point + directions @ z`` with ``q >= 0`` and ``losses @ q >= 0``: probabilities of the
actions some equilibrium plays, and the margins by which all others lose to q.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LAST_BARRIER = 1e-8
_MAX_NEWTON = 60
_ROUNDING = 1e-17


@dataclass(frozen=True, eq=False)
class Face:
    """A polytope with an interior point.

    Attributes:
        point: (S,) interior: all probabilities and margins are positive.
        directions: (S, d) orthonormal, summing to zero; d is the dimension.
        losses: (N, S) margin by which an action outside loses to each of the S.
    """

    point: Array
    directions: Array
    losses: Array


def maximum_entropy_point(face: Face) -> Array:
    """The point of largest entropy, (S,), to rounding.

    Entropy keeps the probabilities positive by itself (its slope is infinite at zero). A
    logarithmic barrier keeps the margins so and tells which of them the optimum exhausts; these
    are then held at zero exactly.
    """
    slopes = face.losses @ face.directions
    limits = np.abs(slopes).max(axis=1, initial=0.0) > 1e-12
    slopes, margins = slopes[limits], face.losses[limits] @ face.point
    z = np.zeros(face.directions.shape[1])
    if not len(slopes):
        return _point(face, _centre(face, slopes, margins, z, 0.0))
    barrier = 1e-2
    while barrier > _LAST_BARRIER:
        z = _centre(face, slopes, margins, z, barrier)
        barrier /= 10.0
    margin = margins + slopes @ z
    return _point(face, _hold(face, slopes, margins, z, barrier * 10.0 / margin > margin))


def _hold(face: Face, slopes: Array, margins: Array, z: Array, active: NDArray[np.bool_]) -> Array:
    """Active-set finish: margins in ``active`` are zero, corrected until the optimum's are."""
    start = z
    for _ in range(_MAX_NEWTON):
        rows = slopes[active]
        z = start - np.linalg.pinv(rows, rcond=1e-10) @ (margins[active] + rows @ start)
        _, singular, turn = np.linalg.svd(rows)
        free = turn[int((singular > 1e-10 * singular.max(initial=0.0)).sum()) :].T
        if free.shape[1]:
            inside = Face(_point(face, z), face.directions @ free, face.losses[:0])
            none = np.zeros((0, free.shape[1]))
            z = z + free @ _centre(inside, none, np.zeros(0), np.zeros(free.shape[1]), 0.0)
        violated = ~active & (margins + slopes @ z < -1e-14)
        gradient = face.directions.T @ np.log(_point(face, z))
        multipliers = np.zeros(len(active))
        multipliers[active] = np.linalg.lstsq(rows.T, gradient, rcond=1e-10)[0]
        released = active & (multipliers < -1e-10)
        if not (violated.any() or released.any()):
            break
        active = (active | violated) & ~released
    return z


def _point(face: Face, z: Array) -> Array:
    """Probabilities at z; where the sum cancels below its rounding the sign would be chance."""
    return np.maximum(face.point + face.directions @ z, _ROUNDING)


def _centre(face: Face, slopes: Array, margins: Array, start: Array, barrier: float) -> Array:
    """Newton on sum q log q - barrier * sum log margin, from a feasible start."""
    z = start
    N = face.directions
    previous = np.inf
    for _ in range(_MAX_NEWTON):
        q, margin = _point(face, z), margins + slopes @ z
        gradient = N.T @ np.log(q) - barrier * (slopes / margin[:, None]).sum(axis=0)
        scaled = slopes / margin[:, None]
        hessian = (N.T / q) @ N + barrier * scaled.T @ scaled
        move = -np.linalg.solve(hessian, gradient)
        decrement = float(-gradient @ move)
        # Self-concordance gives the step; it also keeps q and the margins positive.
        change = np.concatenate([(N @ move) / q, (slopes @ move) / margin])
        step = min(1.0, 0.9 / max(1e-300, float(-change.min())))
        value = _objective(face, slopes, margins, z, barrier)
        while step > 1e-10:
            trial = _objective(face, slopes, margins, z + step * move, barrier)
            if trial <= value - 0.1 * step * decrement + 1e-15 * (1.0 + abs(value)):
                break
            step /= 2.0
        z = z + step * move
        if decrement < 1e-28 or (decrement < 1e-16 and decrement > previous / 4.0):
            break  # at the rounding floor
        previous = decrement
    return z


def _objective(face: Face, slopes: Array, margins: Array, z: Array, barrier: float) -> float:
    q, margin = _point(face, z), margins + slopes @ z
    return float(q @ np.log(q) - barrier * np.log(margin).sum())


def coordinate_ranges(face: Face, interior: Array, moving: NDArray[np.intp]) -> tuple[Array, Array]:
    """Smallest and largest probability over the polytope of each action in ``moving``.

    The programs are written in d of the probabilities themselves, which the others depend on:
    sparse rows and plain bounds, where orthonormal coordinates would make every row dense.
    """
    from scipy.linalg import qr
    from scipy.optimize import linprog

    N = face.directions
    _, order = qr(N.T, mode="r", pivoting=True)
    free = order[: N.shape[1]]
    dependence = np.linalg.solve(N[free].T, N.T).T  # (S, d); the rows of `free` are the identity
    dependence[np.abs(dependence) < 1e-12] = 0.0
    rows = np.vstack([np.delete(dependence, free, axis=0), face.losses @ dependence])
    limits = np.concatenate([np.delete(interior, free), face.losses @ interior])
    ranges = np.empty((2, len(moving)))
    for which, sign in enumerate((1.0, -1.0)):
        for at, action in enumerate(moving):
            found = linprog(
                sign * dependence[action],
                A_ub=-rows,
                b_ub=np.maximum(limits, 0.0),
                bounds=np.column_stack([-interior[free], 1.0 - interior[free]]),
                method="highs",
                options={"primal_feasibility_tolerance": 1e-10},
            )
            if found.status != 0:  # feasible at zero, bounded inside the simplex
                raise ArithmeticError(f"HiGHS found no range of an action: {found.message}")
            ranges[which, at] = interior[action] + sign * found.fun
    ranges = np.clip(ranges, 0.0, 1.0)
    return ranges[0], ranges[1]
