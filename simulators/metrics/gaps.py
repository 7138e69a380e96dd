"""How far a policy is from equilibrium: duality gaps, regularised and not, and multiplayer."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidSetting
from simulators.equilibria.checks import as_log_reference, as_policies, as_preferences

Array = NDArray[np.float64]


def duality_gap(
    P: ArrayLike,
    policy: ArrayLike,
    temperature: float = 0.0,
    reference: ArrayLike | None = None,
) -> NDArray[np.float64] | float:
    """The duality gap of the symmetric profile (pi, pi), MNPO Eq. 4.

    At temperature 0 this is NashConv, 2 (max_y P(y > pi) - 1/2), in units of win probability,
    between 0 and 1. At temperature tau it is the gap of the KL-regularised game,
    2 tau KL(pi || BR_tau(pi)) with BR_tau(y) proportional to ref(y) exp(P(y > pi) / tau). Eq. 9's
    gap of one player is half of it.

    Args:
        P: (K, K), or (..., K, K) broadcasting against the policies.
        policy: (..., K).
        temperature: tau >= 0.
        reference: (K,) or (..., K), full support; None is uniform. Only checked at temperature 0.

    Returns:
        A float, or an array of the policies' leading shape.

    Raises:
        InvalidGame: a matrix that is not square, or not of complementary win probabilities.
        InvalidPolicy: a policy or reference of another length than K, or no distribution; a
            reference without full support.
        InvalidSetting: a temperature that is negative, infinite or no number.
    """
    matrix = as_preferences(P, "P")
    pi = as_policies(policy, matrix.shape[-1], "policy")
    log_ref = as_log_reference(reference, matrix.shape[-1])
    number = isinstance(temperature, int | float | np.integer | np.floating)
    number = number and not isinstance(temperature, bool)
    if not number or not 0 <= temperature < np.inf:
        shown = f"{temperature:g}" if number else repr(temperature)
        raise InvalidSetting(f"temperature must be at least 0, got {shown}")
    win_rates = np.einsum("...ij,...j->...i", matrix, pi)
    if temperature == 0:
        gap = 2 * (win_rates.max(axis=-1) - 0.5)
    else:
        # Games, policies and references may each be one or many; actions go to axis 0.
        aligned = np.broadcast_arrays(win_rates, pi, log_ref)
        rates, policies, log_reference = (np.moveaxis(values, -1, 0) for values in aligned)
        gap = 2 * regularized_gap(rates, policies, log_reference, temperature)
    return float(gap) if np.ndim(gap) == 0 else np.asarray(gap)


def unregularized_gap(win_rates: Array, policy: Array) -> Array:
    """One player's gain from its best response, max_y F(y) - pi . F; actions on axis 0."""
    return np.asarray(win_rates.max(axis=0) - (policy * win_rates).sum(axis=0))


def regularized_gap(
    win_rates: Array,
    policy: Array,
    log_reference: Array,
    temperature: ArrayLike,
    log_policy: Array | None = None,
) -> Array:
    """One player's gain from its regularised best response, tau KL(pi || BR_tau).

    Args:
        win_rates: (K, ...) F(y) against the opponents.
        policy: (K, ...); its logarithm may be given where probabilities underflow.
        log_reference: (K, ...) or (K,); its trailing axes are the last ones of the win rates.
        temperature: tau > 0, broadcasting over the trailing shape.
        log_policy: (K, ...) log pi, finite.
    """
    tau = np.asarray(temperature, dtype=np.float64)
    if log_policy is None:
        # 0 log 0 = 0: a tiny number keeps the logarithm finite where no mass multiplies it.
        log_policy = np.log(np.maximum(policy, np.finfo(np.float64).smallest_subnormal))
    extra = win_rates.ndim - log_reference.ndim
    base = log_reference.reshape(log_reference.shape[:1] + (1,) * extra + log_reference.shape[1:])
    response = win_rates / tau
    response += base
    response -= response.max(axis=0)
    normaliser = np.log(np.exp(response).sum(axis=0))
    ratio = np.subtract(log_policy, response, out=response)
    ratio += normaliser
    ratio *= policy
    # A divergence is not negative; what is left below zero is rounding.
    return np.asarray(tau * np.maximum(ratio.sum(axis=0), 0.0))
