"""Preference games, their exact equilibria, and the algorithms run on them.

The names below are the package's contract; everything else may move.
"""

from simulators.decomposition import hodge_decomposition
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.equilibria import (
    general_sum_equilibrium,
    nash_equilibrium,
    plackett_luce_equilibrium,
    regularized_equilibrium,
)
from simulators.games import Game, list_games, load_game, make_game
from simulators.metrics.gaps import duality_gap
from simulators.metrics.regret import external_regret, swap_regret

__all__ = [
    "Game",
    "duality_gap",
    "external_regret",
    "general_sum_equilibrium",
    "hodge_decomposition",
    "list_games",
    "load_game",
    "make_game",
    "nash_equilibrium",
    "plackett_luce_equilibrium",
    "regularized_equilibrium",
    "simulate",
    "simulate_batch",
    "swap_regret",
]
