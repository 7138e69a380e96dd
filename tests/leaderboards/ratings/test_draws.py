import numpy as np
import pytest
from rated_games import names_of, shared_luck, tally

from evaluation.pool.intervals import drawn_matrices
from evaluation.winmatrix import WinMatrix
from leaderboards.ratings import games_of_counts, games_of_prompts, games_of_rates
from leaderboards.ratings.draws import draw, replicates_for
from leaderboards.ratings.sample import pair_ends


def test_prompts_are_drawn_as_wholes_and_as_the_cross_play_draws_them():
    games = shared_luck(np.array([0.5, 0.0, -0.5]), 20, np.random.default_rng(0))
    draws = draw(games, seed=3, replicates=50)
    random = np.random.default_rng(3)
    for points in draws.points:
        chosen = random.integers(20, size=20)
        assert points == pytest.approx(sum(games.points[c] for c in chosen))
    assert draws.rates == pytest.approx(drawn_matrices(games.wins.wins, 3, 50))


def test_pairs_that_were_not_judged_on_a_prompt_are_drawn_with_it():
    wins = np.full((30, 3, 3), 0.5)
    wins[:10, 0, 1] = wins[:10, 1, 0] = np.nan
    draws = draw(games_of_prompts(WinMatrix(names_of(3), wins)), seed=0, replicates=40)
    assert (draws.played[:, 0, 2] == 30).all()
    assert draws.played[:, 0, 1].std() > 1
    assert draws.points + draws.points.transpose(0, 2, 1) == pytest.approx(draws.played)


def test_single_games_are_binomial():
    games = tally([[0, 30, 0], [10, 0, 5], [0, 0, 0]])
    draws = draw(games, seed=0, replicates=4000)
    assert (draws.played == games.played).all()
    assert draws.points[:, 0, 1].mean() == pytest.approx(30, abs=0.2)
    assert draws.points[:, 0, 1].var() == pytest.approx(40**2 / 39 * 0.75 * 0.25, rel=0.06)
    assert (draws.points[:, 1, 2] == 5).all()
    assert (draws.points[:, 0, 2] == 0).all()
    assert np.isnan(draws.rates[0, 0, 2])
    correlation = np.corrcoef(draws.points[:, 0, 1], draws.points[:, 1, 0])[0, 1]
    assert correlation == pytest.approx(-1)


def test_nothing_is_drawn_of_one():
    assert len(draw(games_of_rates(names_of(2), np.full((2, 2), 0.5)), seed=0).points) == 0
    one = games_of_counts(names_of(2), np.full((2, 2), 1.0), np.array([[0, 1], [0, 0]]))
    assert len(draw(one, seed=0).points) == 0
    assert [replicates_for(n) for n in (64, 92, 150, 500)] == [1000, 1000, 237, 100]


def test_intervals_of_pairs_are_those_of_wins_and_losses():
    ends = pair_ends(tally([[0, 30, 12], [10, 0, 5], [0, 0, 0]]))
    low, high = ends(0, 1, 0.95)
    # Wilson's interval of 30 wins of 40 is [0.598, 0.858]; t and n - 1 widen it a little.
    assert (low, high) == (pytest.approx(0.593, abs=0.004), pytest.approx(0.862, abs=0.004))
    back = ends(1, 0, 0.95)
    assert back == pytest.approx((1 - high, 1 - low))
    # Twelve of twelve: Clopper and Pearson.
    assert ends(0, 2, 0.95) == (pytest.approx(0.025 ** (1 / 12)), 1.0)
    assert ends(0, 2, 0.99)[0] < ends(0, 2, 0.95)[0]
    ties = pair_ends(games_of_counts(names_of(2), np.full((2, 2), 0.5), np.array([[0, 9], [9, 0]])))
    low, high = ties(0, 1, 0.95)
    assert low < 0.3 < 0.7 < high
