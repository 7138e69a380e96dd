"""Builds the gradient and neural minimisers; the only door from the dynamics to torch."""

import numpy as np

from mnpo.errors import InvalidSetting
from simulators.dynamics.gradient import Descent, GradientMinimiser
from simulators.dynamics.models import MLPModel, PolicyModel, TabularModel
from simulators.dynamics.modes import Mode
from simulators.dynamics.pairs import PairSampler
from simulators.dynamics.setup import Batch
from simulators.games import Game


def gradient_minimiser(
    batch: Batch, mode: Mode, game: Game, seeds: list[int], sampler: PairSampler | None
) -> GradientMinimiser:
    """A minimiser with one model per player: a table, or networks over the contexts' features.

    Raises:
        InvalidSetting: neural mode on a game without contexts, any of them on one-vs-many games.
    """
    problem = batch.problem
    if not batch.truth.linear:
        raise InvalidSetting(
            f"mode {mode.name} trains on pairs, and game '{game.name}' compares "
            f"{game.players} actions at once; use mode exact"
        )
    shape = (problem.actions, problem.columns)
    initial = np.asarray(problem.log_initial)
    starts = initial if initial.ndim == 3 else [initial] * batch.players
    models: list[PolicyModel] = []
    for player, start in enumerate(starts):
        table = np.broadcast_to(start, shape).copy()
        if mode.name == "gradient":
            models.append(TabularModel(table))
            continue
        if game.features is None:
            raise InvalidSetting(
                f"mode neural needs a game whose contexts have features, such as contextual; "
                f"game '{game.name}' has none"
            )
        models.append(
            MLPModel(
                table,
                game.features,
                batch.runs,
                hidden=mode.hidden,
                seeds=[seed * 97 + player for seed in seeds],
            )
        )
    return GradientMinimiser(problem, models, Descent(**mode.descent_settings()), sampler)
