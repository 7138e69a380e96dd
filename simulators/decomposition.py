"""Split a preference game into what ratings explain and what is cyclic.

Two views of the skew part A of a game:

* Hodge: ``A = transitive + cyclic``, transitive_ij = r_i - r_j, the nearest such matrix (Jiang,
  Lim, Yao and Ye, Statistical ranking and combinatorial Hodge theory, 2011; Balduzzi et al.,
  Re-evaluating evaluation, arXiv 1806.02643, for uniform weights).
* Schur: ``A = sum_k omega_k (u_k v_k^T - v_k u_k^T)``, a sum of disc games, each a rotation in a
  plane of its own (Balduzzi et al., Open-ended learning in symmetric zero-sum games, arXiv
  1901.08106).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidGame, InvalidSetting, suggest
from simulators.equilibria.checks import as_preferences

Array = NDArray[np.float64]
Scale = Literal["probability", "logit"]

_SCALES = ("probability", "logit")


@dataclass(frozen=True, eq=False)
class HodgeDecomposition:
    """The least-squares ratings of a game and what they leave.

    Attributes:
        transitive: (K, K) ``r_i - r_j``.
        cyclic: (K, K) the rest of A; zero on pairs of weight zero.
        ratings: (K,) r, mean zero; in win probability, or in log-odds on the logit scale.
        cyclic_share: weighted ``sum cyclic^2 / sum A^2`` in [0, 1]; 0 when all actions tie.
    """

    transitive: Array
    cyclic: Array
    ratings: Array
    cyclic_share: float


def hodge_decomposition(
    P: ArrayLike, weights: ArrayLike | None = None, *, scale: Scale = "probability"
) -> HodgeDecomposition:
    """The transitive and the cyclic part of a preference matrix.

    On the default scale the two parts are those of A = P - 1/2, the payoff that equilibria and
    dynamics see, and a Bradley-Terry game with wide ratings has a small cyclic part: win
    probabilities bend where log-odds add up. On the logit scale a Bradley-Terry game is exactly
    transitive, but P must avoid 0 and 1.

    Args:
        P: (K, K) win probabilities, row beats column; ignored (NaN allowed) at zero weight.
        weights: (K, K) symmetric and >= 0, such as numbers of comparisons; None weighs all
            pairs alike, and the ratings are then the row means of A.
        scale: ``probability`` for A = P - 1/2, ``logit`` for A = log(P / (1 - P)).

    Raises:
        InvalidGame: P or weights are malformed, the compared pairs do not connect all actions,
            or the logit scale meets a 0 or a 1.
        InvalidSetting: an unknown scale.
    """
    if scale not in _SCALES:
        raise InvalidSetting(f"scale: unknown '{scale}'{suggest(scale, _SCALES)}")
    try:
        matrix = np.asarray(P, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidGame(f"preference matrix: not an array of numbers ({error})") from None
    W = _check_weights(weights, matrix)
    P = as_preferences(matrix if W is None else np.where(W > 0.0, matrix, 0.5))
    if P.ndim != 2:
        raise InvalidGame(f"preference matrix: shape {P.shape} holds many games; give one (K, K)")
    A = P - 0.5 if scale == "probability" else _logit(P)
    A = (A - A.T) / 2.0
    ratings = A.mean(axis=1) if W is None else _weighted_ratings(A, W)
    transitive = ratings[:, None] - ratings[None, :]
    cyclic = A - transitive
    if W is not None:
        cyclic[W == 0.0] = 0.0
    mass = np.ones_like(A) if W is None else W
    total = float((mass * A**2).sum())
    share = float((mass * cyclic**2).sum()) / total if total > 0.0 else 0.0
    return HodgeDecomposition(transitive, cyclic, ratings, min(share, 1.0))


@dataclass(frozen=True, eq=False)
class SchurDecomposition:
    """A game as a sum of rotations, strongest first.

    Attributes:
        frequencies: (m,) omega_k > 0, falling; +-i omega_k are the eigenvalues of A.
        planes: (m, K, 2) orthonormal (u_k, v_k); u beats v in the plane.
    """

    frequencies: Array
    planes: Array

    def reconstruct(self, rank: int | None = None) -> Array:
        """A = P - 1/2 from the ``rank`` strongest rotations (default all), (K, K)."""
        omega, planes = self.frequencies[:rank], self.planes[:rank]
        half = np.einsum("k,ka,kb->ab", omega, planes[:, :, 0], planes[:, :, 1])
        return np.asarray(half - half.T)

    @property
    def shares(self) -> Array:
        """(m,) share of each rotation in the squared norm of A; sums to one."""
        return np.asarray(self.frequencies**2 / (self.frequencies**2).sum())


def schur_decomposition(P: ArrayLike) -> SchurDecomposition:
    """The real Schur form of A = P - 1/2, which is skew: planes that A turns.

    Frequencies below rounding error (K eps times the largest) are left out.

    Args:
        P: (K, K) win probabilities, row beats column.

    Raises:
        InvalidGame: P is no single preference matrix.
    """
    from scipy.linalg import schur

    P = as_preferences(P)
    if P.ndim != 2:
        raise InvalidGame(f"preference matrix: shape {P.shape} holds many games; give one (K, K)")
    A = P - 0.5
    A = (A - A.T) / 2.0
    size = A.shape[0]
    triangular, basis = schur(A, output="real")
    blocks = np.diagonal(triangular, -1) != 0.0  # LAPACK sets what it deflates to zero exactly
    # Recomputed: the triangular form carries the rounding of all sweeps, this that of one product.
    above = np.einsum("ak,ab,bk->k", basis[:, :-1], A, basis[:, 1:], optimize=True)
    cutoff = size * np.finfo(np.float64).eps * float(np.abs(above).max(initial=0.0))
    starts = np.flatnonzero(blocks & (np.abs(above) > cutoff))
    order = starts[np.argsort(-np.abs(above[starts]), kind="stable")]
    planes = np.zeros((len(order), size, 2))
    for rank, k in enumerate(order):
        u, v = basis[:, k], basis[:, k + 1]
        planes[rank, :, 0], planes[rank, :, 1] = (u, v) if above[k] > 0.0 else (v, u)
    return SchurDecomposition(np.abs(above[order]), planes)


def _check_weights(weights: ArrayLike | None, matrix: Array) -> Array | None:
    if weights is None:
        return None
    W = np.asarray(weights, dtype=np.float64)
    if W.shape != matrix.shape or W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise InvalidGame(f"weights: shape {W.shape}, the preference matrix has {matrix.shape}")
    if not np.isfinite(W).all() or (W < 0.0).any() or not np.allclose(W, W.T):
        raise InvalidGame("weights: must be finite, >= 0 and symmetric, as numbers of comparisons")
    W = W.copy()
    np.fill_diagonal(W, 0.0)
    return W


def _weighted_ratings(A: Array, W: Array) -> Array:
    from scipy.sparse.csgraph import connected_components

    groups, label = connected_components(W > 0.0, directed=False)
    if groups > 1:
        apart = [int(np.flatnonzero(label == group)[0]) for group in (0, 1)]
        raise InvalidGame(
            f"weights: the compared pairs leave {groups} unconnected groups (action {apart[0]} is"
            f" never linked to action {apart[1]}), so no rating compares them; drop one group"
        )
    laplacian = np.diag(W.sum(axis=1)) - W
    # Adding a rank-one constant fixes the free constant at mean zero.
    laplacian += W.max(initial=1.0)
    return np.asarray(np.linalg.solve(laplacian, (W * A).sum(axis=1)))


def _logit(P: Array) -> Array:
    certain = np.argwhere((P <= 0.0) | (P >= 1.0))
    if len(certain):
        i, j = certain[0]
        raise InvalidGame(
            f"preference matrix: entry [{i},{j}] is {P[i, j]:g}, whose log-odds are infinite;"
            " use the probability scale"
        )
    return np.asarray(np.log(P) - np.log1p(-P))
