"""Do the intervals hold the true ratings as often as they say?"""

import numpy as np
from rated_games import binomial_points, shared_luck, sigmoid, tally

from leaderboards.ratings.bradley_terry import SCALE
from leaderboards.ratings.comparing import around
from leaderboards.ratings.draws import draw
from leaderboards.ratings.scales import rate_scales

THETA = np.array([0.9, 0.4, 0.0, 0.0, -0.3, -1.0])
TRUTH = 1000 + SCALE * (THETA - THETA.mean())
RUNS = 120


def hits(games, seed):
    found = rate_scales(games, draw(games, seed=seed, replicates=150)).bradley_terry
    intervals = around(found.values, found.drawn, games=games.total, units=games.units)
    return [own.low <= truth <= own.high for own, truth in zip(intervals, TRUTH, strict=True)]


def test_one_prompt_is_one_draw_whatever_games_it_holds():
    random = np.random.default_rng(0)
    whole, single = [], []
    for seed in range(RUNS):
        games = shared_luck(THETA, 60, random)
        whole.append(hits(games, seed))
        single.append(hits(tally(games.points.sum(axis=0)), seed))
    # 720 intervals, those of one run correlated: a standard error of about one point.
    assert 0.93 < np.mean(whole) < 0.985
    # As if its five games on a prompt were five prompts: far too sure.
    assert np.mean(single) < 0.87


def test_independent_games():
    random = np.random.default_rng(1)
    chances = sigmoid(np.subtract.outer(THETA, THETA))
    found = [hits(tally(binomial_points(chances, 25, random)), seed) for seed in range(RUNS)]
    assert 0.93 < np.mean(found) < 0.985
