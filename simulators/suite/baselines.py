"""What a suite's figures can be held against: the start, and the regularised equilibrium."""

from typing import Any

import numpy as np

from simulators.suite.draws import DrawnGame, draw_game
from simulators.suite.play import Method, play_start
from simulators.suite.settings import SuiteSettings


def baseline_rows(settings: SuiteSettings) -> list[dict[str, Any]]:
    """Per regime and family, means over its held-out games.

    ``gap_start`` and ``regularized_gap_start`` are the reference policy's; ``gap_equilibrium`` is
    the unregularised gap of the regularised equilibrium, where methods end that find exactly that.
    """
    rows = []
    for name, family in settings.families.items():
        most = max(settings.regimes.values(), key=lambda regime: regime.held_out)
        seeds = settings.held_out_seeds(most)
        games = [draw_game(name, family, seed, settings.reference.floor) for seed in seeds]
        found = np.array([_gaps(game, settings.temperature) for game in games])
        for regime_name, regime in settings.regimes.items():
            means = found[: regime.held_out].mean(axis=0)
            rows.append(
                {
                    "suite": settings.suite,
                    "version": settings.version,
                    "regime": regime_name,
                    "family": name,
                    "in_mean": family.in_mean,
                    "n": regime.held_out,
                    "actions": games[0].game.size,
                    "contexts": games[0].game.contexts,
                    "players": games[0].game.players,
                    "gap_start": float(means[0]),
                    "regularized_gap_start": float(means[1]),
                    "gap_equilibrium": float(means[2]),
                }
            )
    return rows


def _gaps(game: DrawnGame, temperature: float) -> tuple[float, float, float]:
    return play_start(Method("mwu", {}, temperature), game)
