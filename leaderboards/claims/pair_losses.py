"""Eq. 14 and Eq. 15 against Eq. 10, and Proposition 1: which loss has which minimiser.

One step of one player among unequal or equal opponents, on random games. Each loss is minimised
by Newton's method on the very functions that train language models, and the minimiser is compared
with the policy of Eq. 10.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, mean_interval
from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import SAME, conclude, exact, largest_difference
from leaderboards.claims.games import random_games, random_policies
from leaderboards.claims.minimise import (
    Loss,
    gaps,
    labelled,
    minimise,
    policy,
    product,
    tensor,
    weighted,
)

Array = NDArray[np.float64]
Target = Callable[[float], float]

_MNPO = "MNPO, arXiv 2509.23102"
#: Not 1, where eta/2 and 1/(2 eta) are the same number and the error hides.
ETAS = (0.5, 0.7, 2.0)
OPPONENTS = 3


def printed(eta: float) -> float:
    """The target of Eq. 15."""
    return 1 / (2 * eta)


def half_step(eta: float) -> float:
    """The target whose minimiser takes the step eta."""
    return eta / 2


@dataclass(frozen=True, eq=False)
class Situation:
    """One step of one player.

    Attributes:
        P: (K, K).
        current: (K,) pi_t, the pair sampler of Alg. 1.
        opponents: (m, K).
        eta: the step of Eq. 10.
    """

    P: Array
    current: Array
    opponents: Array
    eta: float

    @property
    def anchor(self) -> Array:
        """(K,) mean of the opponents' log-policies: the base of Eq. 10."""
        return np.asarray(np.log(self.opponents).mean(axis=0))

    @property
    def mixture(self) -> Array:
        """(K,) arithmetic mean of the opponents."""
        return np.asarray(self.opponents.mean(axis=0))

    def step(self, against: Array) -> Array:
        """The base moved by eta times the win rates against a policy."""
        return policy(self.anchor, self.eta * self.P @ against)

    @property
    def eq10(self) -> Array:
        """(K,) the policy of Eq. 10."""
        return self.step(self.mixture)


def situations(effort: Effort, *, equal: bool, etas: Sequence[float] = ETAS) -> list[Situation]:
    """Random games with random opponents; equal ones are all the current policy."""
    found = []
    for index, game in enumerate(random_games(effort.seeds, effort.seed)):
        drawn = random_policies(effort.seed + index, OPPONENTS + 1, game.size)
        opponents = np.repeat(drawn[:1], OPPONENTS, axis=0) if equal else drawn[1:]
        eta = etas[index % len(etas)]
        found.append(Situation(game.preferences, drawn[0], opponents, eta))
    return found


def loss14(at: Situation) -> Loss:
    """Eq. 14: squared distance to eta times the gap of the win rates, pairs from pi_t."""
    from mnpo.losses import squared_target_loss

    rates = tensor(at.P @ at.mixture)
    weights = product(at.current)
    target = at.eta * gaps(rates)
    return weighted(squared_target_loss, weights, target=target)


def loss15(at: Situation, target: Target, sampler: Array) -> Loss:
    """Eq. 15: squared distance of the labelled margin to a constant target, pairs from a policy."""
    from mnpo.losses import squared_pair_loss

    return labelled(squared_pair_loss, product(sampler), at.P, step_size=2 * target(at.eta))


def eq14(effort: Effort, *, factor: float = 1.0) -> Finding:
    """Eq. 14's minimiser against Eq. 10, full-support pairs of any distribution."""
    errors = []
    for at in situations(effort, equal=False):
        f = minimise(loss14(at), len(at.P))
        errors.append(largest_difference(policy(at.anchor, factor * f), at.eq10))
    return conclude(
        {"pairs cover every response": max(errors) < SAME},
        quantity="largest difference of probabilities from Eq. 10",
        number=exact(max(errors), len(errors)),
        repetitions=effort.seeds,
    )


def eq15(effort: Effort, *, target: Target = printed) -> Finding:
    """Eq. 15 as printed, and with the target and the sampler that make it Eq. 10."""
    apart = situations(effort, equal=False)
    same = situations(effort, equal=True)
    wrong = _errors(same, target, lambda at: at.current)
    other = _errors(apart, target, lambda at: at.current)
    inverse = [
        largest_difference(_minimiser(at, target, at.current), policy(at.anchor, f))
        for at in same
        for f in [at.P @ at.current / at.eta]
    ]
    right = _errors(same, half_step, lambda at: at.current)
    mixed = _errors(apart, half_step, lambda at: at.mixture)
    own = _errors(apart, half_step, lambda at: at.current)
    return conclude(
        {
            "all opponents are the pair sampler": wrong.value < SAME,
            "they differ": other.value < SAME,
        },
        instead={
            "as printed the step is 1/eta in place of eta": max(inverse) < SAME,
            "with the target eta/2 it is Eq. 10 if all opponents are the pair sampler": (
                right.value < SAME
            ),
            "with the target eta/2 it is Eq. 10 if pairs come from the opponents' arithmetic "
            "mixture": mixed.value < SAME,
            "with the target eta/2 and pairs from pi_t it is not, where opponents differ": (
                own.value > SAME
            ),
        },
        quantity="difference of probabilities from Eq. 10 as printed, equal opponents, mean",
        number=wrong,
        details={
            "as printed, unequal opponents, mean": other.value,
            "as printed, largest difference from a step of 1/eta": max(inverse),
            "target eta/2, equal opponents, mean": right.value,
            "target eta/2, unequal opponents, pairs from their mixture, mean": mixed.value,
            "target eta/2, unequal opponents, pairs from pi_t, mean": own.value,
        },
        repetitions=effort.seeds,
    )


def proposition1(effort: Effort, *, target: Target = half_step) -> Finding:
    """Whether L15 - L14 is constant in the policy, and whose advantage is recovered if not."""
    apart = situations(effort, equal=False)
    same = situations(effort, equal=True)
    as_printed = [_spread(at, printed, at.current) for at in same]
    equal = [_spread(at, target, at.current) for at in same]
    mixed = [_spread(at, target, at.mixture) for at in apart]
    own = mean_interval([_spread(at, target, at.current) for at in apart])
    recovered = [
        largest_difference(_minimiser(at, target, at.current), at.step(at.current)) for at in apart
    ]
    return conclude(
        {
            "the target is eta/2 and all opponents are the pair sampler": max(equal) < SAME,
            "the target is eta/2 and pairs come from the opponents' arithmetic mixture": (
                max(mixed) < SAME
            ),
            "the target is 1/(2 eta), as printed": max(as_printed) < SAME,
            "opponents differ and pairs come from pi_t": own.value < SAME,
        },
        instead={
            "with pairs from pi_t the loss recovers the advantage against pi_t only": (
                max(recovered) < SAME
            ),
        },
        quantity="spread of L15 - L14 over policies, nats^2: unequal opponents, pairs from pi_t",
        number=own,
        details={
            "target eta/2, equal opponents, largest": max(equal),
            "target eta/2, pairs from the mixture, largest": max(mixed),
            "target 1/(2 eta), equal opponents, largest": max(as_printed),
            "difference of probabilities from the step against pi_t": max(recovered),
        },
        repetitions=effort.seeds,
    )


def _minimiser(at: Situation, target: Target, sampler: Array) -> Array:
    return policy(at.anchor, minimise(loss15(at, target, sampler), len(at.P)))


def _errors(
    found: Sequence[Situation], target: Target, sampler: Callable[[Situation], Array]
) -> Interval:
    """Largest difference from Eq. 10, averaged over situations."""
    return mean_interval(
        [largest_difference(_minimiser(at, target, sampler(at)), at.eq10) for at in found]
    )


def _spread(at: Situation, target: Target, sampler: Array) -> float:
    """Range of L15 - L14 over policies, both with pairs from the sampler."""
    fifteen = loss15(at, target, sampler)
    fourteen = loss14(Situation(at.P, sampler, at.opponents, at.eta))
    policies = random_policies(17, 20, len(at.P))
    ratios = [tensor(np.log(pi) - at.anchor) for pi in policies]
    differences = [float(fifteen(f) - fourteen(f)) for f in ratios]
    return max(differences) - min(differences)


_GAMES = "One step on random games with 5 actions and 3 opponents, eta of 0.5, 0.7 and 2."

CLAIMS = (
    Claim(
        name="eq14-is-eq10",
        statement="The policy of Eq. 10 is the minimiser of the squared loss of Eq. 14.",
        source=f"{_MNPO}, Eq. 10 and 14",
        test=f"{_GAMES} Holds where no probability differs by {SAME:g}.",
        find=eq14,
        commands=(
            "simulate --game cyclic --algorithms mnpo-eq10 --mode gradient --iterations 20 "
            "--reference 0.6,0.3,0.1",
            "simulate --game cyclic --algorithms mnpo-eq10 --iterations 20 --reference 0.6,0.3,0.1",
        ),
    ),
    Claim(
        name="eq15-is-eq10",
        statement="The loss of Eq. 15, labelled pairs with the target 1/(2 eta), has the policy "
        "of Eq. 10 for its minimiser.",
        source=f"{_MNPO}, Eq. 15",
        test=f"{_GAMES} Pairs are drawn from pi_t. Holds where no probability differs by {SAME:g}.",
        find=eq15,
        commands=(
            "simulate --game cyclic --algorithms mnpo-eq10,mnpo-eq15 --iterations 20 "
            "--reference 0.6,0.3,0.1",
        ),
    ),
    Claim(
        name="proposition-1",
        statement="The losses of Eq. 14 and Eq. 15 differ by a constant, so that labels of pairs "
        "stand in for the win rates against all opponents.",
        source=f"{_MNPO}, Proposition 1",
        test=f"{_GAMES} Range of L15 - L14 over 20 random policies. Holds where it is below "
        f"{SAME:g}.",
        find=proposition1,
        commands=(
            "simulate --game cyclic --algorithms mnpo-eq10 --sweep "
            "target_form=sound,own-pairs --initial random --iterations 1 --step-size 2",
        ),
    ),
)
