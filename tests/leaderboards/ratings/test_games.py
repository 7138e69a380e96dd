import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.winmatrix import WinMatrix
from leaderboards.ratings import Games, games_of_counts, games_of_prompts, games_of_rates
from mnpo.errors import InvalidSetting

NAN = np.nan


def matrix(*rows):
    return np.array(rows, dtype=float)


def test_both_views_of_the_same_games_count_once():
    games = games_of_counts(["a", "b"], matrix([NAN, 0.7], [0.3, NAN]), matrix([0, 10], [10, 0]))
    assert games.played[0].tolist() == [[0, 10], [10, 0]]
    assert games.points[0] == pytest.approx(matrix([0, 7], [3, 0]))
    assert (games.units, games.total, games.complete) == (10, 10, True)


def test_views_that_differ_by_rounding_are_averaged():
    games = games_of_counts(["a", "b"], matrix([NAN, 0.72], [0.3, NAN]), matrix([0, 10], [10, 0]))
    assert games.win_rates[0, 1] == pytest.approx((0.72 + 0.7) / 2)


def test_one_view_is_enough():
    games = games_of_counts(["a", "b"], matrix([NAN, 0.7], [NAN, NAN]), matrix([0, 10], [10, 0]))
    assert games.points[0] == pytest.approx(matrix([0, 7], [3, 0]))
    one_sided = games_of_counts(["a", "b"], matrix([9, 0.7], [NAN, 9]), matrix([0, 10], [NAN, 0]))
    assert one_sided.points[0] == pytest.approx(matrix([0, 7], [3, 0]))


def test_separate_counts_are_put_together():
    counts = matrix([0, 10, 5], [30, 0, 5], [5, 5, 0])
    rates = matrix([NAN, 0.8, 0.6], [0.4, NAN, 1], [0.5, 0, NAN])
    games = games_of_counts(["a", "b", "c"], rates, counts)
    # a: 8 of 10 in its own count, 18 of 30 in b's.
    assert games.played[0, 0, 1] == 40
    assert games.points[0, 0, 1] == pytest.approx(8 + 18)
    # Equal by chance, but the counts as a whole are separate.
    assert games.played[0, 0, 2] == 10
    assert games.points[0, 0, 2] == pytest.approx(3 + 2.5)


def test_pairs_without_games_are_missing():
    rates = matrix([0.5, 0.5, 0.6], [0.5, 0.5, NAN], [0.4, NAN, 0.5])
    counts = matrix([7, 0, 10], [0, 7, 0], [10, 0, 7])
    games = games_of_counts(["a", "b", "c"], rates, counts)
    assert np.isnan(games.win_rates[0, 1])
    assert np.isnan(games.win_rates[1, 2])
    assert games.win_rates[0, 2] == pytest.approx(0.6)
    assert games.win_rates.diagonal().tolist() == [0.5] * 3
    assert not games.complete


@pytest.mark.parametrize(
    ("rates", "counts", "told"),
    [
        (matrix([NAN, 1.2], [NAN, NAN]), matrix([0, 3], [3, 0]), r"\[0, 1\]"),
        (matrix([NAN, 0.2], [NAN, NAN]), matrix([0, -3], [3, 0]), "not negative"),
        (matrix([NAN, 0.2], [NAN, NAN]), matrix([0, np.inf], [3, 0]), "finite"),
        (matrix([NAN, NAN], [NAN, NAN]), matrix([0, 3], [3, 0]), "a against b"),
        (matrix([NAN, 0.2]), matrix([0, 3], [3, 0]), "2 x 2"),
    ],
)
def test_counts_that_are_none(rates, counts, told):
    with pytest.raises(InvalidSetting, match=told):
        games_of_counts(["a", "b"], rates, counts)


@given(st.integers(2, 6), st.integers(0, 10**6))
def test_counts_give_back_their_rates(size, seed):
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, size=(size, size))
    counts = np.triu(counts, 1) + np.triu(counts, 1).T
    won = np.triu(random.integers(0, counts + 1), 1)
    won = won + np.tril(counts - won.T, -1)
    rates = np.where(counts > 0, won / np.maximum(counts, 1), NAN)
    games = games_of_counts([str(i) for i in range(size)], rates, counts.astype(float))
    assert np.allclose(games.points[0], won)
    assert (games.played[0] == counts).all()


def test_prompts_are_made_antisymmetric():
    wins = np.full((2, 2, 2), 0.5)
    wins[0, 0, 1], wins[0, 1, 0] = 0.9, 0.2
    wins[1, 0, 1], wins[1, 1, 0] = 0.4, NAN
    games = games_of_prompts(WinMatrix(("a", "b"), wins))
    assert games.points[:, 0, 1] == pytest.approx([0.85, 0.4])
    assert games.points[:, 1, 0] == pytest.approx([0.15, 0.6])
    assert games.played[:, 0, 1].tolist() == [1, 1]
    assert (games.units, games.total) == (2, 2)
    assert games.wins.mean[0, 1] == pytest.approx(games.win_rates[0, 1])
    with pytest.raises(InvalidSetting, match=r"\[0, 1\]"):
        games_of_prompts(WinMatrix(("a", "b"), wins + 0.2))


def test_rates_alone_are_one_cluster():
    games = games_of_rates(["a", "b"], matrix([0.5, 0.7], [0.3, 0.5]))
    assert (games.units, games.clustered) == (1, True)
    assert games.win_rates == pytest.approx(matrix([0.5, 0.7], [0.3, 0.5]))


@pytest.mark.parametrize(
    ("names", "points", "played", "clustered", "told"),
    [
        ("ab", np.zeros((1, 3, 3)), np.zeros((1, 3, 3)), True, "2 players"),
        ("a", np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), True, "two players"),
        ("aa", np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), True, "own name"),
        ("ab", np.zeros((0, 2, 2)), np.zeros((0, 2, 2)), True, "no games"),
        ("ab", np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), False, "one cluster"),
        ("ab", np.eye(2)[None], 2 * np.eye(2)[None], False, "itself"),
        ("ab", np.array([[[0, 3], [1, 0]]]), np.array([[[0, 5], [5, 0]]]), False, "sum"),
        ("ab", np.array([[[0, -1], [6, 0]]]), np.array([[[0, 5], [5, 0]]]), False, "negative"),
        ("ab", np.array([[[0, NAN], [6, 0]]]), np.array([[[0, 5], [5, 0]]]), False, "finite"),
        ("ab", np.array([[[0, 2], [3, 0]]]), np.array([[[0, 5], [5, 0]]]), True, "its mean"),
    ],
)
def test_games_that_are_none(names, points, played, clustered, told):
    with pytest.raises(InvalidSetting, match=told):
        Games(tuple(names), points, played, clustered)
