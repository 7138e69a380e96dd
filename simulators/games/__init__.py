"""Preference games: built-in families by name, and a user's own matrix."""

from simulators.games.files import load_game
from simulators.games.game import Game
from simulators.games.registry import list_games, make_game
from simulators.games.spec import GameSpec, Parameter
from simulators.games.structure import cyclic_triples, strongest_cycles
from simulators.games.validate import check_policy, check_preferences

__all__ = [
    "Game",
    "GameSpec",
    "Parameter",
    "check_policy",
    "check_preferences",
    "cyclic_triples",
    "list_games",
    "load_game",
    "make_game",
    "strongest_cycles",
]
