"""Bradley-Terry ratings (Zermelo 1929; Bradley and Terry 1952), in Elo points.

P(i beats j) = 1 / (1 + 10^((r_j - r_i) / 400)). The ratings maximise the likelihood of all games,

    sum over i, j of points[i, j] log P(i beats j),

a tie counting as half a win for both and a win probability as that share of a win. Only
differences of ratings mean anything; here their mean is 1000.

`fit` gives the ratings of one sample, by evalica (Newman's iteration). `fit_many` gives those of a
thousand draws at once, by Newton's method on theta = r log(10) / 400. Its steps d are shortened to
log(1 + b)/b of themselves, b = max d - min d, which makes the method converge from anywhere: the
third derivative of the likelihood is bounded by b times the second (generalised self-concordance,
Sun and Tran-Dinh 2019, theorem 2).
"""

import numpy as np
from numpy.typing import NDArray

from leaderboards.ratings.connected import strongly_connected
from leaderboards.ratings.games import Array

#: Points in which odds of e to 1 differ, and the mean rating.
SCALE, MEAN = 400.0 / np.log(10.0), 1000.0
#: Numbers in one block of draws.
BLOCK = 4_000_000
_STEPS, _ACCURACY = 200, 1e-10
#: Players beyond which draws share an inverse, and the steps that they may take with it.
_FEW, _CHORDS = 40, 30


def fit(points: Array) -> Array:
    """(N,) ratings of one sample, by evalica.

    Args:
        points: (N, N), strongly connected (`connected.strongly_connected`).
    """
    from evalica import Winner, bradley_terry

    rows, columns = np.nonzero(points)
    found = bradley_terry(
        rows.tolist(),
        columns.tolist(),
        [Winner.X] * len(rows),
        weights=points[rows, columns].tolist(),
        tolerance=1e-12,
        limit=100_000,
    )
    theta = np.log(found.scores.sort_index().to_numpy(dtype=np.float64))
    # Newman's iteration creeps where chains of games are long; Newton's last digits are free.
    found_again: Array = fit_many(points[None], (points + points.T)[None], start=theta)[0]
    return found_again


def fit_many(points: Array, played: Array, start: Array | None = None) -> Array:
    """(R, N) ratings of many samples.

    Args:
        points: (R, N, N), each strongly connected.
        played: (R, N, N) or (1, N, N): points + points.T.
        start: (N,) log-odds to start from.
    """
    size = points.shape[1]
    block = max(1, BLOCK // size**2)
    theta = np.empty(points.shape[:2])
    for first in range(0, len(points), block):
        part = slice(first, first + block)
        games = played if len(played) == 1 else played[part]
        theta[part] = _solve(points[part].sum(axis=2), games, start)
    return np.asarray(MEAN + SCALE * theta)


def corrected(points: Array, pairs: Array) -> Array:
    """Points of draws, with half a game's loss for players that a draw left without one.

    A draw without a Bradley-Terry fit has a player, or a group, that never lost; its rating would
    be infinite. As in Haldane's and Anscombe's correction of odds, all players of such a draw get
    half a point and half a loss, spread over those whom they play. That is less than one game, so
    that who never lost still comes out above every draw in which it lost once.

    Args:
        points: (R, N, N).
        pairs: (N, N) who played whom in the sample.
    """
    lacking = ~strongly_connected(points)
    if not lacking.any():
        return points
    degree = pairs.sum(axis=1)
    share = np.where(pairs, 0.5 / np.maximum(np.maximum.outer(degree, degree), 1), 0.0)
    found = points.copy()
    found[lacking] += share
    return found


def _solve(scored: Array, played: Array, start: Array | None) -> Array:
    """(R, N) log-odds, mean 0: the row sums of ``played * P`` are the scores.

    Draws of one sample are close to it, so that large pools take one inverse for all, the sample's;
    those that it brings no nearer take their own.
    """
    draws, size = scored.shape
    theta = np.zeros((draws, size)) if start is None else np.tile(start - start.mean(), (draws, 1))
    open_ = np.arange(draws)
    if start is not None and size > _FEW and draws > 1:
        open_ = _with_one_inverse(theta, scored, played)
        theta[open_] = start - start.mean()
    return _newton(theta, open_, scored, played)


def _with_one_inverse(theta: Array, scored: Array, played: Array) -> NDArray[np.intp]:
    """Move ``theta`` in place; which draws have not arrived."""
    everyone = np.arange(theta.shape[1])
    chance = 1.0 / (1.0 + np.exp(theta[0] - theta[0][:, None]))
    weight = played.mean(axis=0) * chance * (1.0 - chance)
    weight[everyone, everyone] = 0.0
    total = weight.sum(axis=1)
    inverse = np.linalg.inv(np.diag(total) - weight + total.mean() / len(everyone))
    open_ = np.arange(len(theta))
    for _ in range(_CHORDS):
        own = theta[open_]
        games = played if len(played) == 1 else played[open_]
        odds = np.exp(own - own.max(axis=1, keepdims=True)).clip(1e-250)
        expected = games * (odds[:, :, None] / (odds[:, :, None] + odds[:, None, :]))
        step = (scored[open_] - expected.sum(axis=2)) @ inverse
        width = step.max(axis=1) - step.min(axis=1)
        step[width > 1.0] = 0.0  # far away: not by this inverse
        theta[open_] = own + step - step.mean(axis=1, keepdims=True)
        open_ = open_[width > _ACCURACY]
        if not len(open_):
            break
    return open_


def _newton(theta: Array, open_: NDArray[np.intp], scored: Array, played: Array) -> Array:
    size = theta.shape[1]
    everyone = np.arange(size)
    for _ in range(_STEPS):
        if not len(open_):
            break
        own = theta[open_]
        games = played if len(played) == 1 else played[open_]
        odds = np.exp(own - own.max(axis=1, keepdims=True)).clip(1e-250)
        chance = odds[:, :, None] / (odds[:, :, None] + odds[:, None, :])
        expected = games * chance
        gradient = scored[open_] - expected.sum(axis=2)
        hessian = -expected * (1.0 - chance)
        hessian[:, everyone, everyone] = 0.0
        weight = -hessian.sum(axis=2)
        hessian[:, everyone, everyone] = weight
        hessian += weight.mean(axis=1)[:, None, None] / size  # fixes the mean at 0
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        width = step.max(axis=1) - step.min(axis=1)
        damped = np.where(width > 1e-8, np.log1p(width) / np.maximum(width, 1e-8), 1.0)
        own = own + damped[:, None] * step
        theta[open_] = own - own.mean(axis=1, keepdims=True)
        open_ = open_[width > _ACCURACY]
    return theta
