"""Games between players, made up and real, for the tests of ratings."""

import csv

import numpy as np

from evaluation.winmatrix import WinMatrix
from leaderboards.ratings import games_of_counts, games_of_prompts


def read_matrix(path):
    """Names of the columns, and numbers, NaN where a cell is empty."""
    with path.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    values = [[float(cell) if cell else np.nan for cell in row[1:]] for row in rows]
    assert [row[0] for row in rows] == header[1:]
    return tuple(header[1:]), np.array(values)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def names_of(size):
    return tuple(f"p{i}" for i in range(size))


def tally(points):
    """Independent games of the players with these points, (N, N)."""
    points = np.asarray(points, dtype=float)
    played = points + points.T
    rates = np.divide(points, played, out=np.full(points.shape, np.nan), where=played > 0)
    return games_of_counts(names_of(len(points)), rates, played)


def binomial_points(chances, games, random):
    """(N, N) wins of ``games`` independent games of each pair."""
    upper = np.triu(random.binomial(games, chances), 1)
    return upper + np.tril(games - upper.T, -1)


def shared_luck(log_odds, prompts, random):
    """Games of a true Bradley-Terry model whose outcomes on one prompt hang together.

    On each prompt a player has one answer, as good as its log-odds plus Gumbel noise, and the
    better answer wins: that is logistic for each pair, and the same answer meets all opponents.
    """
    size = len(log_odds)
    quality = log_odds + random.gumbel(size=(prompts, size))
    wins = (quality[:, :, None] > quality[:, None, :]).astype(float)
    wins[:, range(size), range(size)] = 0.5
    return games_of_prompts(WinMatrix(names_of(size), wins))
