"""All unregularised symmetric Nash equilibria of a preference game.

They form the polytope ``{p in simplex: A p <= 0}``, A = P - 1/2: the value of a symmetric game
is 1/2, so p is an equilibrium exactly when nothing beats it. Social choice calls its points the
maximal lotteries (Kreweras 1965, Fishburn 1984).

Method. One linear program finds an equilibrium p that is *strictly complementary*: each action
either has p_i > 0 or loses to p strictly (Goldman and Tucker 1956: one always exists). Let S be
the actions with p_i > 0. Every equilibrium then lives on S and satisfies A_SS q_S = 0, so

* the polytope has dimension ``nullity(A_SS) - 1``; the equilibrium is unique iff that is zero;
* p is polished to rounding error by the null space of A_SS;
* only coordinates that a null direction moves can vary; their ranges need two small linear
  programs each, in as many variables as the polytope has dimensions.

A tie at the scale of the solver's feasibility tolerance cannot be told from an exact one: win
probabilities that differ by less than about 1e-9 of the game's largest margin count as tied.

Cost: the one program, measured at 0.01 s for K = 64, 0.2 s for K = 200, 3 s for K = 500 and 34 s
for K = 1,000 (dense random games, one core).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidGame
from simulators.equilibria.checks import as_preferences
from simulators.equilibria.face import Face, coordinate_ranges, maximum_entropy_point

Array = NDArray[np.float64]

FEASIBILITY_TOLERANCE = 1e-10  # the tightest HiGHS takes
RANK_TOLERANCE = 1e-9
UNIQUE_RANGE = 1e-7


@dataclass(frozen=True, eq=False)
class NashEquilibrium:
    """The Nash equilibria of a symmetric zero-sum preference game.

    Attributes:
        policy: (K,) the equilibrium, or the one of largest entropy when there are many. That one
            treats tied and cloned actions alike, and it is the limit of
            ``regularized_equilibrium(P, temperature)`` as the temperature falls to zero.
        unique: whether there is only one.
        lower: (K,) smallest probability of each action over all equilibria.
        upper: (K,) largest; both are NaN for actions that vary if ``bounds=False`` was asked.
        value: win probability of an equilibrium against itself, 1/2.
        exploitability: ``max_i (P policy)_i - 1/2``: rounding error, half of ``duality_gap``.
        support: indices of the actions with positive probability in ``policy``; no equilibrium
            plays any other action.
        dimension: of the polytope of equilibria; 0 when unique.
    """

    policy: Array
    unique: bool
    lower: Array
    upper: Array
    value: float
    exploitability: float
    support: tuple[int, ...]
    dimension: int


def nash_equilibrium(P: ArrayLike, *, bounds: bool = True) -> NashEquilibrium:
    """The equilibrium of a preference game, whether it is unique, and how far it can move.

    Args:
        P: (K, K) win probabilities, row beats column.
        bounds: compute ``lower`` and ``upper`` of coordinates that vary (two linear programs
            each). Uniqueness is decided without them.

    Raises:
        InvalidGame: P is no single preference matrix.
    """
    P = as_preferences(P)
    if P.ndim != 2:
        raise InvalidGame(
            f"preference matrix: shape {P.shape} holds many games; give one (K, K) game at a time"
        )
    actions = P.shape[0]
    A = P - 0.5
    A = (A - A.T) / 2.0  # exactly skew, so that rounding in P cannot empty the polytope
    scale = float(np.abs(A).max())
    A = A / scale if scale > RANK_TOLERANCE else np.zeros_like(A)
    rough = _strictly_complementary(A)
    support = np.flatnonzero(rough > -(A @ rough))
    face = _face(A, support, rough)
    inner, dimension = face.point, face.directions.shape[1]
    if dimension:
        inner = maximum_entropy_point(face)
    policy = np.zeros(actions)
    policy[support] = inner
    lower, upper = policy.copy(), policy.copy()
    if dimension:
        moving = np.flatnonzero(np.abs(face.directions).max(axis=1) > RANK_TOLERANCE)
        lower[support[moving]] = upper[support[moving]] = np.nan
        if bounds:
            low, high = coordinate_ranges(face, inner, moving)
            lower[support[moving]], upper[support[moving]] = low, high
    return NashEquilibrium(
        policy=policy,
        unique=bool(np.all(upper - lower < UNIQUE_RANGE)) if bounds else dimension == 0,
        lower=lower,
        upper=upper,
        value=0.5,
        exploitability=float(((P - 0.5) @ policy).max()),
        support=tuple(int(i) for i in support),
        dimension=dimension,
    )


def _strictly_complementary(A: Array) -> Array:
    """Maximise the smallest of p_i - (A p)_i over the equilibria p: positive for every action."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    actions = A.shape[0]
    if actions == 1:
        return np.ones(1)
    column = np.ones((actions, 1))
    constraints = np.vstack(
        [np.hstack([A, 0.0 * column]), np.hstack([A - np.eye(actions), column])]
    )
    found = linprog(
        np.append(np.zeros(actions), -1.0),
        A_ub=csr_array(constraints),
        b_ub=np.zeros(2 * actions),
        A_eq=np.append(np.ones(actions), 0.0)[None, :],
        b_eq=[1.0],
        bounds=(0.0, 1.0),
        method="highs",
        options={
            "primal_feasibility_tolerance": FEASIBILITY_TOLERANCE,
            "dual_feasibility_tolerance": FEASIBILITY_TOLERANCE,
        },
    )
    if found.status != 0:  # the program is feasible and bounded for every skew A
        raise ArithmeticError(f"HiGHS found no equilibrium: {found.message}")
    return np.asarray(found.x[:actions])


def _face(A: Array, support: NDArray[np.intp], rough: Array) -> Face:
    """The polytope in coordinates: the exact point nearest to ``rough`` plus null directions."""
    block = A[np.ix_(support, support)]
    outside = np.setdiff1d(np.arange(A.shape[0]), support)
    _, singular, rows = np.linalg.svd(block)
    # An equilibrium leaves a null space of at least one dimension, whatever rounding says.
    nullity = max(1, int((singular <= RANK_TOLERANCE * len(support)).sum()))
    basis = rows[len(support) - nullity :].T  # (S, nullity), orthonormal
    total = basis.sum(axis=0)
    # Directions within the null space that keep the sum: the complement of `total` in it.
    _, _, turn = np.linalg.svd(total[None, :])
    directions = basis @ turn[1:].T
    point = basis @ total / (total @ total)
    point = point + directions @ (directions.T @ (rough[support] - point))
    return Face(point=point, directions=directions, losses=-A[np.ix_(outside, support)])
