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
        clustered: the C clusters (prompts) were drawn as wholes, and a bootstrap draws them; a
            pair has one game in a cluster, or none: the mean of whatever was measured there. Else
            C is 1 and every single game was drawn independently of the others.
        effective: of games over training seeds (`leaderboards.ratings.methods`), how many
            independent units prompts and seeds are worth together; None where only prompts, or
            games, were drawn.
    """

    names: tuple[str, ...]
    points: Array
    played: Array
    clustered: bool
    effective: int | None = None

    def __post_init__(self) -> None:
        """Refuse other shapes, and points that are not those of the games.

        Raises:
            InvalidSetting: which.
        """
        size = len(self.names)
        shape = self.points.shape
        if self.points.ndim != 3 or shape[1:] != (size, size) or shape != self.played.shape:
            raise InvalidSetting(
                f"{size} players got points of shape {self.points.shape} and games of shape "
                f"{self.played.shape}"
            )
        if size < 2 or len(set(self.names)) < size:
            raise InvalidSetting("ratings need at least two players, each with its own name")
        if not len(self.points):
            raise InvalidSetting("there are no games")
        if not self.clustered and len(self.points) != 1:
            raise InvalidSetting("games that are independent of one another are one cluster")
        if not (np.isfinite(self.points).all() and np.isfinite(self.played).all()):
            raise InvalidSetting("points and games must be finite numbers")
        if (self.points < 0).any() or (self.played < 0).any():
            raise InvalidSetting("points and games are not negative")
        if self.played[:, np.arange(size), np.arange(size)].any():
            raise InvalidSetting("a player does not play itself")
        both = self.points + self.points.transpose(0, 2, 1)
        if not np.allclose(both, self.played, rtol=1e-9, atol=1e-9):
            raise InvalidSetting("the points of both players must sum to the games they played")
        if self.clustered and not ((self.played == 0) | (self.played == 1)).all():
            raise InvalidSetting("in a cluster a pair has one game or none: give its mean")

    @property
    def win_rates(self) -> Array:
        """(N, N) points per game; 1/2 on the diagonal, NaN where nobody played."""
        played = self.played.sum(axis=0)
        rates = np.full(played.shape, np.nan)
        np.divide(self.points.sum(axis=0), played, out=rates, where=played > 0)
        np.fill_diagonal(rates, 0.5)
        return rates

    @property
    def complete(self) -> bool:
        """Whether every pair played."""
        return not bool(np.isnan(self.win_rates).any())

    @property
    def units(self) -> int:
        """What was drawn independently: clusters, or games; what they are worth over seeds."""
        if self.effective is not None:
            return self.effective
        if self.clustered:
            return len(self.points)
        return round(float(self.played.sum()) / 2)

    @property
    def total(self) -> int:
        """Games, each counted once."""
        return round(float(self.played.sum()) / 2)

    @property
    def wins(self) -> WinMatrix:
        """Of clustered games: the win rates in each cluster, NaN where a pair did not play."""
        rates = np.where(self.played > 0, self.points, np.nan)
        size = len(self.names)
        rates[:, np.arange(size), np.arange(size)] = 0.5
        return WinMatrix(self.names, rates)


def games_of_prompts(wins: WinMatrix) -> Games:
    """Every prompt is a cluster, every measured pair of it one game of win probabilities.

    Args:
        wins: as measured; what is not exactly antisymmetric is made so, by the mean of both views,
            or by the one that there is.

    Raises:
        InvalidSetting: a win rate outside [0, 1].
    """
    given = wins.wins
    if (given < 0).any() or (given > 1).any():
        raise InvalidSetting("win rates lie in [0, 1]")
    mirrored = 1.0 - given.transpose(0, 2, 1)
    first = np.where(np.isnan(given), mirrored, given)
    second = np.where(np.isnan(mirrored), given, mirrored)
    played = ~np.isnan(first)
    points = np.where(played, (first + second) / 2.0, 0.0)
    own = np.arange(len(wins.names))
    played[:, own, own] = False
    points[:, own, own] = 0.0
    return Games(wins.names, points, played.astype(np.float64), clustered=True)


def games_of_rates(names: Sequence[str], win_rates: Array) -> Games:
    """A win matrix of which nobody says how many games are behind it: ratings without intervals.

    Args:
        names: of the N players.
        win_rates: (N, N) of row against column; NaN where nobody played.

    Raises:
        InvalidSetting: another shape, or a win rate outside [0, 1].
    """
    return games_of_prompts(WinMatrix(tuple(names), np.asarray(win_rates, np.float64)[None]))


def games_of_counts(names: Sequence[str], win_rates: Array, counts: Array) -> Games:
    """Independent games, by win rates and numbers of games.

    Args:
        names: of the N players.
        win_rates: (N, N) of row against column; NaN where nobody played. The two views of a pair
            need not sum to 1 (rounding, separate counts): their games are put together.
        counts: (N, N) games behind each win rate, NaN or 0 where there are none; where the whole
            matrix is symmetric both views are taken to be of the same games.

    Raises:
        InvalidSetting: shapes that do not fit, win rates outside [0, 1], negative or infinite
            counts, or games without a win rate.
    """
    rates = np.array(win_rates, dtype=np.float64)
    count = np.nan_to_num(np.array(counts, dtype=np.float64), nan=0.0, posinf=np.inf)
    size = len(names)
    if rates.shape != (size, size) or count.shape != (size, size):
        raise InvalidSetting(f"{size} players need {size} x {size} win rates and counts")
    if not np.isfinite(count).all() or (count < 0).any():
        raise InvalidSetting("counts are finite and not negative")
    np.fill_diagonal(count, 0.0)
    known = ~np.isnan(rates) & (count > 0)
    if (rates[known] < 0).any() or (rates[known] > 1).any():
        raise InvalidSetting("win rates lie in [0, 1]")
    lacking = np.argwhere((count > 0) & ~known & ~known.T)
    if len(lacking):
        row, column = lacking[0]
        raise InvalidSetting(f"{names[row]} against {names[column]}: games without a win rate")
    views = np.where(known, count, 0.0)
    scored = np.where(known, rates, 0.0) * views
    points, played = scored + (views - scored).T, views + views.T
    if (count == count.T).all():
        twice = np.where(known & known.T, 0.5, 1.0)
        points, played = points * twice, played * twice
    return Games(tuple(names), points[None], played[None], clustered=False)
