"""What is known of a game before anything is run on it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simulators.decomposition import hodge_decomposition
from simulators.equilibria import nash_equilibrium, regularized_equilibrium
from simulators.games import Game, cyclic_triples
from simulators.metrics.local_rate import rotation_frequencies

#: Up to this many actions the Nash set is solved for; the linear programs grow steeply.
MAX_ACTIONS = 150


def game_facts(
    game: Game, temperature: float | None = None, reference: ArrayLike | None = None
) -> dict[str, Any]:
    """Facts of a game as JSON-ready values; contextual games only say their shape.

    Args:
        game: the game.
        temperature: also solve the regularised equilibrium at this temperature.
        reference: of the regularised game; None is uniform.
    """
    facts: dict[str, Any] = {
        "name": game.name,
        "parameters": {key: _plain(value) for key, value in game.parameters.items()},
        "size": game.size,
        "contexts": game.contexts,
        "players": game.players,
    }
    if game.contexts > 1:
        shares = [hodge_decomposition(P).cyclic_share for P in game.preferences]
        return facts | {"mean_cyclic_share": float(np.mean(shares))}
    facts["actions"] = list(game.actions)
    facts["cyclic_share"] = float(hodge_decomposition(game.preferences).cyclic_share)
    facts["cyclic_triples"] = int(cyclic_triples(game.preferences))
    if game.annotator_weights is not None:
        facts["annotator_weights"] = game.annotator_weights.tolist()
    if game.size <= MAX_ACTIONS and game.players == 2:
        nash = nash_equilibrium(game.preferences)
        facts |= {"nash": nash.policy.tolist(), "nash_unique": bool(nash.unique)}
    if temperature and game.players == 2:
        solution = regularized_equilibrium(game.preferences, temperature, reference)
        facts["regularized_equilibrium"] = solution.tolist()
        if game.size <= MAX_ACTIONS:
            omega = rotation_frequencies(game.preferences, solution)
            facts["rotation_frequency"] = float(omega.max(initial=0.0))
    return facts


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value
