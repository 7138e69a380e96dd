"""Games between players, as they were counted: what all ratings are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evaluation.winmatrix import WinMatrix
from mnpo.errors import InvalidSetting

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Games:
    """Who scored how much against whom.

    Attributes:
        names: of the N players.
        points: (C, N, N) points of row against column in each cluster: a win is 1, a tie 1/2, a
            win probability itself.
        played: (C, N, N) games in each cluster, symmetric, 0 on the diagonal;
            points + points.T = played.
        clustered: the C clusters (prompts) were drawn as wholes, and a bootstrap draws them. Else
            C is 1 and every single game was drawn independently of the others.
    """

    names: tuple[str, ...]
    points: Array
    played: Array
    clustered: bool

    def __post_init__(self) -> None:
        """Refuse other shapes, and points that are not those of the games."""
        size = len(self.names)
        if self.points.shape[1:] != (size, size) or self.points.shape != self.played.shape:
            raise InvalidSetting(
                f"{size} players got points of shape {self.points.shape} and games of shape "
                f"{self.played.shape}"
            )
        if not self.clustered and len(self.points) != 1:
            raise InvalidSetting("games that are independent of one another are one cluster")

    @property
    def win_rates(self) -> Array:
        """(N, N) points per game; 1/2 on the diagonal, NaN where nobody played."""
        played = self.played.sum(axis=0)
        rates = np.full(played.shape, np.nan)
        np.divide(self.points.sum(axis=0), played, out=rates, where=played > 0)
        np.fill_diagonal(rates, 0.5)
        return rates


def games_of_prompts(wins: WinMatrix) -> Games:
    """Every prompt is a cluster, every measured pair of it one game of win probabilities.

    Args:
        wins: as measured; what is not exactly antisymmetric is made so, by the mean of both views.
    """
    present = ~np.isnan(wins.wins)
    both = present & present.transpose(0, 2, 1)
    value = np.where(both, wins.wins, 0.0)
    points = np.where(both, (value + 1.0 - value.transpose(0, 2, 1)) / 2.0, 0.0)
    played = both.astype(np.float64)
    for own in (points, played):
        own[:, np.arange(len(wins.names)), np.arange(len(wins.names))] = 0.0
    return Games(wins.names, points, played, clustered=True)


def games_of_counts(names: Sequence[str], win_rates: Array, counts: Array) -> Games:
    """Independent games, by win rates and numbers of games.

    Args:
        names: of the N players.
        win_rates: (N, N) of row against column; NaN where nobody played. The two views of a pair
            need not sum to 1 (rounding, separate counts): their games are put together.
        counts: (N, N) games behind each win rate; where the matrix is symmetric both views are
            taken to be of the same games.

    Raises:
        InvalidSetting: shapes that do not fit, win rates outside [0, 1], or negative counts.
    """
    rates, count = np.asarray(win_rates, float), np.asarray(counts, float)
    size = len(names)
    if rates.shape != (size, size) or count.shape != (size, size):
        raise InvalidSetting(f"{size} players need {size} x {size} win rates and counts")
    known = ~np.isnan(rates) & (count > 0)
    np.fill_diagonal(known, False)
    if (rates[known] < 0).any() or (rates[known] > 1).any() or (count < 0).any():
        raise InvalidSetting("win rates lie in [0, 1], and counts are not negative")
    scored = np.where(known, np.where(known, rates, 0.0) * count, 0.0)
    lost = np.where(known, count, 0.0) - scored
    points, views = scored + lost.T, np.where(known, count, 0.0)
    played = views + views.T
    same = known & known.T & (count == count.T)
    halves = np.where(same, 0.5, 1.0)
    return Games(tuple(names), (points * halves)[None], (played * halves)[None], clustered=False)
