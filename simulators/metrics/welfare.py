"""What a policy gives to each of several annotators who disagree."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def annotator_win_rates(
    annotators: ArrayLike, policy: ArrayLike, opponent: ArrayLike | None = None
) -> Array:
    """How often each annotator prefers the policy to the opponent, pi P_a opponent.

    Args:
        annotators: (A, K, K) one preference matrix each.
        policy: (K,).
        opponent: (K,); None is the uniform policy.

    Returns:
        (A,) win rates; 1/2 is indifference.
    """
    matrices = np.asarray(annotators, dtype=np.float64)
    pi = np.asarray(policy, dtype=np.float64)
    size = matrices.shape[-1]
    other = np.full(size, 1 / size) if opponent is None else np.asarray(opponent)
    return np.asarray(np.einsum("i,aij,j->a", pi, matrices, other))


def worst_annotator_win_rate(
    annotators: ArrayLike, policy: ArrayLike, opponent: ArrayLike | None = None
) -> float:
    """The smallest of `annotator_win_rates`."""
    return float(annotator_win_rates(annotators, policy, opponent).min())


def nash_welfare(
    annotators: ArrayLike,
    policy: ArrayLike,
    weights: ArrayLike | None = None,
    opponent: ArrayLike | None = None,
) -> float:
    """Weighted geometric mean of the annotators' win rates, prod_a rate_a ** weight_a.

    The limit of the one-vs-many Plackett-Luce game for many players maximises this kind of
    product; an annotator who never wins makes it 0.
    """
    rates = annotator_win_rates(annotators, policy, opponent)
    shares = np.full(len(rates), 1 / len(rates)) if weights is None else np.asarray(weights)
    with np.errstate(divide="ignore"):
        return float(np.exp((shares * np.log(rates)).sum()))
