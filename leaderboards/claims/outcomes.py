"""Three outcomes on populations of annotators, each with the step that is best by it.

The gap is flat around its best step while the other outcomes are not: by them a method with the
step that the gap asks for is judged by chance. So every method has, for every outcome, the step of
the one grid with the smallest mean of that outcome on the tuning populations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, paired_difference
from leaderboards.claims.claim import Effort
from leaderboards.claims.decide import total_variation
from leaderboards.claims.games import population
from leaderboards.claims.tuning import (
    Budget,
    Method,
    above,
    below,
    last_gap,
    last_policies,
    run,
    step_grid,
)
from simulators.dynamics.result import BatchResult
from simulators.equilibria import plackett_luce_equilibrium
from simulators.games import Game
from simulators.metrics.welfare import worst_annotator_win_rate

Array = NDArray[np.float64]

GAP, WORST, DISTANCE = OUTCOMES = (
    "the gap of the average game",
    "the worst annotator's win rate",
    "the distance to the three-player equilibrium",
)
#: Fewest ``seeds`` with which the outcomes can be told apart.
LEAST = 32
#: A difference below this is one of the chosen steps, which the intervals know nothing of.
NEGLIGIBLE = 0.01


@dataclass(frozen=True, eq=False)
class Reached:
    """By one method and one outcome; smaller is better, a win rate has its sign turned.

    Attributes:
        step: the best one on the tuning populations.
        tuned: the mean outcome with it there.
        values: (R,) on the held-out populations.
    """

    step: float
    tuned: float
    values: Array


#: Label of a method -> outcome -> what it reached.
Table = Mapping[str, Mapping[str, Reached]]


def populations(diversity: float, effort: Effort, first: int = 0) -> tuple[list[Game], list[Game]]:
    """Twice ``seeds`` held-out ones, and half of ``seeds`` others that steps are tuned on."""
    seeds, start = effort.at_least(LEAST), first + effort.seed
    games = [population(diversity, start + i) for i in range(2 * seeds)]
    return games, [population(diversity, 1_000_000 + start + i) for i in range(seeds // 2)]


def reach(
    methods: Sequence[Method],
    games: Sequence[Game],
    tuning: Sequence[Game],
    budget: Budget,
    first_seed: int = 0,
) -> dict[str, dict[str, Reached]]:
    """Every method by every outcome on held-out games, steps tuned on the others.

    Args:
        methods: to run.
        games: held out.
        tuning: others; no outcome on ``games`` has a say in a step.
        budget: of every method.
        first_seed: of the sampled answers on held-out games.
    """
    steps = step_grid(budget.temperature)
    targets = _three_player_equilibria(games, budget.temperature)
    # Steps vary fastest.
    repeated = _three_player_equilibria(tuning, budget.temperature).repeat(len(steps), axis=0)
    found: dict[str, dict[str, Reached]] = {}
    for method in methods:
        tried = _outcomes(run(method, tuning, steps, budget), repeated)
        held_out: dict[int, dict[str, Array]] = {}
        own = found.setdefault(method.label, {})
        for outcome in OUTCOMES:
            means = tried[outcome].reshape(len(tuning), len(steps)).mean(axis=0)
            best = int(means.argmin())
            if best not in held_out:
                result = run(method, games, [steps[best]], budget, first_seed=first_seed)
                held_out[best] = _outcomes(result, targets)
            own[outcome] = Reached(steps[best], float(means[best]), held_out[best][outcome])
    return found


def best_by(outcome: str, methods: Sequence[Method], found: Table) -> Method:
    """The method with the best outcome on the tuning populations; the first of equals."""
    return min(methods, key=lambda method: found[method.label][outcome].tuned)


def compare(first: Reached, second: Reached, level: float) -> Interval:
    """Paired difference on the held-out populations; below zero where the first is better."""
    return paired_difference(first.values, second.values, level=level)


def better(difference: Interval) -> bool:
    """Whether the first is, by more than is negligible."""
    return below(difference, -NEGLIGIBLE)


def worse(difference: Interval) -> bool:
    """Whether the first is, by more than is negligible."""
    return above(difference, NEGLIGIBLE)


def told(outcome: str, difference: Interval) -> Interval:
    """The difference with the sign that its outcome has in words."""
    if outcome != WORST:
        return difference
    low = None if difference.high is None else -difference.high
    high = None if difference.low is None else -difference.low
    return Interval(-difference.value, low, high, difference.n, difference.clusters)


def _outcomes(result: BatchResult, targets: Array) -> dict[str, Array]:
    """(R,) by outcome, smaller is better; targets (R, K) are the three-player equilibria."""
    policies = last_policies(result)
    worst = [
        worst_annotator_win_rate(_annotators(result.game(r)), policy)
        for r, policy in enumerate(policies)
    ]
    return {
        GAP: last_gap(result),
        WORST: -np.array(worst),
        DISTANCE: total_variation(policies, targets),
    }


def _annotators(game: Game) -> Array:
    assert game.annotators is not None
    return game.annotators


def _three_player_equilibria(games: Sequence[Game], temperature: float) -> Array:
    """(R, K) symmetric regularised equilibria of the one-versus-many games."""
    found = []
    for game in games:
        assert game.utilities is not None
        policy = plackett_luce_equilibrium(
            game.utilities,
            players=3,
            temperature=temperature,
            annotator_weights=game.annotator_weights,
        )
        found.append(policy)
    return np.stack(found)
