"""Rock-paper-scissors with a probability of its own on each edge of the cycle."""

import numpy as np

from simulators.games.game import Game
from simulators.games.matrices import from_advantage
from simulators.games.spec import GameSpec, Parameter


def build(a: float, b: float, c: float) -> Game:
    """Paper beats rock with probability a, scissors paper with b, rock scissors with c.

    The equilibrium is ``(b', c', a') / (a' + b' + c')`` over rock, paper, scissors, with
    ``a' = a - 1/2`` and so on; unique when all three exceed 1/2. The default is the synthetic game
    of COMAL, whose equilibrium is (4, 3, 4)/11.
    """
    paper, scissors, rock = a - 0.5, b - 0.5, c - 0.5
    advantage = np.array([[0.0, -paper, rock], [paper, 0.0, -scissors], [-rock, scissors, 0.0]])
    return Game("biased-rps", from_advantage(advantage), ("rock", "paper", "scissors"))


SPEC = GameSpec(
    name="biased-rps",
    summary="rock-paper-scissors with one win probability per edge; closed-form equilibrium",
    source="default: the synthetic game of COMAL, arXiv 2410.23223",
    parameters=(
        Parameter("a", "float", 0.9, "probability that paper beats rock", 0.5, 1.0),
        Parameter("b", "float", 0.9, "probability that scissors beat paper", 0.5, 1.0),
        Parameter("c", "float", 0.8, "probability that rock beats scissors", 0.5, 1.0),
    ),
    build=build,
)
