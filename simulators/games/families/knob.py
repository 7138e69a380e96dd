"""One number turns a transitive game into a cyclic one."""

import numpy as np

from simulators.games.game import Game
from simulators.games.matrices import bradley_terry, circulant, from_advantage, labels
from simulators.games.spec import GameSpec, Parameter, actions_parameter


def build(k: float, actions: int, spread: float, strength: float) -> Game:
    """``A = (1 - k) (BT - 1/2) + k strength/2 C``: Bradley-Terry at k = 0, a cycle at k = 1.

    BT has utilities ``linspace(0, spread, K)``; C is the cycle in which each action beats the
    *next* ``(K - 1) // 2``, against the order of the utilities.
    """
    transitive = bradley_terry(np.linspace(0.0, spread, actions)) - 0.5
    cyclic = -0.5 * strength * circulant(actions)
    return Game("knob", from_advantage((1 - k) * transitive + k * cyclic), labels(actions))


SPEC = GameSpec(
    name="knob",
    summary="from transitive (k = 0, Bradley-Terry) to cyclic (k = 1) by one number",
    source="this project; the two parts are games bradley-terry and cyclic",
    parameters=(
        Parameter("k", "float", 0.5, "cyclic share: 0 transitive, 1 cyclic", 0.0, 1.0),
        actions_parameter(5, low=3),
        Parameter("spread", "float", 2.0, "spread of the transitive part's utilities", 0.0, 1e6),
        Parameter("strength", "float", 0.8, "strength of the cyclic part", 0.0, 1.0),
    ),
    build=build,
)
