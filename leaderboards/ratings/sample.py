"""A pool's games as `evaluation.pool.intervals` takes them, whatever was drawn."""

from functools import cache, partial

import numpy as np

from evaluation.pool.intervals import MEASURED, sample_of_prompts
from evaluation.pool.sample import PairEnds, PoolSample
from evaluation.statistics import ROUNDING, mean_interval
from evaluation.statistics.quantiles import expanded_quantile
from leaderboards.ratings.draws import Draws, replicates_for
from leaderboards.ratings.games import Array, Games

#: Players beyond which a pair's interval is made of the draws, not of its own prompts: there are
#: N^2 of them.
LARGE = 100


def sample_of(games: Games, draws: Draws, seed: int) -> PoolSample:
    """The win matrix and its draws.

    Args:
        games: complete.
        draws: of the games, with the same seed.
        seed: of the draws.
    """
    if by_draws(games):
        rates = draws.rates
        ends = drawn_ends(games, draws)
        whole = rates[~np.isnan(rates).any(axis=(1, 2))]
        if len(whole) < MEASURED * len(rates):
            whole = whole[:0]
        return PoolSample(games.win_rates, whole, ends, games.units, np.arange(len(games.names)))
    if games.clustered:
        return sample_of_prompts(games.wins, seed, replicates_for(len(games.names)))
    everyone = np.arange(len(games.names))
    return PoolSample(games.win_rates, draws.rates, pair_ends(games), games.units, everyone)


def by_draws(games: Games) -> bool:
    """Whether intervals of single pairs are those of the draws: over seeds, and of large pools."""
    return games.clustered and (games.effective is not None or len(games.names) > LARGE)


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


def pair_intervals(games: Games, draws: Draws) -> tuple[Array, Array]:
    """Lower and upper ends of all win rates, (N, N) each; NaN where there are none."""
    size = len(games.names)
    low, high = np.full((size, size), np.nan), np.full((size, size), np.nan)
    ends = drawn_ends(games, draws) if by_draws(games) else pair_ends(games)
    for row in range(size):
        for column in range(row + 1, size):
            found = ends(row, column, 0.95)
            if found is not None:
                low[row, column], high[row, column] = found
                low[column, row], high[column, row] = 1.0 - found[1], 1.0 - found[0]
    return low, high


def drawn_ends(games: Games, draws: Draws) -> PairEnds:
    """Intervals of single pairs, Student's, by the spread of the draws."""
    values, rates = games.win_rates, draws.rates
    known = len(rates) > 1
    quantile = cache(partial(expanded_quantile, games.units))
    error = np.nanstd(rates, axis=0, ddof=1) if known else np.zeros_like(values)

    def ends(row: int, column: int, level: float) -> tuple[float, float] | None:
        value = float(values[row, column])
        if not known or np.isnan(value) or not error[row, column] > ROUNDING:
            return (value, value) if value == 0.5 else None
        half = quantile(level) * float(error[row, column])
        return max(value - half, 0.0), min(value + half, 1.0)

    return ends


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
