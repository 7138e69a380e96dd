"""The one-vs-many Plackett-Luce oracle, without enumerating opponents.

With utilities u, the response y is ranked first among y and n - 1 responses of the opponents
with probability ``E a_y / (a_y + sum_k a_{Y_k})``, a = e^u (MNPO, arXiv 2509.23102, Eq. 5 and 7).
No enumeration of the K^(n-1) opponent draws is needed. Let the response z finish an exponential
race at rate a_z; y is first iff it finishes first, so with ``t = log time``

    F(y) = integral exp(s - e^s) prod_k psi_k(t) dt,   s = t + u_y,
    psi_k(t) = sum_z pi_k(z) exp(-e^(t + u_z))         (opponent k has not finished by e^t).

One grid in t serves all y, so the cost is M K n, M nodes. The integrand is analytic and bounded
for |Im t| < pi/2, whatever the utilities and the number of opponents, so the trapezoid rule with
spacing h errs by about exp(-pi^2 / h): h = 1/4 is below double precision.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting
from simulators.equilibria.checks import as_policies

Array = NDArray[np.float64]

_SPACING = 0.25
# exp(s - e^s) integrates to 1e-17 below the one and to e^-40 above the other.
_BELOW, _ABOVE = -39.0, 3.7


@dataclass(frozen=True, eq=False)
class PlackettLuceOracle:
    """First-place probabilities among n players; precomputed for many policies.

    Attributes:
        utilities: (A, K) one row an annotator.
        players: n >= 2.
        annotator_weights: (A,) shares summing to one.
    """

    utilities: Array
    players: int
    annotator_weights: Array

    @classmethod
    def create(
        cls,
        utilities: ArrayLike,
        players: int,
        annotator_weights: ArrayLike | None = None,
    ) -> "PlackettLuceOracle":
        """Check the input; utilities (K,) or (A, K), weights None for equal shares.

        Raises:
            InvalidGame: utilities of another shape or not finite, weights of another length.
            InvalidSetting: fewer than two players, or no whole number of them.
        """
        u = np.atleast_2d(np.asarray(utilities, dtype=np.float64))
        if u.ndim != 2 or u.size == 0 or not np.isfinite(u).all():
            raise InvalidGame(
                f"utilities: shape {u.shape}; give finite numbers, (K,) or (annotators, K)"
            )
        if int(players) != players or players < 2:
            raise InvalidSetting(f"players: {players} is not a whole number of at least 2")
        if annotator_weights is None:
            weights = np.full(len(u), 1.0 / len(u))
        else:
            weights = np.atleast_1d(np.asarray(annotator_weights, dtype=np.float64))
            if weights.shape != (len(u),):
                raise InvalidGame(
                    f"annotator_weights: shape {weights.shape}, but there are {len(u)} annotators"
                )
            weights = as_policies(weights, len(u), "annotator_weights")
        return cls(u, int(players), weights / weights.sum())

    @property
    def actions(self) -> int:
        """Number of actions K."""
        return int(self.utilities.shape[1])

    @cached_property
    def _grids(self) -> list[tuple[Array, Array]]:
        """Per annotator: survival (M, K) ``exp(-e^(t+u))`` and weighted arrival (K, M)."""
        grids = []
        for share, row in zip(self.annotator_weights, self.utilities, strict=True):
            u = row - row.max()
            t = np.arange(_BELOW, _ABOVE - u.min() + _SPACING, _SPACING)
            s = t[:, None] + u[None, :]
            rate = np.exp(np.minimum(s, 700.0))
            arrival = np.exp(s - rate) * (share * _SPACING)
            grids.append((np.exp(-rate), np.ascontiguousarray(arrival.T)))
        return grids

    def win_rates(self, policy: Array) -> Array:
        """F_n(y; pi, ..., pi) for policies (..., K), same shape out."""
        total = np.zeros(policy.shape)
        for survival, arrival in self._grids:
            psi = policy @ survival.T
            total += psi ** (self.players - 1) @ arrival.T
        return total

    def win_rates_against(self, opponents: Array) -> Array:
        """F(y; pi_1, ..., pi_m) for distinct opponents (..., m, K); returns (..., K)."""
        total = np.zeros((*opponents.shape[:-2], opponents.shape[-1]))
        for survival, arrival in self._grids:
            psi = opponents @ survival.T
            total += psi.prod(axis=-2) @ arrival.T
        return total

    def gradient(self, policy: Array) -> Array:
        """dF_n(y; pi, ..., pi)/dpi(z), (..., K, K) for policies (..., K), all opponents moving."""
        total = np.zeros((*policy.shape, self.actions))
        for survival, arrival in self._grids:
            psi = policy @ survival.T
            slope = (self.players - 1) * psi ** (self.players - 2)
            total += (arrival * slope[..., None, :]) @ survival
        return total

    def gradient_against(self, opponents: Array) -> Array:
        """dF(y; pi_1..pi_m)/dpi_k(z), (..., m, K, K) for distinct opponents (..., m, K)."""
        total = np.zeros((*opponents.shape, self.actions))
        for survival, arrival in self._grids:
            others = _product_of_others(opponents @ survival.T)
            total += (arrival * others[..., None, :]) @ survival
        return total


def plackett_luce_win_rates(
    utilities: ArrayLike,
    opponents: ArrayLike,
    players: int | None = None,
    annotator_weights: ArrayLike | None = None,
) -> Array:
    """Probability that each action is ranked first among n players (MNPO Eq. 5 and 7).

    Args:
        utilities: (K,) or (A, K), one row an annotator.
        opponents: (K,) the policy of all n - 1 opponents, or (n-1, K) one policy each.
        players: n; needed with one policy, implied by n - 1 of them.
        annotator_weights: (A,) shares of the annotators; None is equal shares.

    Returns:
        (K,), to about 1e-15. Against itself a policy wins pi . F = 1/n.

    Raises:
        InvalidGame: utilities or weights of the wrong shape.
        InvalidPolicy: opponents that are no distributions over the K actions.
        InvalidSetting: players missing, below two, or not one more than the opponents.
    """
    return _evaluate(utilities, opponents, players, annotator_weights, gradient=False)


def plackett_luce_gradient(
    utilities: ArrayLike,
    opponents: ArrayLike,
    players: int | None = None,
    annotator_weights: ArrayLike | None = None,
) -> Array:
    """Derivative of :func:`plackett_luce_win_rates` in the opponents' policies.

    Returns:
        (K, K) ``dF_y/dpi_z`` when one policy is shared (all opponents move together), or
        (n-1, K, K) ``dF_y/dpi_k(z)`` for distinct ones.

    Raises:
        UserError: as :func:`plackett_luce_win_rates`.
    """
    return _evaluate(utilities, opponents, players, annotator_weights, gradient=True)


def _evaluate(
    utilities: ArrayLike,
    opponents: ArrayLike,
    players: int | None,
    annotator_weights: ArrayLike | None,
    gradient: bool,
) -> Array:
    shape = np.shape(opponents)
    if len(shape) == 1 and players is None:
        raise InvalidSetting("players: missing; one opponent policy does not say how many play it")
    if len(shape) not in (1, 2):
        raise InvalidPolicy(f"opponents: shape {shape}; give (K,) or (n-1, K)")
    if len(shape) == 2 and players is not None and players != shape[0] + 1:
        raise InvalidSetting(f"players: {players}, but {shape[0]} opponents are given")
    count = players if players is not None else shape[0] + 1
    oracle = PlackettLuceOracle.create(utilities, count, annotator_weights)
    pi = as_policies(opponents, oracle.actions, "opponents")
    if len(shape) == 1:
        return oracle.gradient(pi) if gradient else oracle.win_rates(pi)
    return oracle.gradient_against(pi) if gradient else oracle.win_rates_against(pi)


def _product_of_others(psi: Array) -> Array:
    """Products over all k but one along axis -2, without dividing by factors that are zero."""
    before = np.ones_like(psi)
    np.cumprod(psi[..., :-1, :], axis=-2, out=before[..., 1:, :])
    after = np.ones_like(psi)
    after[..., :-1, :] = np.cumprod(psi[..., :0:-1, :], axis=-2)[..., ::-1, :]
    return np.asarray(before * after)
