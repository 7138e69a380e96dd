"""Nash averages of many win matrices at once, for the draws of a bootstrap."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from simulators import nash_equilibrium

Array = NDArray[np.float64]

#: Margins below this are ties, which need the whole polytope of equilibria.
TIE = 1e-9
#: Cycles of three are tried up to this many policies; beyond, the linear program is cheaper.
TRIED = 24


def nash_averages(matrices: Array) -> Array:
    """The Nash average of each matrix, as `simulators.nash_equilibrium` gives it.

    Most win matrices have a policy that beats all others, or a cycle of three that does: these
    have a formula and are solved together. What is left is solved one by one.

    Args:
        matrices: (R, N, N) P + P.T = 1.

    Returns:
        (R, N).
    """
    A = np.asarray(matrices, dtype=np.float64) - 0.5
    A = (A - np.swapaxes(A, 1, 2)) / 2.0
    size = A.shape[1]
    found = np.zeros(A.shape[:2])
    beats_others = ((A > TIE).sum(axis=2) == size - 1).astype(bool)
    solved = beats_others.any(axis=1)
    found[solved, beats_others[solved].argmax(axis=1)] = 1.0
    if size <= TRIED:
        for triple in combinations(range(size), 3):
            left = np.flatnonzero(~solved)
            if not len(left):
                break
            cycle, weights = _cycle(A[left], triple)
            rows = left[cycle]
            found[rows[:, None], list(triple)] = weights[cycle]
            solved[rows] = True
    left = np.flatnonzero(~solved)
    if len(left):
        distinct, place = np.unique(A[left], axis=0, return_inverse=True)
        policies = [nash_equilibrium(own + 0.5, bounds=False).policy for own in distinct]
        found[left] = np.array(policies)[place.reshape(-1)]
    return found


def _cycle(A: Array, triple: tuple[int, int, int]) -> tuple[NDArray[np.bool_], Array]:
    """Where three policies beat one another in turn and together all others; their shares."""
    i, j, k = triple
    sides = np.stack([A[:, j, k], A[:, k, i], A[:, i, j]], axis=1)
    turning = (sides > TIE).all(axis=1) | (sides < -TIE).all(axis=1)
    weights = np.abs(sides)
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), TIE)
    others = [x for x in range(A.shape[1]) if x not in triple]
    margins = np.einsum("rot,rt->ro", A[:, others][:, :, list(triple)], weights)
    return turning & (margins < -TIE).all(axis=1), weights
