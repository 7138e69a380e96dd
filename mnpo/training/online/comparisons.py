"""Which comparisons of K responses enter the loss, and with which labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnpo.training.recipe import PairSettings

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparisons:
    """What the loss of one group compares.

    Attributes:
        weights: (K, K) share of the comparisons that are (i, j), summing to one; all zero where
            nothing can be compared.
        preferences: (K, K) probability or label with which i beats j.
    """

    weights: Array
    preferences: Array

    @property
    def empty(self) -> bool:
        """Whether nothing is compared."""
        return not bool(self.weights.any())


def choose_pairs(
    preferences: Array, ids: Sequence[tuple[int, ...]], settings: PairSettings, seed: int
) -> Comparisons:
    """The comparisons of K sampled responses.

    The expectation over pairs drawn iid from the sampler is what the theory's loss is; "all" and
    "iid" are unbiased for it (a pair of equal responses only adds a constant). "best-worst" is
    not: it compares the extremes of each group, whose labels are transitive by construction, so
    large advantages are flattened and middling responses are never seen.

    Args:
        preferences: (K, K) the oracle's win probabilities.
        ids: K token sequences; pairs of identical ones are never a best and a worst.
        settings: scheme and labels.
        seed: of the pairing and of hard labels.
    """
    size = len(preferences)
    random = np.random.default_rng([seed, size])
    weights = np.zeros((size, size))
    match settings.scheme:
        case "all":
            weights[~np.eye(size, dtype=bool)] = 1 / (size * (size - 1)) if size > 1 else 0.0
        case "iid":
            for first in range(0, size - 1, 2):
                weights[first, first + 1] = 1 / (size // 2)
        case "best-worst":
            mean = (preferences.sum(axis=1) - 0.5) / max(size - 1, 1)
            # Of several worst the last: where all are tied, two different ones are compared.
            best, worst = int(mean.argmax()), size - 1 - int(mean[::-1].argmin())
            if ids[best] != ids[worst]:
                weights[best, worst] = 1.0
    labels = preferences
    if settings.labels == "hard":
        drawn = np.triu(random.random((size, size)) < preferences, 1).astype(float)
        labels = drawn + np.tril(1 - drawn.T, -1) + 0.5 * np.eye(size)
    return Comparisons(weights, labels)


def weigh_support(preferences: Array, log_probs: Array) -> Comparisons:
    """All pairs of a known support, weighed by the sampling policy's exact probabilities.

    Args:
        preferences: (K, K).
        log_probs: (K,) log-probs of the support under the sampler; normalised here.
    """
    mu = np.exp(log_probs - log_probs.max())
    mu = mu / mu.sum()
    return Comparisons(np.outer(mu, mu), preferences)


def against_demonstrations(samples: int) -> Comparisons:
    """SPIN's pairs: response 0 is the demonstration, the others are the policy's own samples."""
    weights = np.zeros((samples + 1, samples + 1))
    weights[0, 1:] = 1 / max(samples, 1)
    preferences = np.full_like(weights, 0.5)
    preferences[0, 1:], preferences[1:, 0] = 1.0, 0.0
    return Comparisons(weights, preferences)
