"""Elo ratings (Elo 1978), averaged over the order of the games.

After each game a player's rating moves by K (points - expected points), with the expectation of
`bradley_terry`, from 1000, once through all games. The result depends on the order of the games,
by some 20 rating points at K = 4; games of models with one another have no order. So the rating
here is the mean over all orders: while a share t of the games is played, in any order,

    dr_i / dt = K sum over j of (points[i, j] - played[i, j] P(i beats j | r)),   0 <= t <= 1.

That is exact to first order in K; at K = 4 the mean of evalica's Elo over random orders is within
about two points of it (a test holds them together). A win probability moves ratings by that share
of a win, as it does on average over games won and lost with it. With many games the ratings arrive
at those of Bradley-Terry; with few they stay near 1000.
"""

import numpy as np

from leaderboards.ratings.bradley_terry import BLOCK, MEAN, SCALE
from leaderboards.ratings.games import Array

#: Rating points that a game is about; evalica's default, and Chatbot Arena's.
K = 4.0
#: Runge and Kutta's method of order 4 is stable up to 2.8 over the fastest rate.
_STEP, _FEWEST = 1.5, 40
#: exp(-20) of a rating is less than anybody prints.
_SETTLED = 20.0


def elo_ratings(points: Array, played: Array, k: float = K) -> Array:
    """(R, N) ratings of many samples.

    Args:
        points: (R, N, N).
        played: (R, N, N) or (1, N, N).
        k: rating points that a game is about.
    """
    size = points.shape[1]
    block = max(1, BLOCK // size**2)
    rate = k / SCALE
    # The fastest rate of a Laplacian of weights played / 4 is at most half of its largest degree.
    fastest = rate * float(played.sum(axis=2).max(initial=0.0)) / 2.0
    steps = max(_FEWEST, int(np.ceil(fastest / _STEP)))
    found = np.empty(points.shape[:2])
    for first in range(0, len(points), block):
        part = slice(first, first + block)
        games = rate * (played if len(played) == 1 else played[part])
        found[part] = _run(rate * points[part].sum(axis=2), games, steps)
    return np.asarray(MEAN + SCALE * found)


def settles(ratings: Array, played: Array, k: float = K) -> bool:
    """Whether so many games bring Elo all the way to the Bradley-Terry ratings.

    They do when even the slowest way of approaching them, which goes as exp(-rate t), has died
    out by the last game.

    Args:
        ratings: (N,) of Bradley-Terry.
        played: (N, N).
        k: rating points that a game is about.
    """
    theta = (ratings - MEAN) / SCALE
    chance = 1.0 / (1.0 + np.exp(theta[None, :] - theta[:, None]))
    weight = played * chance * (1.0 - chance)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    return bool(k / SCALE * np.linalg.eigvalsh(laplacian)[1] > _SETTLED)


def _run(scored: Array, games: Array, steps: int) -> Array:
    def change(theta: Array) -> Array:
        odds = np.exp(theta.clip(-300.0, 300.0))
        chance = odds[:, :, None] / (odds[:, :, None] + odds[:, None, :])
        weight = np.broadcast_to(games, chance.shape)
        return np.asarray(scored - np.einsum("rij,rij->ri", weight, chance))

    theta = np.zeros_like(scored)
    h = 1.0 / steps
    for _ in range(steps):
        one = change(theta)
        two = change(theta + h / 2 * one)
        three = change(theta + h / 2 * two)
        four = change(theta + h * three)
        theta = theta + h / 6 * (one + 2 * two + 2 * three + four)
    return theta
