"""Another game with one action doubled: equilibria are no longer unique."""

from itertools import count, islice

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.games.game import Array, Game
from simulators.games.spec import MAX_ACTIONS, GameSpec, Parameter


def build(base: Game, action: int, copies: int) -> Game:
    """``base`` with ``copies`` copies of action number ``action`` right after it.

    Copies tie with each other and play exactly alike, so any split of the action's probability
    among them is an equilibrium, and a method that is not clone-proof shows it.
    """
    if action >= base.size:
        raise InvalidSetting(
            f"game 'clone': action {action} is not in the base game, whose actions are 0 to "
            f"{base.size - 1}"
        )
    if base.size + copies > MAX_ACTIONS:
        raise InvalidSetting(f"game 'clone': more than {MAX_ACTIONS} actions; take fewer copies")
    index = np.repeat(np.arange(base.size), [1 + copies * (i == action) for i in range(base.size)])
    return Game(
        "clone",
        _pairs(base.preferences, index),
        _names(base.actions, action, copies),
        annotators=None if base.annotators is None else _pairs(base.annotators, index),
        annotator_weights=base.annotator_weights,
        utilities=None if base.utilities is None else base.utilities[:, index],
        players=base.players,
        counts=None if base.counts is None else _pairs(base.counts, index),
        features=base.features,
    )


def _pairs(matrix: Array, index: np.ndarray) -> Array:
    return matrix[..., index[:, None], index[None, :]]


def _names(actions: tuple[str, ...], action: int, copies: int) -> tuple[str, ...]:
    fresh = (name for n in count(2) if (name := f"{actions[action]}{n}") not in actions)
    return (*actions[: action + 1], *islice(fresh, copies), *actions[action + 1 :])


SPEC = GameSpec(
    name="clone",
    summary="another game with one action doubled: the equilibrium is not unique",
    source="independence of clones: Tideman, Social Choice and Welfare 4 (1987)",
    parameters=(
        Parameter("base", "game", "cyclic", "the game to start from: NAME or NAME:key=value;..."),
        Parameter("action", "int", 0, "number of the action to copy, from 0", 0, MAX_ACTIONS),
        Parameter("copies", "int", 1, "how many copies to add", 1, MAX_ACTIONS),
    ),
    build=build,
)
