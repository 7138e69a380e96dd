"""Games as chance might have had them: what every interval of a rating is computed from."""

from dataclasses import dataclass

import numpy as np

from evaluation.statistics.bootstrap import cluster_draws
from leaderboards.ratings.games import Array, Games

#: Draws behind every interval.
REPLICATES = 1000
#: Large pools get fewer draws: N^2 numbers each must fit into memory, and Bradley-Terry ratings of
#: each take N^3 operations a step.
ROOM, WORK = 20_000_000, 800_000_000
#: No fewer than these, however large a pool.
LEAST = 100


@dataclass(frozen=True, eq=False)
class Draws:
    """R samples as large as the one at hand.

    Attributes:
        points: (R, N, N) points of row against column.
        played: (R, N, N), or (1, N, N) where every draw has the same games.
    """

    points: Array
    played: Array

    @property
    def rates(self) -> Array:
        """(R, N, N) points per game; 1/2 on the diagonal, NaN where a draw has no game."""
        played = np.broadcast_to(self.played, self.points.shape)
        rates = np.full(self.points.shape, np.nan)
        np.divide(self.points, played, out=rates, where=played > 0)
        everyone = np.arange(self.points.shape[1])
        rates[:, everyone, everyone] = 0.5
        return rates


def replicates_for(players: int) -> int:
    """How many draws a pool gets: `REPLICATES` up to 92 players, fewer beyond."""
    return int(np.clip(min(ROOM // players**2, WORK // players**3), LEAST, REPLICATES))


def draw(games: Games, *, seed: int, replicates: int | None = None) -> Draws:
    """Draw whole clusters with replacement, or every pair's games anew.

    Independent games are drawn as wins and losses, binomially at the observed win rate. A tie is
    half a point, so games with ties vary less than that: intervals are then too wide rather than
    too narrow. A pair that one side always won keeps doing so.

    Args:
        games: the sample.
        seed: the same seed draws the same clusters as `evaluation.pool.intervals` does.
        replicates: None takes `replicates_for` as many players.

    Returns:
        no draws (R = 0) of fewer than two clusters or games.
    """
    size = len(games.names)
    times = replicates_for(size) if replicates is None else replicates
    if games.units < 2:
        return Draws(np.empty((0, size, size)), games.played.sum(axis=0, keepdims=True))
    return _clusters(games, seed, times) if games.clustered else _single_games(games, seed, times)


def _clusters(games: Games, seed: int, replicates: int) -> Draws:
    count, size, _ = games.points.shape
    times = np.array(list(cluster_draws(count, seed, replicates)), dtype=np.float64)
    points = (times @ games.points.reshape(count, -1)).reshape(-1, size, size)
    if (games.played == games.played[0]).all():
        return Draws(points, count * games.played[:1])
    return Draws(points, (times @ games.played.reshape(count, -1)).reshape(-1, size, size))


def _single_games(games: Games, seed: int, replicates: int) -> Draws:
    random = np.random.default_rng(seed)
    size = len(games.names)
    rows, columns = np.triu_indices(size, 1)
    played = games.played[0]
    # One game less than there are: p (1 - p) of a sample of n is (n - 1)/n of the true one on
    # average, and drawing n - 1 makes up for it (Rao and Wu 1988, for strata of few units).
    number = np.maximum(np.ceil(played[rows, columns] - 1e-9) - 1, played[rows, columns] > 0)
    rate = games.win_rates[rows, columns]
    drawn = random.binomial(
        number.astype(np.int64), np.nan_to_num(rate).clip(0, 1), size=(replicates, len(rows))
    )
    share = drawn / np.maximum(number, 1)
    points = np.zeros((replicates, size, size))
    points[:, rows, columns] = share * played[rows, columns]
    points[:, columns, rows] = (1 - share) * played[rows, columns]
    return Draws(points, played[None])
