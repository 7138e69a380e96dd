"""Exact mode: the closed-form population minimiser of every loss."""

import numpy as np
from numpy.typing import NDArray

from mnpo.algorithms import Distance
from mnpo.errors import InvalidSetting
from simulators.dynamics.bradley_terry import bradley_terry_projection, require_finite_fit
from simulators.dynamics.loop import Task
from simulators.dynamics.oracles import Oracle, PlackettLuce
from simulators.dynamics.pointwise import pointwise_minimiser
from simulators.dynamics.policies import Policies
from simulators.dynamics.problem import Ledger, Problem

Array = NDArray[np.float64]


class ExactMinimiser:
    """Carries out updates on the true preference matrix, in closed form.

    The closed forms: anchors plus step_size times the advantage for the squared and the soft
    logistic distance; the Bradley-Terry projection for the logistic one; a Lambert-W root for the
    pointwise one; the regularised equilibrium for an implicit step.
    """

    def __init__(self, problem: Problem) -> None:
        """Answer from ``problem``'s oracles."""
        self._problem = problem
        self._fit_checked: set[int] = set()
        self._projections: dict[int, tuple[Policies, Array]] = {}
        self.ledger = Ledger()

    def minimise(self, task: Task) -> Array:
        """The unnormalised next log-policy, (K, B)."""
        if task.rewards is not None:
            return np.asarray(task.anchor + task.step_size * task.rewards)
        if task.winners is not None:
            (losers,) = task.opponents
            log_ratio = task.winners - losers.policies.log
            return np.asarray(task.anchor + task.step_size * log_ratio)
        oracle = self._problem.oracle(task.player)
        self.ledger.oracle_rounds += 1
        if task.implicit:
            return self._proximal(task, oracle)
        if task.distance is Distance.LOGISTIC:
            return self._logistic(task, oracle)
        advantage = self._advantage(task, oracle)
        if task.distance is Distance.POINTWISE:
            return pointwise_minimiser(task.anchor, task.step_size * (advantage - 0.5))
        # Into fresh memory: the oracle may keep its answer.
        log_policy = np.multiply(advantage, task.step_size)
        log_policy += task.anchor
        return log_policy

    def _advantage(self, task: Task, oracle: Oracle) -> Array:
        """sum_k coefficient_k P mu_k: one oracle round, since the mixture goes in at once."""
        first, *rest = task.opponents
        if isinstance(oracle, PlackettLuce):
            return self._one_vs_many(task, oracle)
        if not rest and isinstance(first.coefficient, float) and first.coefficient == 1:
            return oracle.win_rates(first.policies.probabilities)
        return oracle.win_rates(task.mixture)

    def _one_vs_many(self, task: Task, oracle: PlackettLuce) -> Array:
        """Against n - 1 distinct players at once, or against each opponent cloned n - 1 times."""
        opponents = task.opponents
        equal = all(np.array_equal(o.coefficient, opponents[0].coefficient) for o in opponents)
        if len(opponents) == oracle.players - 1 and equal and task.samples_pairs:
            return oracle.win_rates_against([o.policies.probabilities for o in opponents])
        total = np.zeros_like(task.anchor)
        for opponent in opponents:
            total += opponent.coefficient * oracle.win_rates(opponent.policies.probabilities)
        return total

    def _logistic(self, task: Task, oracle: Oracle) -> Array:
        if len(task.opponents) != 1:
            raise InvalidSetting("the logistic distance needs exactly one pair sampler")
        matrices = oracle.matrices()
        if task.player not in self._fit_checked:
            require_finite_fit(matrices)
            self._fit_checked.add(task.player)
        sampler = task.opponents[0].policies
        known = self._projections.get(task.player)
        if known is None or known[0] is not sampler:
            # Pairs from the reference are the same every time; project them once.
            known = sampler, bradley_terry_projection(matrices, sampler.log)
            self._projections[task.player] = known
        return np.asarray(task.anchor + task.step_size * known[1])

    def _proximal(self, task: Task, oracle: Oracle) -> Array:
        from simulators.equilibria import regularized_log_equilibrium

        if not oracle.linear:
            raise InvalidSetting("an exact proximal step needs a pairwise game")
        columns = task.anchor.shape[1]
        temperatures = np.broadcast_to(1 / np.asarray(task.step_size), (columns,))
        solution = regularized_log_equilibrium(oracle.matrices(), temperatures, task.anchor.T)
        return np.ascontiguousarray(solution.log_policy.T)
