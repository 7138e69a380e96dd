"""Who beats whom: win probabilities of policies on each prompt, and the game they make together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, mean_interval
from mnpo.errors import InvalidSetting
from simulators import duality_gap, hodge_decomposition, nash_equilibrium

Array: TypeAlias = NDArray[np.float64]


def block_means(preferences: Array, owners: Sequence[int], policies: int) -> Array:
    """Win probabilities between policies on one prompt.

    Args:
        preferences: (K, K) probability that response i beats response j.
        owners: (K,) number of the policy that gave each response.
        policies: N.

    Returns:
        (N, N) mean over the responses of both policies; 1/2 on the diagonal, NaN where a policy
        gave no response.
    """
    member = np.zeros((policies, len(owners)))
    member[list(owners), np.arange(len(owners))] = 1.0
    count = member.sum(axis=1)
    pairs = np.outer(count, count)
    means = np.full((policies, policies), np.nan)
    np.divide(member @ preferences @ member.T, pairs, out=means, where=pairs > 0)
    np.fill_diagonal(means, np.where(count > 0, 0.5, np.nan))
    return means


@dataclass(frozen=True, eq=False)
class WinMatrix:
    """Win probabilities of N policies on C prompts.

    Attributes:
        names: of the policies.
        wins: (C, N, N) P(row beats column) on each prompt, NaN where it was not measured.
    """

    names: tuple[str, ...]
    wins: Array

    def __post_init__(self) -> None:
        """Refuse another shape."""
        size = len(self.names)
        if self.wins.shape[1:] != (size, size):
            raise InvalidSetting(f"{size} policies got win rates of shape {self.wins.shape}")

    @property
    def complete(self) -> bool:
        """Whether every pair was measured on at least one prompt."""
        return bool((~np.isnan(self.wins)).any(axis=0).all())

    @property
    def mean(self) -> Array:
        """(N, N) mean over the prompts on which a pair was measured; NaN where on none."""
        present = ~np.isnan(self.wins)
        count = present.sum(axis=0)
        means = np.full(count.shape, np.nan)
        np.divide(np.where(present, self.wins, 0.0).sum(axis=0), count, out=means, where=count > 0)
        return means

    def pair(self, row: str, column: str) -> Interval:
        """Win rate of one policy against another; prompts are the clusters."""
        values = self.wins[:, self._index(row), self._index(column)]
        return _over_prompts(values, f"{row} against {column}")

    def against_pool(self, row: str) -> Interval:
        """Mean win rate against every other policy; prompts are the clusters."""
        index = self._index(row)
        others = np.delete(self.wins[:, index, :], index, axis=1)
        whole = others[~np.isnan(others).any(axis=1)]
        return _over_prompts(whole.mean(axis=1), f"{row} against the pool")

    def shares_prompts(self, row: str) -> bool:
        """Whether some prompt has a policy's win rate against every other."""
        return bool((~np.isnan(self.wins[:, self._index(row), :])).all(axis=1).any())

    def against_mixture(self, row: str, shares: Mapping[str, float]) -> Interval:
        """Win rate against opponents that are drawn with these probabilities.

        The mixture is the same for every policy; against itself a policy scores 1/2. Prompts that
        lack an opponent of the mixture are left out.

        Raises:
            InvalidSetting: the shares are no distribution over the policies, or no prompt has all.
        """
        weights = self.mixture(shares)
        rates = self.wins[:, self._index(row), weights > 0] @ weights[weights > 0]
        return _over_prompts(rates, f"{row} against the mixture")

    def mixture(self, shares: Mapping[str, float]) -> Array:
        """(N,) the probabilities of a mixture of opponents, in the policies' order.

        Raises:
            InvalidSetting: an unknown policy, a negative share, or a sum other than 1.
        """
        weights = np.zeros(len(self.names))
        for name, share in shares.items():
            weights[self._index(name)] = share
        if not (weights >= 0).all() or not abs(weights.sum() - 1) < 1e-6:
            raise InvalidSetting(
                f"the opponents' shares must be at least 0 and sum to 1, got {dict(shares)}"
            )
        return np.asarray(weights / weights.sum())

    def measured(self, row: str, column: str) -> bool:
        """Whether a pair was measured on some prompt."""
        return not bool(np.isnan(self.wins[:, self._index(row), self._index(column)]).all())

    def worst_opponent(self, row: str) -> str:
        """The other policy with the highest win rate against it."""
        index = self._index(row)
        rates = self.mean[index].copy()
        rates[index] = np.inf
        return self.names[int(np.nanargmin(rates))]

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise InvalidSetting(
                f"no policy '{name}' in this cross-play of {', '.join(self.names)}"
            )
        return self.names.index(name)


def mean_over_judges(matrices: Sequence[WinMatrix]) -> WinMatrix:
    """The game of a population that is asked in equal shares; NaN where any was not."""
    return WinMatrix(matrices[0].names, np.mean([matrix.wins for matrix in matrices], axis=0))


@dataclass(frozen=True, eq=False)
class PoolGame:
    """The game whose actions are the policies, as measured.

    The matrix is an estimate: noise in it looks like cycles and like exploitability, so both are
    above their true values in expectation where policies are nearly equal;
    `evaluation.pool.intervals` says by how much they may be off.

    Attributes:
        nash: (N,) the Nash average, of largest entropy where there are several equilibria.
        nash_is_unique: whether there is only one.
        nash_win_rate: (N,) win rate against the Nash average; 1/2 on its support, below elsewhere.
        exploitability: (N,) highest win rate of any policy against each, minus 1/2: half of the
            duality gap of always playing it.
        cyclic_share: share of the squared advantages that no ratings explain (Hodge), in [0, 1].
    """

    nash: Array
    nash_is_unique: bool
    nash_win_rate: Array
    exploitability: Array
    cyclic_share: float


def solve_pool(mean: Array) -> PoolGame:
    """Equilibrium and cycles of a win matrix.

    Args:
        mean: (N, N) complete, P + P.T = 1 up to rounding.
    """
    matrix = (mean + 1.0 - mean.T) / 2.0
    found = nash_equilibrium(matrix)
    return PoolGame(
        nash=found.policy,
        nash_is_unique=found.unique,
        nash_win_rate=matrix @ found.policy,
        exploitability=np.asarray(duality_gap(matrix, np.eye(len(matrix)))) / 2.0,
        cyclic_share=hodge_decomposition(matrix).cyclic_share,
    )


def _over_prompts(values: Array, what: str) -> Interval:
    measured = values[~np.isnan(values)]
    if not len(measured):
        raise InvalidSetting(f"{what} was not measured")
    return mean_interval(measured, bounds=(0.0, 1.0))
