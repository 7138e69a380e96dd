"""Regret of a sequence of policies in self-play."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidPolicy
from simulators.equilibria.checks import as_policies, as_preferences

Array = NDArray[np.float64]


def external_regret(P: ArrayLike, policies: ArrayLike) -> float:
    """Cumulative regret against the best fixed action, max_j sum_t [P(j > pi_t) - 1/2].

    Each round pi_t meets itself. Twice the regret per round is the duality gap of the average
    policy.

    Args:
        P: (K, K).
        policies: (T, K), the policies played; in a run of T iterations pi_0 ... pi_(T-1).

    Returns:
        The sum over rounds, in units of win probability.

    Raises:
        InvalidGame: a matrix that is not square, or not of complementary win probabilities.
        InvalidPolicy: when the shapes do not fit, or a row is no distribution.
    """
    matrix, sequence = _checked(P, policies)
    return float((matrix @ sequence.sum(axis=0)).max() - 0.5 * len(sequence))


def swap_regret(P: ArrayLike, policies: ArrayLike) -> float:
    """Cumulative swap regret, sum_i max_j sum_t pi_t(i) [P(j > pi_t) - P(i > pi_t)].

    Args:
        P: (K, K).
        policies: (T, K).

    Raises:
        InvalidGame: a matrix that is not square, or not of complementary win probabilities.
        InvalidPolicy: when the shapes do not fit, or a row is no distribution.
    """
    matrix, sequence = _checked(P, policies)
    win_rates = sequence @ matrix.T
    # gains[i, j] = sum_t pi_t(i) (P pi_t)_j
    gains = sequence.T @ win_rates
    return float((gains - np.diagonal(gains)[:, None]).max(axis=1).sum())


def _checked(P: ArrayLike, policies: ArrayLike) -> tuple[Array, Array]:
    matrix = as_preferences(P, "P")
    sequence = as_policies(policies, matrix.shape[-1], "policies")
    if sequence.ndim != 2 or matrix.ndim != 2:
        raise InvalidPolicy(
            f"policies must be (T, K) for a (K, K) game, got {sequence.shape} and {matrix.shape}"
        )
    return matrix, sequence
