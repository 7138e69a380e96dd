"""Regularised Nash equilibrium of heterogeneous players: each has a preference oracle of its own.

Player i is paid ``pi_i . P_i mean_{j != i} pi_j - tau KL(pi_i || ref)``: what heterogeneous MNPO
(arXiv 2509.23102, section on heterogeneous preferences) would solve if its players were the
self-interested ones of its objective. With one oracle for all it is the symmetric regularised
equilibrium. The game is general-sum, so other equilibria may exist at low temperature; the one
returned lies on the branch that starts at the reference at infinite temperature (the principal
branch of McKelvey and Palfrey's quantal response equilibria, 1995).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting
from simulators.equilibria.branch import trace
from simulators.equilibria.checks import as_log_reference, as_preferences, as_temperatures
from simulators.equilibria.path import Rows, follow, log_normalise, require_convergence, softmax

Array = NDArray[np.float64]

_SAME = 1e-8  # equilibria further apart than this, in total variation, are different ones


@dataclass(frozen=True, eq=False)
class GeneralSumEquilibrium:
    """One policy a player, and the certificate.

    Attributes:
        policies: (n, K).
        log_policies: (n, K), normalised.
        gaps: (n,) what each player could still gain, ``tau KL(pi_i || BR_i)``.
        residual: ``max |log pi_i - log BR_i|`` over players and actions, in nats.
        homotopy_steps: points visited along the branch.
        others: (m, n, K) further equilibria that the extra starts reached; empty if none.
    """

    policies: Array
    log_policies: Array
    gaps: Array
    residual: float
    homotopy_steps: int
    others: Array


def general_sum_equilibrium(
    oracles: ArrayLike,
    temperature: float,
    reference: ArrayLike | None = None,
    *,
    starts: int = 0,
    seed: int = 0,
) -> GeneralSumEquilibrium:
    """The regularised equilibrium of players with different preference oracles.

    Args:
        oracles: (n, K, K) preference matrix of each of n >= 2 players, rows beat columns.
        temperature: tau > 0.
        reference: (K,) shared, or (n, K) one a player, with full support; None is uniform.
        starts: further random starting profiles, to look for other equilibria.
        seed: of the random starts.

    Raises:
        InvalidGame: no stack of at least two preference matrices.
        InvalidPolicy: a reference that is no distribution with full support.
        InvalidSetting: temperature <= 0, or so small that no equilibrium could be certified.
    """
    P = as_preferences(oracles, "oracles")
    if P.ndim != 3 or len(P) < 2:
        raise InvalidGame(f"oracles: shape {P.shape}; give (n, K, K), one matrix a player, n >= 2")
    if starts < 0:
        raise InvalidSetting(f"starts: {starts} is negative")
    tau = as_temperatures(temperature)
    if tau.ndim:
        raise InvalidSetting("temperature: give one number; the players share it")
    players, actions = P.shape[:2]
    log_ref = as_log_reference(reference, actions)
    if log_ref.ndim > 1 and log_ref.shape != (players, actions):
        raise InvalidPolicy(
            f"reference: shape {log_ref.shape}; give ({actions},) or ({players}, {actions})"
        )
    payoffs = _HeterogeneousPayoffs(P - 0.5)
    flat = np.broadcast_to(log_ref, (players, actions)).reshape(1, -1)
    found = trace(payoffs, flat, float(tau), players)
    require_convergence(found, tau[None])
    x = found.x.reshape(players, actions)
    log_policies = log_normalise(x)
    response = log_normalise((flat + payoffs.value(found.x, _ONE) / tau).reshape(x.shape))
    policies = np.exp(log_policies)
    gains = tau * (policies * (log_policies - response)).sum(axis=1)
    return GeneralSumEquilibrium(
        policies=policies,
        log_policies=log_policies,
        gaps=np.maximum(gains, 0.0),  # rounding can push a divergence below zero
        residual=float(np.abs(log_policies - response).max()),
        homotopy_steps=int(found.homotopy_steps[0]),
        others=_others(payoffs, flat, tau, policies, starts, seed),
    )


_ONE: Rows = np.zeros(1, dtype=np.intp)


class _HeterogeneousPayoffs:
    """F_i = A_i mean_{j != i} pi_j over profiles flattened to (B, n K)."""

    def __init__(self, games: Array) -> None:
        self._games = games
        self.scale = float(np.abs(games).max(initial=1e-3))

    def value(self, x: Array, rows: Rows) -> Array:
        pi = self._profiles(x)
        mean = (pi.sum(axis=1, keepdims=True) - pi) / (len(self._games) - 1)
        return np.asarray(np.einsum("iab,zib->zia", self._games, mean).reshape(x.shape))

    def jacobian(self, x: Array, rows: Rows) -> Array:
        players, actions = self._games.shape[:2]
        pi = self._profiles(x)
        J = np.zeros((len(x), players, actions, players, actions))
        for j in range(players):
            for i in range(players):
                if i != j:
                    centred = self._games[i] - (pi[:, j] @ self._games[i].T)[:, :, None]
                    J[:, i, :, j, :] = centred * pi[:, j, None, :] / (players - 1)
        return J.reshape(len(x), players * actions, -1)

    def _profiles(self, x: Array) -> Array:
        return softmax(x.reshape(len(x), *self._games.shape[:2]))


def _others(
    payoffs: _HeterogeneousPayoffs,
    log_ref: Array,
    tau: Array,
    policies: Array,
    starts: int,
    seed: int,
) -> Array:
    """Distinct equilibria reached by Newton from random profiles."""
    known = [policies]
    rng = np.random.default_rng(seed)
    for _ in range(starts):
        corners = rng.dirichlet(np.full(policies.shape[1], 0.3), size=len(policies))
        initial = np.log(np.maximum(corners, 1e-6)).reshape(1, -1)
        found = follow(payoffs, log_ref, tau[None], initial=initial)
        pi = softmax(found.x.reshape(policies.shape))
        distances = [0.5 * np.abs(pi - other).sum(axis=1).max() for other in known]
        if found.converged[0] and min(distances) > _SAME:
            known.append(pi)
    return np.array(known[1:]).reshape(-1, *policies.shape)
