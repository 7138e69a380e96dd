"""A user's own matrix as a game: CSV, JSON or NPY; win fractions, payoffs, counts, multipliers."""

from simulators.games.files.load import SPEC, load_game

__all__ = ["SPEC", "load_game"]
