"""What is watched during a run: metrics at every iteration, policies only when asked for."""

import numpy as np
from numpy.typing import NDArray

from simulators.dynamics.oracles import Oracle
from simulators.dynamics.policies import Policies
from simulators.metrics.gaps import regularized_gap, unregularized_gap

Array = NDArray[np.float64]


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
        self._temperature = temperature
        shape = (iterations + 1, columns)
        self.gap = np.empty(shape)
        self.average_gap = np.empty(shape)
        self.regularized_gap = np.full(shape, np.nan)
        self.average_regularized_gap = np.full(shape, np.nan)
        self.kl = np.full(shape, np.nan)
        self.squared_distance = np.full(shape, np.nan)
        self.movement = np.zeros(shape)
        self.spread = np.empty(shape)
        self.leader = np.empty(shape, dtype=np.intp)
        self.multiplayer_gap: Array | None = None
        self.average: Array | None = None
        self.last: list[Policies] = []
        self.trajectory: Array | None = None
        self._keep = keep_policies
        self._sum: Array | None = None

    def observe(self, t: int, policies: list[Policies]) -> None:
        """Record iteration t."""
        regularized = self._log_equilibrium is not None
        average = self._running_average(t, policies)
        gaps = []
        for player, current in enumerate(policies):
            rates = self._oracle.win_rates(current.probabilities)
            gaps.append(self._scaled(unregularized_gap(rates, current.probabilities)))
            if regularized:
                self._observe_regularized(t, rates, current, share=1 / len(policies))
            if self.last:
                change = np.abs(current.log - self.last[player].log).max(axis=0)
                np.maximum(self.movement[t], change, out=self.movement[t])
        self.gap[t] = np.max(gaps, axis=0)
        rates = self._oracle.win_rates(average)
        self.average_gap[t] = self._scaled(unregularized_gap(rates, average))
        if regularized:
            gap = regularized_gap(rates, average, self._log_reference, self._temperature)
            self.average_regularized_gap[t] = self._scaled(gap)
        self.spread[t] = np.max([p.log.max(axis=0) - p.log.min(axis=0) for p in policies], axis=0)
        self.leader[t] = policies[0].probabilities.argmax(axis=0)
        if len(policies) > 1:
            self._observe_players(t, policies)
        if self._keep:
            self._store(t, policies)
        self.last = policies
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
        gap = regularized_gap(
            rates, current.probabilities, self._log_reference, self._temperature, current.log
        )
        worst = np.fmax(self.regularized_gap[t], self._scaled(gap))
        self.regularized_gap[t] = worst
        equilibrium = np.exp(self._log_equilibrium)
        difference = self._log_equilibrium - current.log
        kl = np.maximum((equilibrium * difference).sum(axis=0), 0.0)
        squared = (equilibrium * difference**2).sum(axis=0)
        self.kl[t] = np.nan_to_num(self.kl[t]) + share * kl
        self.squared_distance[t] = np.nan_to_num(self.squared_distance[t]) + share * squared

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

    def _running_average(self, t: int, policies: list[Policies]) -> Array:
        """Mean over rounds and players of the policies played, pi_0 ... pi_(t-1); pi_0 at t = 0.

        Round t is played with the policy that has not yet seen it, which is what regret counts.
        """
        if not self.last:
            self._sum = np.zeros_like(policies[0].probabilities)
            return np.asarray(np.mean([p.probabilities for p in policies], axis=0))
        assert self._sum is not None
        self._sum += np.mean([p.probabilities for p in self.last], axis=0)
        return np.asarray(self._sum / t)

    def _store(self, t: int, policies: list[Policies]) -> None:
        if self.trajectory is None:
            shape = policies[0].log.shape
            self.trajectory = np.empty((len(self.gap), len(policies), *shape))
        for player, current in enumerate(policies):
            self.trajectory[t, player] = current.probabilities


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
