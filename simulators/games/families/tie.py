"""Nobody prefers anything: every policy is an equilibrium."""

import numpy as np

from simulators.games.game import Game
from simulators.games.matrices import labels
from simulators.games.spec import GameSpec, actions_parameter


def build(actions: int) -> Game:
    """``P = 1/2`` everywhere; the regularised equilibrium is the reference."""
    return Game("tie", np.full((actions, actions), 0.5), labels(actions))


SPEC = GameSpec(
    name="tie",
    summary="all preferences 1/2: every policy is an equilibrium",
    source="a degenerate case for tests of uniqueness",
    parameters=(actions_parameter(4),),
    build=build,
)
