"""What a run returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.algorithms import Algorithm
from simulators.dynamics.problem import Ledger
from simulators.dynamics.recorder import Recorder
from simulators.dynamics.settings import Settings
from simulators.dynamics.setup import Batch
from simulators.equilibria import general_sum_equilibrium
from simulators.games import Game
from simulators.metrics.gaps import duality_gap
from simulators.metrics.local_rate import aims_at_regularized_equilibrium, local_multiplier
from simulators.metrics.rates import fitted_multiplier
from simulators.metrics.regret import swap_regret
from simulators.metrics.verdict import CLOSED, Evidence, Verdict, judge
from simulators.metrics.welfare import nash_welfare, worst_annotator_win_rate

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BatchResult:
    """R runs of one algorithm: metrics over time, and where each run ended.

    Series have shape (T + 1, R); on contextual games they are means over the contexts (movement
    and spread: maxima). ``stopped`` says why a run ended before its last iteration: its update
    had no finite minimiser, the log-odds having run off. Such a run *diverges*.
    """

    games: Sequence[Game]
    settings: Settings
    algorithm: Algorithm
    step_size: Array
    temperature: Array
    seeds: list[int]
    batch: Batch
    recorder: Recorder
    ledger: Ledger
    stopped: str | None = None

    @property
    def runs(self) -> int:
        """R."""
        return self.batch.runs

    def game(self, run: int) -> Game:
        """The game of a run."""
        return self.games[run if len(self.games) > 1 else 0]

    def series(self, name: str) -> Array:
        """A recorder's series by name, (T + 1, R)."""
        if name not in self._reduced:
            self._reduced[name] = self._over_contexts(name)
        return self._reduced[name]

    @cached_property
    def _reduced(self) -> dict[str, Array]:
        """Series already asked for; a summary of R runs asks R times."""
        return {}

    def _over_contexts(self, name: str) -> Array:
        values: Array = getattr(self.recorder, name)
        grouped = np.reshape(values, (len(values), self.batch.runs, self.batch.contexts))
        if name in ("movement", "spread"):
            return np.asarray(grouped.max(axis=2))
        if name == "leader":
            return np.asarray(grouped[:, :, 0])
        return np.asarray(grouped.mean(axis=2))

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """One verdict a run; see `simulators.metrics.verdict` for the rule."""
        if self.stopped and self.series("gap")[-1, 0] > CLOSED:
            return [Verdict.DIVERGES]
        regularized = self.algorithm.target == "regularized"
        has_equilibrium = self.batch.log_equilibrium is not None
        kind = "regularized_" if regularized and has_equilibrium else ""
        gap, average = self.series(f"{kind}gap"), self.series(f"average_{kind}gap")
        movement, spread, leader = (self.series(n) for n in ("movement", "spread", "leader"))
        return [
            judge(
                Evidence(
                    gap=gap[:, r],
                    average_gap=average[:, r],
                    movement=movement[:, r],
                    spread=spread[:, r],
                    leader=leader[:, r].astype(np.intp),
                    noisy=self.settings.mode.samples or self.settings.mode.name == "neural",
                )
            )
            for r in range(self.runs)
        ]

    def last_policies(self, run: int) -> Array:
        """(players, C, K) policies at the end of a run."""
        stacked = np.stack([p.probabilities for p in self.recorder.last])
        return self._of_run(stacked, run)

    def average_policy(self, run: int) -> Array:
        """(C, K) mean over players and rounds of the policies played, pi_0 ... pi_(T-1)."""
        assert self.recorder.average is not None
        return np.asarray(self._of_run(self.recorder.average[None], run)[0])

    def _of_run(self, values: Array, run: int) -> Array:
        """(..., K, B) -> (..., C, K) of one run."""
        size = values.shape[-2]
        lead = values.shape[:-2]
        grouped: Array = values.reshape(*lead, size, self.batch.runs, self.batch.contexts)
        ordered: Array = np.ascontiguousarray(np.moveaxis(grouped[..., run, :], -2, -1))
        return ordered

    def summary(self, run: int = 0) -> dict[str, Any]:
        """One row of ``summary.csv``: the setting, the metrics at the end, the verdict, the cost.

        Quantities that a run does not have (a step size that is not read, regularised metrics at
        temperature 0) are NaN.
        """
        series = {name: self.series(name)[:, run] for name in _REPORTED}
        reads = self.algorithm.reads
        iterations = len(series["gap"]) - 1
        game = self.game(run)
        nan = float("nan")
        row: dict[str, Any] = {
            "game": game.name,
            "algorithm": self.settings.algorithm,
            "mode": self.settings.mode.name,
            "seed": self.seeds[run],
            "step_size": float(self.step_size[run]) if "step_size" in reads else nan,
            "temperature": float(self.temperature[run]),
            "iterations": iterations,
            "gap_initial": series["gap"][0],
            "gap_last": series["gap"][-1],
            "gap_average": series["average_gap"][-1],
            "regularized_gap_last": series["regularized_gap"][-1],
            "regularized_gap_average": series["average_regularized_gap"][-1],
            "kl_to_regularized_equilibrium": series["kl"][-1],
            "external_regret": self._external_regret(run),
            "swap_regret": self._swap_regret(run),
            "fitted_multiplier": fitted_multiplier(series["squared_distance"]),
            "predicted_multiplier": self._predicted_multiplier(run),
            "multiplayer_gap_last": self._multiplayer_gap(run),
            "general_sum_distance": self._general_sum_distance(run),
            **self._welfare(run),
            "verdict": str(self.verdicts[run]),
            "note": self.stopped or "",
            "oracle_rounds": self.ledger.oracle_rounds,
            "preference_queries": self.ledger.preference_queries,
            "gradient_steps": self.ledger.gradient_steps,
        }
        return {key: float(v) if isinstance(v, np.floating) else v for key, v in row.items()}

    def single(self) -> "SimulationResult":
        """The first run as a result of its own; needs the kept policies."""
        trajectory = self.recorder.trajectory
        assert trajectory is not None, "policies were not kept"
        policies = self._of_run(trajectory, 0)  # (T + 1, players, C, K)
        if self.batch.contexts == 1:
            policies = policies[:, :, 0]
        if self.batch.players == 1:
            policies = policies[:, 0]
        return SimulationResult(policies=policies, batch=self)

    def _predicted_multiplier(self, run: int) -> float:
        game = self.game(run)
        equilibrium = self.batch.log_equilibrium
        if equilibrium is None or game.contexts > 1 or game.players > 2:
            return float("nan")
        algorithm = self._algorithm_of(run)
        if self.settings.mode.label_noise or not aims_at_regularized_equilibrium(algorithm):
            return float("nan")
        value = local_multiplier(algorithm, game.preferences, np.exp(equilibrium[:, run]))
        return float("nan") if value is None else value

    def _algorithm_of(self, run: int) -> Algorithm:
        """The algorithm with the run's own scalar hyper-parameters."""
        from dataclasses import replace

        changes: dict[str, Any] = {
            name: float(getattr(self, name)[run])
            for name in ("step_size", "temperature")
            if isinstance(getattr(self.algorithm, name), np.ndarray)
        }
        return replace(self.algorithm, **changes)

    def _multiplayer_gap(self, run: int) -> float:
        """Eq. 9: the worst player's gain; half of Eq. 4's gap for a single policy."""
        gaps = self.recorder.multiplayer_gap
        if gaps is None:
            kind = "regularized_gap" if self.batch.log_equilibrium is not None else "gap"
            return float(self.series(kind)[-1, run]) / self.game(run).players
        columns = slice(run * self.batch.contexts, (run + 1) * self.batch.contexts)
        return float(gaps[-1, :, columns].mean(axis=1).max())

    def _general_sum_distance(self, run: int) -> float:
        """Total variation to the heterogeneous game's own equilibrium, the farthest player's."""
        game, tau = self.game(run), float(self.temperature[run])
        own = game.annotators
        if not self.algorithm.heterogeneous or own is None or game.contexts > 1 or tau <= 0:
            return float("nan")
        if (id(game), tau) not in self._general_sum:
            reference = np.exp(self.batch.problem.log_reference[:, 0])
            solution = general_sum_equilibrium(list(own), tau, reference)
            self._general_sum[id(game), tau] = solution.policies
        equilibrium = self._general_sum[id(game), tau]
        return float(np.abs(self.last_policies(run)[:, 0] - equilibrium).sum(axis=1).max() / 2)

    @cached_property
    def _general_sum(self) -> dict[tuple[int, float], Array]:
        """Equilibria already solved for, by game and temperature."""
        return {}

    def _external_regret(self, run: int) -> float:
        """The players' mean policies against the best fixed action, over all rounds."""
        columns = slice(run * self.batch.contexts, (run + 1) * self.batch.contexts)
        return float(self.recorder.external_regret[columns].mean())

    def _swap_regret(self, run: int) -> float:
        """Needs the kept policies of a single player on a plain matrix game."""
        trajectory, game = self.recorder.trajectory, self.game(run)
        if trajectory is None or game.contexts > 1 or self.batch.players > 1 or game.players > 2:
            return float("nan")
        return swap_regret(game.preferences, trajectory[:-1, 0, :, run])

    def _welfare(self, run: int) -> dict[str, float]:
        game = self.game(run)
        if game.annotators is None or game.contexts > 1:
            return {"worst_annotator_win_rate": float("nan"), "nash_welfare": float("nan")}
        policy = self.last_policies(run).mean(axis=(0, 1))
        reference = np.exp(np.broadcast_to(self.batch.problem.log_reference, (game.size, 1)))[:, 0]
        return {
            "worst_annotator_win_rate": worst_annotator_win_rate(
                game.annotators, policy, reference
            ),
            "nash_welfare": nash_welfare(
                game.annotators, policy, game.annotator_weights, reference
            ),
        }


_REPORTED = (
    "gap",
    "average_gap",
    "regularized_gap",
    "average_regularized_gap",
    "kl",
    "squared_distance",
)


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """One run with all its policies.

    Attributes:
        policies: (T + 1, K); (T + 1, players, K) with several players; (T + 1, C, K) on
            contextual games ((T + 1, players, C, K) with both).
        batch: the metrics and the setting, as a batch of one run.
    """

    policies: Array
    batch: BatchResult

    @property
    def last(self) -> Array:
        """The last iterate, one entry of ``policies``."""
        return np.asarray(self.policies[-1])

    @property
    def average(self) -> Array:
        """Mean of the T policies played, pi_0 ... pi_(T-1) (the start itself when T = 0)."""
        played = self.policies[:-1] if len(self.policies) > 1 else self.policies
        return np.asarray(played.mean(axis=0))

    @property
    def verdict(self) -> Verdict:
        """What the run did."""
        return self.batch.verdicts[0]

    @property
    def ledger(self) -> Ledger:
        """What the run spent."""
        return self.batch.ledger

    def gap(self, temperature: float = 0.0, reference: ArrayLike | None = None) -> Array:
        """Duality gap of every iterate, MNPO Eq. 4: (T + 1,), or (T + 1, players or contexts).

        Args:
            temperature: 0 for the unregularised gap; tau > 0 for the KL-regularised one.
            reference: of the regularised game; None is the run's own reference.
        """
        game = self.batch.game(0)
        if game.players > 2:
            name = "gap" if temperature == 0 else "regularized_gap"
            return self.batch.series(name)[:, 0]
        if reference is None:
            own = np.exp(self.batch.batch.problem.log_reference)
            reference = own[:, 0] if own.shape[1] == 1 else own.T
        return np.asarray(duality_gap(game.preferences, self.policies, temperature, reference))

    def summary(self) -> dict[str, Any]:
        """The run as one row of ``summary.csv``."""
        return self.batch.summary(0)
