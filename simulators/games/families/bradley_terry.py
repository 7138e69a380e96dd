"""Bradley-Terry preferences: one hidden utility per action, so no cycle at all."""

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.game import Game
from simulators.games.matrices import bradley_terry, labels
from simulators.games.spec import MAX_ACTIONS, GameSpec, Parameter, actions_parameter


def build(actions: int, spread: float, utilities: tuple[float, ...] | None) -> Game:
    """``P[i, j] = sigmoid(u_i - u_j)``, ``u = linspace(0, spread, K)`` unless utilities are given.

    The unregularised equilibrium is the action with the largest utility.
    """
    if utilities is None:
        u = np.linspace(0.0, spread, actions)
    else:
        if not 2 <= len(utilities) <= MAX_ACTIONS:
            raise InvalidSetting(
                f"game 'bradley-terry': utilities has {len(utilities)} numbers; "
                f"give one per action, 2 to {MAX_ACTIONS}"
            )
        u = np.array(utilities)
    return Game("bradley-terry", bradley_terry(u), labels(len(u)), utilities=u[None, :])


SPEC = GameSpec(
    name="bradley-terry",
    summary="transitive: win probability is the sigmoid of a difference of utilities",
    source="Bradley and Terry, Biometrika 39 (1952)",
    parameters=(
        actions_parameter(10),
        Parameter("spread", "float", 2.0, "utilities are linspace(0, spread, K)", 0.0, 1e6),
        Parameter(
            "utilities", "floats", None, "explicit utilities; then actions and spread are not used"
        ),
    ),
    build=build,
)
