"""What a step size foretells, from the local theory."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mnpo.algorithms import Algorithm
from simulators.games import Game
from simulators.metrics.local_rate import (
    aims_at_regularized_equilibrium,
    local_multiplier,
    rotation_frequencies,
    stability_bound,
)

#: Above this the spectrum of the linearised game is not worth its time for a warning.
_MAX_ACTIONS = 300


class StabilityWarning(UserWarning):
    """A step size beyond the local stability bound of its method."""


def has_stability_bound(algorithm: Algorithm, game: Game) -> bool:
    """Whether the local theory bounds this method's step size on this game."""
    return (
        "step_size" in algorithm.reads
        and aims_at_regularized_equilibrium(algorithm)
        and game.contexts == 1
        and game.players == 2
        and game.size <= _MAX_ACTIONS
    )


def stability_warning(
    algorithm: Algorithm, game: Game, equilibrium: NDArray[np.float64], step_size: float, tau: float
) -> str | None:
    """A line that quotes the bound, if a regularised method's step size is beyond it.

    INPO is locally stable iff alpha < 2 tau / (omega^2 + tau^2), omega the fastest rotation of
    the game at its regularised equilibrium; other methods have bounds of their own.

    Args:
        algorithm: the value; its step size and temperature are replaced.
        game: a pairwise matrix game.
        equilibrium: (K,) its regularised equilibrium at tau.
        step_size: alpha of the run.
        tau: temperature of the run.
    """
    if tau <= 0 or not has_stability_bound(algorithm, game):
        return None
    value = replace(algorithm, step_size=step_size, temperature=tau)
    multiplier = local_multiplier(value, game.preferences, equilibrium)
    if multiplier is None or multiplier < 1:
        return None
    bound = stability_bound(value, game.preferences, equilibrium)
    omega = rotation_frequencies(game.preferences, equilibrium).max(initial=0.0)
    limit = "no step size is stable there" if bound is None else f"the bound is {bound:.4g}"
    formula = " = 2 tau / (omega^2 + tau^2)" if algorithm.name == "inpo" else ""
    return (
        f"{algorithm.name}: step_size {step_size:g} is beyond the local stability bound on game "
        f"'{game.name}' at temperature {tau:g}: {limit}{formula}, omega = {omega:.4g}; "
        "expect it to cycle or diverge"
    )
