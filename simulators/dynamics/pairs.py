"""Preference data: weighted, labelled pairs of actions, exact or sampled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.dynamics.oracles import Oracle

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairData:
    """Comparisons of every ordered pair of actions, for each column.

    Attributes:
        weights: (B, K, K) share of the comparisons that are (i, j), summing to one a column.
        preferences: (B, K, K) share of those that i won; anything where the weight is 0.
        comparisons: number of comparisons behind a column; None for the population.
    """

    weights: Array
    preferences: Array
    comparisons: int | None = None

    @property
    def wins(self) -> Array:
        """(B, K, K) share of all comparisons in which i beat j, whatever the order asked in."""
        first = self.weights * self.preferences
        second = self.weights * (1 - self.preferences)
        return np.asarray(first + np.swapaxes(second, 1, 2))

    def merged(self, other: "PairData") -> "PairData":
        """Both sets of sampled comparisons as one."""
        assert self.comparisons is not None
        assert other.comparisons is not None
        total = self.comparisons + other.comparisons
        own, share = self.comparisons / total, other.comparisons / total
        weights = own * self.weights + share * other.weights
        won = own * self.weights * self.preferences + share * other.weights * other.preferences
        preferences = np.divide(won, weights, out=np.full_like(won, 0.5), where=weights > 0)
        return PairData(weights, preferences, total)


def population_pairs(opponents: Array, preferences: Array) -> PairData:
    """All pairs, weighted mu_i mu_j and labelled with the true preferences.

    Args:
        opponents: (K, B) the pair sampler mu.
        preferences: (K, K) or (B, K, K).
    """
    mu = opponents.T
    weights = mu[:, :, None] * mu[:, None, :]
    return PairData(weights, np.broadcast_to(preferences, weights.shape))


class PairSampler:
    """Asks a finite number of noisy questions "does y beat y'?", pairs iid from an opponent.

    Each column has its own random stream, so that a run's numbers do not depend on which other
    runs share its batch.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        queries: int,
        label_noise: float = 0.0,
        annotators: tuple[Array, Array] | None = None,
    ) -> None:
        """One stream per column.

        Args:
            seeds: B seeds.
            queries: comparisons per column and call.
            label_noise: probability that an answer is flipped.
            annotators: (A, K, K) matrices and (A,) shares: one annotator, drawn anew for each
                iteration and column, answers all of that iteration's questions. None lets the
                oracle's (mean) matrix answer every question.
        """
        self._streams = [np.random.default_rng([seed, 1]) for seed in seeds]
        self._annotator_streams = [np.random.default_rng([seed, 2]) for seed in seeds]
        self._annotators = annotators
        self._drawn: tuple[int, NDArray[np.intp]] | None = None
        self.queries = queries
        self.label_noise = label_noise

    def sample(self, opponents: Array, oracle: Oracle, iteration: int) -> PairData:
        """``queries`` labelled pairs for each column; opponents (K, B)."""
        preferences = self._answers(oracle, iteration)
        size, columns = opponents.shape
        noisy = (1 - 2 * self.label_noise) * preferences + self.label_noise
        noisy = np.broadcast_to(noisy, (columns, size, size))
        counts = np.empty((columns, size * size))
        won = np.empty_like(counts)
        for b, stream in enumerate(self._streams):
            mu = opponents[:, b] / opponents[:, b].sum()
            cells = np.outer(mu, mu).ravel()
            asked = stream.multinomial(self.queries, cells / cells.sum())
            counts[b] = asked
            won[b] = stream.binomial(asked, np.clip(noisy[b].ravel(), 0, 1))
        preferences = np.divide(won, counts, out=np.full_like(won, 0.5), where=counts > 0)
        shape = (columns, size, size)
        return PairData(
            (counts / self.queries).reshape(shape), preferences.reshape(shape), self.queries
        )

    def _answers(self, oracle: Oracle, iteration: int) -> Array:
        if self._annotators is None:
            return oracle.matrices()
        matrices, shares = self._annotators
        if self._drawn is None or self._drawn[0] != iteration:
            drawn = [stream.choice(len(shares), p=shares) for stream in self._annotator_streams]
            self._drawn = iteration, np.array(drawn)
        return np.asarray(matrices[self._drawn[1]])
