import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rated_games import binomial_points, sigmoid

from leaderboards.ratings.bradley_terry import fit
from leaderboards.ratings.elo import elo_ratings, settles


def over_orders(rows, columns, chances, orders, random):
    """evalica's Elo over random orders, (orders, N); a chance is drawn as won or lost."""
    from evalica import Winner, elo

    found = []
    for _ in range(orders):
        order = random.permutation(len(rows))
        won = random.random(len(rows)) < chances
        winners = [Winner.X if won[i] else Winner.Y for i in order]
        scores = elo(rows[order].tolist(), columns[order].tolist(), winners).scores
        found.append(scores.sort_index().to_numpy())
    return np.array(found)


def ours(rows, columns, chances):
    size = int(max(rows.max(), columns.max())) + 1
    points = np.zeros((1, size, size))
    np.add.at(points[0], (rows, columns), chances)
    np.add.at(points[0], (columns, rows), 1 - chances)
    return elo_ratings(points, points + points.transpose(0, 2, 1))[0]


@pytest.mark.parametrize(("size", "games", "spread"), [(4, 30, 0.7), (6, 60, 1.0), (3, 400, 1.5)])
def test_the_mean_over_orders_of_evalica(size, games, spread):
    random = np.random.default_rng(size)
    theta = random.normal(0, spread, size)
    pairs = np.array(np.triu_indices(size, 1)).repeat(games, axis=1)
    won = (random.random(pairs.shape[1]) < sigmoid(theta[pairs[0]] - theta[pairs[1]])).astype(float)
    found = over_orders(*pairs, won, 400, random)
    error = found.std(axis=0) / 20
    assert np.abs(ours(*pairs, won) - found.mean(axis=0)).max() < 4 * error.max() + 1.0
    # What the order alone does to one run is more than that.
    assert found.std(axis=0).max() > 2


def test_win_probabilities_are_shares_of_wins():
    random = np.random.default_rng(5)
    pairs = np.array(np.triu_indices(4, 1)).repeat(60, axis=1)
    chances = random.random(pairs.shape[1]) ** 2
    found = over_orders(*pairs, chances, 400, random)
    error = found.std(axis=0) / 20
    assert np.abs(ours(*pairs, chances) - found.mean(axis=0)).max() < 4 * error.max() + 1.0


def test_many_games_arrive_at_bradley_terry_and_few_stay_at_the_start():
    random = np.random.default_rng(2)
    theta = np.array([0.8, 0.1, -0.3, -0.6])
    chances = sigmoid(np.subtract.outer(theta, theta))
    points = binomial_points(chances, 5000, random).astype(float)
    played = points + points.T
    assert settles(fit(points), played)
    assert elo_ratings(points[None], played[None])[0] == pytest.approx(fit(points), abs=1e-3)
    few = points / 5000
    assert not settles(fit(few), few + few.T)
    assert np.abs(elo_ratings(few[None], (few + few.T)[None])[0] - 1000).max() < 6


@given(st.integers(2, 6), st.integers(0, 10**6), st.sampled_from([1, 30, 3000]))
def test_ratings_stay_finite_and_keep_their_mean(size, seed, games):
    random = np.random.default_rng(seed)
    points = random.random((5, size, size)) ** 4 * games
    points[0] = np.triu(points[0], 1)  # separated: the first wins all
    for own in points:
        np.fill_diagonal(own, 0.0)
    found = elo_ratings(points, points + points.transpose(0, 2, 1))
    assert np.isfinite(found).all()
    assert found.mean(axis=1) == pytest.approx(1000 * np.ones(5))
    assert found[0, 0] > 1000 > found[0, -1]


@given(st.floats(0.5, 3000))
def test_one_player_wins_all(games):
    from scipy.special import lambertw

    # With d the log-odds between them, d' = 2 K/s games / (1 + exp(d)): d + exp(d) grows evenly.
    evenly = 1 + 2 * 4.0 * np.log(10) / 400 * games
    difference = 400 / np.log(10) * (evenly - lambertw(np.exp(evenly)).real)
    points = np.array([[[0.0, games], [0.0, 0.0]]])
    found = elo_ratings(points, points + points.transpose(0, 2, 1))[0]
    assert found == pytest.approx(1000 + np.array([1, -1]) * difference / 2, abs=0.1)
