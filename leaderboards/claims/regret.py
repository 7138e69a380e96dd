"""Average regret: what self-play has, and what a player among others does not inherit."""

import math

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import mean_interval
from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import conclude
from leaderboards.claims.games import SKEWED, known_games, skewed
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.games import make_game

Array = NDArray[np.float64]

#: The opponent of the fixed-opponent test, in rock, paper, scissors.
FIXED = (0.5, 0.3, 0.2)
ETA = 0.3


def average_regret(effort: Effort, *, algorithm: str = "mwu") -> Finding:
    """Regret per round of self-play with a step of order T^(-1/2); of Eq. 10 against a fixed one.

    Args:
        effort: how much.
        algorithm: what plays itself.
    """
    horizons = (100, 400, 1600) if effort.quick else (200, 800, 3200)
    slopes, shares = {}, []
    for name, game in known_games().items():
        start = skewed(game.size)
        prior = math.log(1 / start.min())
        regrets = []
        for rounds in horizons:
            step = math.sqrt(8 * prior / rounds)
            run = simulate_batch(
                game, Settings(algorithm, step_size=step, initial=start, iterations=rounds)
            )
            regrets.append(float(run.recorder.external_regret[0]) / rounds)
            shares.append(regrets[-1] / math.sqrt(prior / (2 * rounds)))
        slopes[name] = float(np.polyfit(np.log(horizons), np.log(np.maximum(regrets, 1e-15)), 1)[0])
    rates = {
        rounds: {who: fixed_opponent_regret(who, rounds) for who in ("eq10", "mwu")}
        for rounds in (200, 2000)
    }
    ratio = rates[2000]["eq10"] / rates[200]["eq10"]
    exponent = mean_interval(list(slopes.values()))
    return conclude(
        {
            "a player's opponents are its own past, as with equal players": (
                exponent.value <= -0.4 and max(shares) <= 1
            ),
            "its opponents are others, here a fixed policy": ratio < 0.5,
        },
        instead={
            "against a fixed opponent the regret of Eq. 10's player stays the same every round": (
                abs(ratio - 1) < 0.05
            )
        },
        quantity="exponent of T in the average regret of self-play, mean over six games",
        number=exponent,
        details={
            "largest share of the bound sqrt(log(1/min pi_0) / (2 T))": max(shares),
            **{f"exponent, {name}": slope for name, slope in slopes.items()},
            **{
                f"regret per round at T = {rounds}, fixed opponent, {label}": rates[rounds][who]
                for rounds in rates
                for who, label in (("eq10", "Eq. 10"), ("mwu", "multiplicative weights"))
            },
        },
    )


def fixed_opponent_regret(who: str, rounds: int) -> float:
    """Regret per round against an opponent that always plays ``FIXED``.

    Args:
        who: "eq10" steps from the opponent every time; "mwu" from its own last policy.
        rounds: T, the first played with the policy ``SKEWED``.
    """
    opponent = np.array(FIXED)
    rates = make_game("cyclic").preferences @ opponent
    t = np.arange(rounds)[:, None]
    if who == "mwu":
        logits = np.log(SKEWED) + t * ETA * rates
    else:
        logits = np.where(t > 0, np.log(opponent) + ETA * rates, np.log(SKEWED))
    policies = np.exp(logits - logits.max(axis=1, keepdims=True))
    policies /= policies.sum(axis=1, keepdims=True)
    return float(rates.max() - (policies @ rates).mean())


CLAIMS = (
    Claim(
        name="average-regret",
        statement="A player's average regret falls as O(1/sqrt(T)), inherited from online mirror "
        "descent.",
        source="MNPO, arXiv 2509.23102, section on Eq. 10; INPO, arXiv 2407.00617",
        test="Self-play with the step sqrt(8 log(1/min pi_0)/T) on six games: the regret must stay "
        "below sqrt(log(1/min pi_0)/(2 T)) at every T and the mean exponent of T at most -0.4. "
        "Against a fixed opponent it must at least halve from T = 200 to 2000.",
        find=average_regret,
        commands=(
            "simulate --game cyclic --algorithms mwu --reference 0.6,0.3,0.1 --iterations 3200 "
            "--step-size 0.0759",
        ),
    ),
)
