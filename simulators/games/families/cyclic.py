"""Generalised rock-paper-scissors: every action beats as many as it loses to."""

from simulators.games.game import Game
from simulators.games.matrices import circulant, from_advantage, labels
from simulators.games.spec import GameSpec, Parameter, actions_parameter


def build(actions: int, strength: float, beats: str) -> Game:
    """``P = 1/2 + strength/2 * C`` with the circulant signs C.

    Action i beats the ``(K - 1) // 2`` actions before it (``beats="previous"``) or after it
    (``"next"``), modulo K, with probability ``(1 + strength) / 2``; for even K it ties with the
    opposite action. K = 3 and strength 1 is rock, paper, scissors: ``[[.5, 0, 1], [1, .5, 0],
    [0, 1, .5]]``. K = 5 with ``beats="next"`` is rock-paper-scissors-lizard-Spock. The uniform
    policy is an equilibrium, the only one for odd K.
    """
    sign = 1.0 if beats == "previous" else -1.0
    names = ("rock", "paper", "scissors") if actions == 3 and sign > 0 else labels(actions)
    return Game("cyclic", from_advantage(0.5 * strength * sign * circulant(actions)), names)


SPEC = GameSpec(
    name="cyclic",
    summary="generalised rock-paper-scissors on K actions; the uniform policy is an equilibrium",
    source="folklore; K = 5 with beats=next is rock-paper-scissors-lizard-Spock",
    parameters=(
        actions_parameter(3, low=3),
        Parameter("strength", "float", 1.0, "winner's probability is (1 + strength)/2", 0.0, 1.0),
        Parameter(
            "beats",
            "choice",
            "previous",
            "which neighbours an action beats, modulo K",
            choices=("previous", "next"),
        ),
    ),
    build=build,
)
