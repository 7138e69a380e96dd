"""A pool's games as `evaluation.pool.intervals` takes them, whatever was drawn."""

from functools import cache

import numpy as np

from evaluation.pool.intervals import sample_of_prompts
from evaluation.pool.sample import PairEnds, PoolSample
from evaluation.statistics import mean_interval
from leaderboards.ratings.draws import Draws, replicates_for
from leaderboards.ratings.games import Array, Games


def sample_of(games: Games, draws: Draws, seed: int) -> PoolSample:
    """The win matrix and its draws.

    Args:
        games: complete.
        draws: of the games, with the same seed.
        seed: of the draws.
    """
    if games.clustered:
        return sample_of_prompts(games.wins, seed, replicates_for(len(games.names)))
    everyone = np.arange(len(games.names))
    return PoolSample(games.win_rates, draws.rates, pair_ends(games), games.units, everyone)


def pair_ends(games: Games) -> PairEnds:
    """Intervals of single pairs.

    Over prompts it is the interval of a mean win rate. Independent games are taken as wins and
    losses with the observed win rate, as in `leaderboards.ratings.draws`.
    """

    @cache
    def ends(row: int, column: int, level: float) -> tuple[float, float] | None:
        values = _values(games, row, column)
        if not len(values):
            return None
        found = mean_interval(values, level=level, bounds=(0.0, 1.0))
        return None if found.low is None or found.high is None else (found.low, found.high)

    return ends


def pair_intervals(games: Games) -> tuple[Array, Array]:
    """Lower and upper ends of all win rates, (N, N) each; NaN where there are none."""
    size = len(games.names)
    low, high = np.full((size, size), np.nan), np.full((size, size), np.nan)
    ends = pair_ends(games)
    for row in range(size):
        for column in range(row + 1, size):
            found = ends(row, column, 0.95)
            if found is not None:
                low[row, column], high[row, column] = found
                low[column, row], high[column, row] = 1.0 - found[1], 1.0 - found[0]
    return low, high


def _values(games: Games, row: int, column: int) -> Array:
    points, played = games.points[:, row, column], games.played[:, row, column]
    if games.clustered:
        return np.asarray(points[played > 0])
    number = int(np.ceil(played[0] - 1e-9))
    values = np.zeros(number)
    if number:
        scored = float(points[0]) * number / float(played[0])
        whole = int(scored + 1e-9)
        values[:whole] = 1.0
        if whole < number:
            values[whole] = min(max(scored - whole, 0.0), 1.0)
            if values[whole] < 1e-9:
                values[whole] = 0.0
    return values
