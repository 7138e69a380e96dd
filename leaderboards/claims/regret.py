"""Average regret: what self-play has, and what a player among others does not inherit."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import mean_interval
from leaderboards.claims.claim import Claim, Effort, Finding
from leaderboards.claims.decide import conclude
from leaderboards.claims.games import SKEWED, random_games, skewed
from leaderboards.claims.tuning import below
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate_batch
from simulators.games import Game, make_game

Array = NDArray[np.float64]

#: The opponent of the fixed-opponent test, in rock, paper, scissors.
FIXED = (0.5, 0.3, 0.2)
ETA = 0.3
#: Exponents of single games lie around -1/2: what the mean's interval must stay below.
SLOWEST = -0.4
#: Fewest games whose mean exponent says something.
GAMES_LEAST = 32


def average_regret(effort: Effort, *, algorithm: str = "mwu") -> Finding:
    """Regret per round of self-play with a step of order T^(-1/2); of Eq. 10 against a fixed one.

    Args:
        effort: ``seeds`` random games, `GAMES_LEAST` at least.
        algorithm: what plays itself.
    """
    horizons = (100, 400, 1600) if effort.quick else (200, 800, 3200)
    games = random_games(effort.at_least(GAMES_LEAST), effort.seed)
    regrets, bounds = self_play_regrets(games, algorithm, horizons)
    share = float((regrets / bounds[:, None]).max())
    logs = np.log(np.maximum(regrets, 1e-15))
    exponents = np.polyfit(np.log(horizons), logs, 1)[0]
    exponent = mean_interval(exponents)
    rates = {
        rounds: {who: fixed_opponent_regret(who, rounds) for who in ("eq10", "mwu")}
        for rounds in (200, 2000)
    }
    ratio = rates[2000]["eq10"] / rates[200]["eq10"]
    return conclude(
        {
            "a player's opponents are its own past, as with equal players": (
                share <= 1 and below(exponent, SLOWEST)
            ),
            "its opponents are others, here a fixed policy": ratio < 0.5,
        },
        instead={
            "against a fixed opponent the regret of Eq. 10's player stays the same every round": (
                abs(ratio - 1) < 0.05
            )
        },
        quantity="exponent of T in the average regret of self-play, mean over random games",
        number=exponent,
        details={
            "largest share of the bound sqrt(log(1/min pi_0) / (2 T))": share,
            "smallest exponent of a game": float(exponents.min()),
            "largest exponent of a game": float(exponents.max()),
            **{
                f"regret per round at T = {rounds}, fixed opponent, {label}": rates[rounds][who]
                for rounds in rates
                for who, label in (("eq10", "Eq. 10"), ("mwu", "multiplicative weights"))
            },
        },
        repetitions=len(games),
    )


def self_play_regrets(
    games: Sequence[Game], algorithm: str, horizons: Sequence[int]
) -> tuple[Array, Array]:
    """(H, R) regret per round at every horizon and game, and (H,) what it may be at most."""
    start = skewed(games[0].size)
    prior = math.log(1 / start.min())
    regrets = []
    for rounds in horizons:
        settings = Settings(
            algorithm, step_size=math.sqrt(8 * prior / rounds), initial=start, iterations=rounds
        )
        regrets.append(simulate_batch(games, settings).recorder.external_regret / rounds)
    return np.stack(regrets), np.sqrt(prior / (2 * np.asarray(horizons)))


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
        test="Self-play with the step sqrt(8 log(1/min pi_0)/T) on random games of 5 responses. "
        "The regret must stay below sqrt(log(1/min pi_0)/(2 T)) at every T in every game, and the "
        f"interval of the mean exponent of T below {SLOWEST:g}. Against a fixed opponent it must "
        "at least halve from T = 200 to 2000.",
        find=average_regret,
        commands=(
            "simulate --game cyclic --algorithms mwu --reference 0.6,0.3,0.1 --iterations 3200 "
            "--step-size 0.0759",
        ),
    ),
)
