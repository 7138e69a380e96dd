import numpy as np
import pytest
from rated_games import names_of, shared_luck, tally

from evaluation.statistics import Interval, compare_all
from leaderboards.ratings import compare, make_pool
from leaderboards.ratings.comparing import apart, compared, significant
from mnpo.errors import InvalidSetting


def test_mean_win_rates_differ_as_paired_differences_do():
    games = shared_luck(np.array([0.6, 0.2, 0.0, -0.8]), 150, np.random.default_rng(0))
    others = (games.wins.wins.sum(axis=2) - 0.5) / 3
    exact = compare_all(games.names, others.T, bounds=(0.0, 1.0))
    ours = compare(games, "mean-win-rate")
    for own, other in zip(ours, exact, strict=True):
        assert (own.first, own.second) == (other.first, other.second)
        assert own.difference.value == pytest.approx(other.difference.value)
        assert own.difference.low == pytest.approx(other.difference.low, abs=0.01)
        assert own.difference.high == pytest.approx(other.difference.high, abs=0.01)
        # Errors from 1000 draws are right to a few percent, p-values as far as those go.
        assert abs(np.sqrt(own.p_value) - np.sqrt(other.p_value)) < 0.05
        assert own.adjusted >= own.p_value


def test_the_same_luck_for_both_makes_differences_surer():
    games = shared_luck(np.array([0.6, 0.2, 0.0, -0.8]), 150, np.random.default_rng(1))
    pool = make_pool(games, key="k", title="t")
    rating = next(own for own in pool.ratings if own.key == "bradley-terry")
    own = compare(games)[0]
    assert own.difference.value == pytest.approx(rating.values[0].value - rating.values[1].value)
    wide = [value.high - value.low for value in rating.values[:2]]
    assert own.difference.high - own.difference.low < 1.3 * np.hypot(*wide)
    ranks = significant(games.names, compare(games))
    for i, letters in enumerate(rating.letters):
        for j in range(i):
            assert bool(set(letters) & set(rating.letters[j])) == (not ranks[i, j])


def test_errors_are_those_of_the_differences():
    random = np.random.default_rng(2)
    drawn = random.normal(size=(500, 3)) @ random.normal(size=(3, 3)) + 1000
    drawn[:, 2] = drawn[:, 1]
    values = np.array([1003.0, 1001.0, 1001.0])
    found = compared(names_of(3), values, drawn, 50)
    spread = (drawn[:, 0] - drawn[:, 1]).std(ddof=1) * np.sqrt(50 / 49)
    from scipy.stats import t

    assert found[0].p_value == pytest.approx(2 * t.sf(2 / spread, 49))
    assert found[0].difference.high == pytest.approx(2 + t.ppf(0.975, 49) * spread)
    assert (found[2].p_value, found[2].difference.low) == (None, None)
    assert not significant(names_of(3), found)[1, 2]
    nothing = compared(names_of(3), values, drawn[:0], 1)
    assert all(own.p_value is None and own.adjusted is None for own in nothing)


def test_equal_players_are_seldom_told_apart():
    random = np.random.default_rng(3)
    wrong = 0
    for seed in range(60):
        games = tally(np.triu(random.binomial(40, 0.5, (5, 5)), 1))
        games = tally(games.points[0] + np.tril(40 - games.points[0].T, -1))
        wrong += bool(significant(games.names, compare(games, seed=seed)).any())
    assert wrong <= 8  # 3 expected at most; 8 or fewer with probability 0.99


def test_intervals_apart():
    found = apart(
        [Interval(0, -1, 1, 9, 9), Interval(2, 1.5, 3, 9, 9), Interval(9, None, None, 9, 9)]
    )
    assert found.tolist() == [[False, True, False], [True, False, False], [False] * 3]


def test_ratings_that_cannot_be_compared():
    with pytest.raises(InvalidSetting, match="must be 'bradley-terry'"):
        compare(tally([[0, 3], [4, 0]]), "trueskill")
    with pytest.raises(InvalidSetting, match="infinite: p0 scored"):
        compare(tally([[0, 3], [0, 0]]))
    with pytest.raises(InvalidSetting, match="no games link p2"):
        compare(tally([[0, 3, 0], [2, 0, 0], [0, 0, 0]]), "elo")
    with pytest.raises(InvalidSetting, match="1 of 3 pairs never met"):
        compare(tally([[0, 3, 4], [2, 0, 0], [1, 0, 0]]), "mean-win-rate")
