"""A plane in which a game's play rotates, and where its actions and policies lie in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.decomposition import schur_decomposition

Array = NDArray[np.float64]

MAX_ACTIONS = 300  # the full Schur form takes seconds beyond


@dataclass(frozen=True, eq=False)
class RotationPlane:
    """The leading rotation of a game around a policy.

    Attributes:
        positions: (K, 2) of the actions. A policy lies at the mean of its actions' positions,
            the policy that the plane was made for at the origin.
        frequency: omega > 0, the largest with i omega an eigenvalue of (P - 1/2) D(pi).
        share: of this plane in all rotations, omega^2 / sum omega^2.
    """

    positions: Array
    frequency: float
    share: float

    def place(self, policies: Array) -> Array:
        """(..., K) policies -> (..., 2)."""
        return np.asarray(policies @ self.positions)


def rotation_plane(P: Array, policy: Array) -> RotationPlane | None:
    """The plane of the fastest rotation around a policy; None where nothing rotates.

    With D(pi) = diag(pi) - pi pi^T, s = sqrt(pi) and Q = I - s s^T, the skew matrix
    S = Q diag(s) (P - 1/2) diag(s) Q has the spectrum of (P - 1/2) D(pi), which governs every
    method of the family near pi. Its leading Schur pair (u, v), S = omega (u v^T - v u^T) + ...,
    puts action i at (u_i, v_i) / s_i, and then

        P_ij - 1/2 = g_i - g_j + omega * (position_i x position_j) + further rotations:

    an action beats those up to half a turn counter-clockwise of it, so play turns clockwise.
    (A disc game, Balduzzi et al., arXiv 1901.08106, weighted by the policy.)

    Args:
        P: (K, K) win probabilities.
        policy: (K,), usually an equilibrium; actions of probability zero are placed too.
    """
    size = len(policy)
    if not 3 <= size <= MAX_ACTIONS:
        return None
    A = P - 0.5
    A = (A - A.T) / 2
    s = np.sqrt(policy / policy.sum())
    weighted = s[:, None] * A * s[None, :]
    drift = weighted @ s
    # Q M Q with M skew, M s = drift, s . drift = 0
    S = weighted - np.outer(drift, s) + np.outer(s, drift)
    decomposition = schur_decomposition(0.5 + (S - S.T) / 2)
    if not len(decomposition.frequencies) or decomposition.frequencies[0] < 1e-9:
        return None
    omega = float(decomposition.frequencies[0])
    u, v = decomposition.planes[0].T
    # S u = -omega v and S v = omega u, read row by row, place actions of probability zero too.
    across = A @ (s * v) / omega
    up = -A @ (s * u) / omega
    positions = np.stack([across - policy @ across, up - policy @ up], axis=1)
    return RotationPlane(_turned(positions, policy), omega, float(decomposition.shares[0]))


def _turned(positions: Array, policy: Array) -> Array:
    """Rotated so that the action that matters most points up: the pair's phase is arbitrary.

    Of several that matter alike it is the first, whatever the rounding.
    """
    weight = policy * np.hypot(*positions.T)
    x, y = positions[np.flatnonzero(weight >= (1 - 1e-6) * weight.max())[0]]
    radius = np.hypot(x, y)
    if radius == 0:
        return positions
    cos, sin = y / radius, x / radius
    return np.asarray(positions @ np.array([[cos, sin], [-sin, cos]]))
