"""What is watched during a run: metrics at every iteration, policies only when asked for."""

import numpy as np
from numpy.typing import NDArray

from simulators.dynamics.oracles import Oracle
from simulators.dynamics.policies import Policies
from simulators.metrics.gaps import regularized_gap, unregularized_gap

Array = NDArray[np.float64]

#: Up to this many actions a scan over the rows beats numpy's argmax down the columns.
_FEW = 16


class Recorder:
    """Streams the metrics of a batch; memory (T + 1) x B, never times K unless policies are kept.

    With several players the gaps are the worst player's, in the game of the mean oracle; the
    distance, the average and the welfare figures take the mean over players.
    """

    def __init__(
        self,
        oracle: Oracle,
        log_reference: Array,
        log_equilibrium: Array | None,
        temperature: Array,
        iterations: int,
        columns: int,
        *,
        keep_policies: bool = False,
        own_oracles: tuple[Oracle, ...] | None = None,
    ) -> None:
        """Allocate the series.

        Args:
            oracle: the true game the policies are judged in.
            log_reference: (K, 1) or (K, B).
            log_equilibrium: (K, 1) or (K, B) regularised equilibrium; None at temperature 0.
            temperature: (B,) of the regularised game.
            iterations: T.
            columns: B.
            keep_policies: keep every policy, (T + 1, players, K, B).
            own_oracles: one oracle per player, for Eq. 9's gap of a heterogeneous game.
        """
        self._oracle = oracle
        self._own = own_oracles
        self._log_reference = log_reference
        self._log_equilibrium = log_equilibrium
        self._equilibrium = None if log_equilibrium is None else np.exp(log_equilibrium)
        self._temperature = temperature
        shape = (iterations + 1, columns)
        self.gap = np.empty(shape)
        self.average_gap = np.empty(shape)
        unknown = np.nan if log_equilibrium is None else 0.0
        self.regularized_gap = np.full(shape, unknown)
        self.average_regularized_gap = np.full(shape, unknown)
        self.kl = np.full(shape, unknown)
        self.squared_distance = np.full(shape, unknown)
        self.movement = np.zeros(shape)
        self.spread = np.empty(shape)
        self.leader = np.empty(shape, dtype=np.intp)
        self.multiplayer_gap: Array | None = None
        self.average: Array | None = None
        self.last: list[Policies] = []
        self.trajectory: Array | None = None
        self._keep = keep_policies
        self._rates: list[Array] = []
        self._sum: Array | None = None
        self._rate_sum: Array | None = None

    def observe(self, t: int, policies: list[Policies]) -> None:
        """Record iteration t."""
        regularized = self._equilibrium is not None
        rates = [self._oracle.win_rates(p.probabilities) for p in policies]
        average, average_rates = self._running_average(t, policies, rates)
        for player, current in enumerate(policies):
            gap = self._scaled(unregularized_gap(rates[player], current.probabilities))
            self.gap[t] = np.maximum(self.gap[t], gap) if player else gap
            if regularized:
                self._observe_regularized(t, rates[player], current, share=1 / len(policies))
            if self.last:
                change = np.abs(current.log - self.last[player].log).max(axis=0)
                np.maximum(self.movement[t], change, out=self.movement[t])
            spread = current.log.max(axis=0) - current.log.min(axis=0)
            self.spread[t] = np.maximum(self.spread[t], spread) if player else spread
        self.average_gap[t] = self._scaled(unregularized_gap(average_rates, average))
        if regularized:
            gap = regularized_gap(average_rates, average, self._log_reference, self._temperature)
            self.average_regularized_gap[t] = self._scaled(gap)
        self.leader[t] = _largest(policies[0].probabilities)
        if len(policies) > 1:
            self._observe_players(t, policies)
        if self._keep:
            self._store(t, policies)
        self.last, self._rates = policies, rates
        self.average = average

    def truncate(self, length: int) -> None:
        """Keep the first ``length`` iterations, those that were observed."""
        for name, values in vars(self).items():
            if isinstance(values, np.ndarray) and name in _SERIES:
                setattr(self, name, values[:length])

    def _scaled(self, gain: Array) -> Array:
        """Sum of all players' gains in the symmetric profile: Eq. 4 for two players."""
        return self._oracle.players * gain

    def _observe_regularized(self, t: int, rates: Array, current: Policies, share: float) -> None:
        assert self._log_equilibrium is not None
        assert self._equilibrium is not None
        gap = regularized_gap(
            rates, current.probabilities, self._log_reference, self._temperature, current.log
        )
        np.maximum(self.regularized_gap[t], self._scaled(gap), out=self.regularized_gap[t])
        difference = self._log_equilibrium - current.log
        weighted = self._equilibrium * difference
        self.kl[t] += share * np.maximum(weighted.sum(axis=0), 0.0)
        weighted *= difference
        self.squared_distance[t] += share * weighted.sum(axis=0)

    def _observe_players(self, t: int, policies: list[Policies]) -> None:
        """Eq. 9: each player's gain from its best response to the others, under its own oracle."""
        if self.multiplayer_gap is None:
            self.multiplayer_gap = np.empty((len(self.gap), len(policies), self.gap.shape[1]))
        for player, current in enumerate(policies):
            others = [p.probabilities for j, p in enumerate(policies) if j != player]
            oracle = self._own[player] if self._own else self._oracle
            rates = oracle.win_rates(np.mean(others, axis=0))
            if self._log_equilibrium is None:
                gap = unregularized_gap(rates, current.probabilities)
            else:
                gap = regularized_gap(
                    rates,
                    current.probabilities,
                    self._log_reference,
                    self._temperature,
                    current.log,
                )
            self.multiplayer_gap[t, player] = gap

    def _running_average(
        self, t: int, policies: list[Policies], rates: list[Array]
    ) -> tuple[Array, Array]:
        """Mean over rounds and players of the policies played, and the win rates against it.

        Of pi_0 ... pi_(t-1), and pi_0 at t = 0: round t is played with the policy that has not
        yet seen it, which is what regret counts.
        """
        if not self.last:
            average = _mean([p.probabilities for p in policies])
            self._sum, self._rate_sum = np.zeros_like(average), np.zeros_like(average)
            return average, _mean(rates) if self._oracle.linear else self._oracle.win_rates(average)
        assert self._sum is not None
        assert self._rate_sum is not None
        self._sum += _mean([p.probabilities for p in self.last])
        average = self._sum / t
        self._rate_sum += _mean(self._rates)
        if not self._oracle.linear:
            return average, self._oracle.win_rates(average)
        # The win rate against a mixture is the mixture of the win rates: no matrix product.
        return average, self._rate_sum / t

    @property
    def external_regret(self) -> Array:
        """(B,) max_y sum_t F(y; pi_t) - T/n over the rounds played; F averages 1/n against itself.

        For a pairwise game that is half the gap of the average policy times T.
        """
        assert self._rate_sum is not None
        rounds = len(self.gap) - 1
        return np.asarray(self._rate_sum.max(axis=0) - rounds / self._oracle.players)

    def _store(self, t: int, policies: list[Policies]) -> None:
        if self.trajectory is None:
            shape = policies[0].log.shape
            self.trajectory = np.empty((len(self.gap), len(policies), *shape))
        for player, current in enumerate(policies):
            self.trajectory[t, player] = current.probabilities


def _mean(arrays: list[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.asarray(np.mean(arrays, axis=0))


def _largest(probabilities: Array) -> NDArray[np.intp]:
    """Row index of each column's largest entry; in passes along the columns where rows are few."""
    if len(probabilities) > _FEW:
        return np.asarray(probabilities.argmax(axis=0), dtype=np.intp)
    best = probabilities[0].copy()
    leader = np.zeros(len(best), dtype=np.intp)
    for action, row in enumerate(probabilities[1:], start=1):
        leader[row > best] = action
        np.maximum(best, row, out=best)
    return leader


_SERIES = frozenset(
    {
        "gap",
        "average_gap",
        "regularized_gap",
        "average_regularized_gap",
        "kl",
        "squared_distance",
        "movement",
        "spread",
        "leader",
        "multiplayer_gap",
        "trajectory",
    }
)
