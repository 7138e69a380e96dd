"""Sampled mode: a finite number of noisy, counted preference queries per update."""

import numpy as np
from numpy.typing import NDArray

from mnpo.algorithms import Distance
from mnpo.algorithms.sources import External, Reference
from mnpo.errors import InvalidSetting
from simulators.dynamics.loop import Task
from simulators.dynamics.pairs import PairData, PairSampler
from simulators.dynamics.pointwise import pointwise_minimiser
from simulators.dynamics.problem import Ledger, Problem

Array = NDArray[np.float64]


class SampledMinimiser:
    """Minimises each update's loss on sampled pairs, exactly.

    Squared distances have the least-squares solution on the comparison graph (HodgeRank). Where
    the graph does not determine an action (never sampled, or in another component) the solution
    of least norm is taken, which is where gradient descent from the anchor ends: such actions keep
    the anchor's log-odds. The logistic fit carries a Gaussian prior of ``ridge`` on the scores,
    as a finite sample can be separable; it vanishes as the queries grow.

    An opponent that does not change (the reference, an external policy) is an offline data set:
    its comparisons accumulate over the iterations, so offline and online methods ask equally
    many. An advantage measured before is reused, not asked again (optimistic methods).
    """

    def __init__(self, problem: Problem, sampler: PairSampler, ridge: float = 1.0) -> None:
        """Answer from ``problem``'s oracles through ``sampler``."""
        if not all(oracle.linear for oracle in problem.oracles):
            raise InvalidSetting(
                "sampled mode asks pairwise questions, and this game has more than two players "
                "in a comparison; use mode exact"
            )
        self._problem = problem
        self._sampler = sampler
        self._ridge = ridge
        self._advantages: dict[object, tuple[int, Array]] = {}
        self._offline: dict[object, PairData] = {}
        self.ledger = Ledger()

    def minimise(self, task: Task) -> Array:
        """The unnormalised next log-policy, (K, B)."""
        if task.rewards is not None:
            return np.asarray(task.anchor + task.step_size * task.rewards)
        if task.winners is not None:
            # Demonstrations are data, not preferences; their population form is kept.
            (losers,) = task.opponents
            return np.asarray(task.anchor + task.step_size * (task.winners - losers.policies.log))
        if task.implicit:
            raise InvalidSetting(
                "an exact proximal step cannot be sampled; set inner to a number of steps"
            )
        if task.distance is Distance.LOGISTIC:
            (opponent,) = task.opponents
            data = self._ask(task, opponent.key, opponent.policies.probabilities)
            scores = logistic_fit(data, self._ridge)
            return np.asarray(task.anchor + task.step_size * scores)
        if task.distance in (Distance.POINTWISE, Distance.SOFT_LOGISTIC):
            (opponent,) = task.opponents
            data = self._ask(task, opponent.key, opponent.policies.probabilities)
            gain = np.asarray(task.step_size * (observed_win_rates(data) - 0.5))
            if task.distance is Distance.POINTWISE:
                return pointwise_minimiser(task.anchor, gain)
            return np.asarray(task.anchor + gain)
        advantage = self._estimated_advantage(task)
        return np.asarray(task.anchor + task.step_size * advantage)

    def _estimated_advantage(self, task: Task) -> Array:
        opponents = task.opponents
        if task.samples_pairs:
            key = tuple(o.key for o in opponents) if len(opponents) > 1 else opponents[0].key
            return self._advantage(task, key, task.mixture)
        return np.asarray(
            sum(
                o.coefficient * self._advantage(task, o.key, o.policies.probabilities)
                for o in opponents
            )
        )

    def _advantage(self, task: Task, key: object, mixture: Array) -> Array:
        """The least-squares estimate of P mu, asked at most once an iteration."""
        known = self._advantages.get((task.player, key))
        if known and not _is_fixed(key):
            return known[1]
        estimate = least_squares_advantage(self._ask(task, key, mixture))
        recent = {
            name: value
            for name, value in self._advantages.items()
            if value[0] >= task.iteration - 1
        }
        self._advantages = recent | {(task.player, key): (task.iteration, estimate)}
        return estimate

    def _ask(self, task: Task, key: object, mixture: Array) -> PairData:
        data = self._sampler.sample(mixture, self._problem.oracle(task.player), task.iteration)
        self.ledger.oracle_rounds += 1
        self.ledger.preference_queries += self._sampler.queries
        if _is_fixed(key):
            before = self._offline.get((task.player, key))
            data = before.merged(data) if before else data
            self._offline[task.player, key] = data
        return data


def _is_fixed(key: object) -> bool:
    if isinstance(key, tuple):
        return all(_is_fixed(part) for part in key)  # a mixture of fixed policies is fixed
    return isinstance(key, Reference | External)


def least_squares_advantage(data: PairData) -> Array:
    """argmin_g sum_pairs (g_winner - g_loser - 1/2)^2 of least norm, (K, B).

    The squared pair loss with target c has the minimiser 2 c g. On the population of pairs iid
    from mu, g = P mu + const.
    """
    won = data.wins
    index = np.arange(won.shape[-1])
    won[:, index, index] = 0
    both = won + np.swapaxes(won, 1, 2)
    laplacian = -both
    laplacian[:, index, index] = both.sum(axis=2)
    surplus = (won.sum(axis=2) - won.sum(axis=1)) / 2
    inverse = np.linalg.pinv(laplacian, rcond=1e-12, hermitian=True)
    return np.ascontiguousarray(np.einsum("bij,bj->ib", inverse, surplus))


def observed_win_rates(data: PairData) -> Array:
    """Share of its comparisons that each action won, (K, B); 1/2 where it was never compared.

    What SPPO and DNO regress on. A pair of identical actions counts as half a win.
    """
    won = data.wins
    total = won + np.swapaxes(won, 1, 2)
    asked = total.sum(axis=2)
    half = np.full_like(asked, 0.5)
    return np.ascontiguousarray(np.divide(won.sum(axis=2), asked, out=half, where=asked > 0).T)


def logistic_fit(data: PairData, ridge: float) -> Array:
    """argmax_f sum n_ij log sigma(f_i - f_j) - ridge/2 |f|^2 over the n comparisons, (K, B).

    Newton's method with a cut step; strictly concave for ridge > 0.
    """
    count = data.comparisons or 1
    won = data.wins * count
    columns, size, _ = won.shape
    f = np.zeros((columns, size))
    eye = np.eye(size)
    for _ in range(200):
        losing = 1 / (1 + np.exp(f[:, :, None] - f[:, None, :]))
        pull = won * losing
        gradient = pull.sum(axis=2) - pull.sum(axis=1) - ridge * f
        curvature = (won + np.swapaxes(won, 1, 2)) * losing * (1 - losing)
        hessian = -curvature
        index = np.arange(size)
        hessian[:, index, index] += curvature.sum(axis=2)
        step = np.linalg.solve(hessian + ridge * eye, gradient[..., None])[..., 0]
        largest = np.abs(step).max(axis=1, keepdims=True)
        f += step * np.minimum(1.0, 2.0 / np.maximum(largest, 2.0))
        if largest.max() < 1e-12:
            break
    return np.ascontiguousarray(f.T)
