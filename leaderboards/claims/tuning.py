"""Methods compared fairly: steps tuned by one procedure, on games that are not reported on.

Every method gets the same grid of steps, the same tuning games and the same number of preference
queries; the step with the smallest mean outcome over the tuning games is taken. The held-out
games have other seeds, and all methods meet the same ones, so that differences are paired.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval
from simulators.dynamics.modes import Mode
from simulators.dynamics.result import BatchResult
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.games import Game

Array = NDArray[np.float64]
#: (R,) of R runs, smaller is better.
Outcome = Callable[[BatchResult], Array]


@dataclass(frozen=True)
class Method:
    """One method of a comparison.

    Attributes:
        label: in the details.
        algorithm: registry name.
        parameters: its further parameters.
        rounds: oracle rounds of one iteration, over all its players; iterations or queries are
            divided by it so that every method asks equally often.
    """

    label: str
    algorithm: str
    parameters: tuple[tuple[str, object], ...] = ()
    rounds: int = 1


@dataclass(frozen=True)
class Budget:
    """What every method may spend.

    Attributes:
        iterations: T of a method with one round an iteration.
        queries: preference queries of one such iteration; None reads exact win rates.
        temperature: tau of the methods and of the regularised game.
        reference: from `leaderboards.claims.games.skewed`, or None for uniform.
    """

    iterations: int
    queries: int | None = None
    temperature: float = 0.1
    reference: tuple[float, ...] | None = None


def step_grid(temperature: float) -> tuple[float, ...]:
    """Twenty steps from 0.1 to 100, but below 0.9/tau: there the reference has all the weight."""
    return tuple(float(step) for step in np.geomspace(0.1, min(100.0, 0.9 / temperature), 20))


def run(
    method: Method,
    games: Sequence[Game],
    steps: Sequence[float],
    budget: Budget,
    first_seed: int = 0,
) -> BatchResult:
    """One run for each game and step, steps varying fastest."""
    repeated = [game for game in games for _ in steps]
    iterations, queries = budget.iterations, budget.queries
    if queries is None:
        iterations = max(1, iterations // method.rounds)
        mode = Mode()
    else:
        mode = Mode("sampled", queries=max(1, queries // method.rounds))
    settings = Settings(
        method.algorithm,
        step_size=np.tile(np.asarray(steps), len(games)),
        temperature=budget.temperature,
        seeds=[first_seed + i for i in range(len(games)) for _ in steps],
        iterations=iterations,
        mode=mode,
        reference=budget.reference,
        parameters=method.parameters,
    )
    return simulate_batch(repeated, settings)


def tuned_step(
    method: Method,
    games: Sequence[Game],
    outcome: Outcome,
    budget: Budget,
) -> tuple[float, float]:
    """The step of the grid with the smallest mean outcome, and that mean."""
    steps = step_grid(budget.temperature)
    values = outcome(run(method, games, steps, budget)).reshape(len(games), len(steps))
    means = values.mean(axis=0)
    best = int(means.argmin())
    return steps[best], float(means[best])


def below(found: Interval, bound: float = 0.0) -> bool:
    """Whether the whole interval is."""
    return found.high is not None and found.high < bound


def above(found: Interval, bound: float = 0.0) -> bool:
    """Whether the whole interval is."""
    return found.low is not None and found.low > bound


def last_gap(result: BatchResult) -> Array:
    """(R,) duality gap of the last policy (of the worst player) in the average game."""
    return np.asarray(result.series("gap")[-1])


def last_policies(result: BatchResult) -> Array:
    """(R, K) last policies, the mean over players."""
    stacked = np.stack([policies.probabilities for policies in result.recorder.last])
    return np.ascontiguousarray(stacked.mean(axis=0).T)
