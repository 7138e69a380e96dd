import numpy as np
import pytest

from evaluation.statistics import mean_interval
from evaluation.winmatrix import WinMatrix, block_means, mean_over_judges, solve_pool
from mnpo.errors import InvalidSetting

ROCK_PAPER_SCISSORS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])


def random_wins(prompts, size, seed=0, missing=0.0):
    random = np.random.default_rng(seed)
    wins = np.full((prompts, size, size), 0.5)
    for c in range(prompts):
        for i in range(size):
            for j in range(i + 1, size):
                p = np.nan if random.random() < missing else random.random()
                wins[c, i, j], wins[c, j, i] = p, 1 - p
    return wins


def test_block_means_against_loops():
    random = np.random.default_rng(0)
    owners = [2, 0, 0, 2, 3, 2]
    upper = np.triu(random.random((6, 6)), 1)
    P = upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(6)
    found = block_means(P, owners, 4)
    for a in range(4):
        for b in range(4):
            entries = [
                P[i, j] for i in range(6) for j in range(6) if (owners[i], owners[j]) == (a, b)
            ]
            if a == 1 or b == 1:
                assert np.isnan(found[a, b])
            elif a == b:
                assert found[a, b] == 0.5
            else:
                assert found[a, b] == pytest.approx(np.mean(entries), abs=1e-15)
    assert found[0, 2] + found[2, 0] == pytest.approx(1, abs=1e-15)


def test_pairs_and_pool_against_loops():
    wins = random_wins(9, 4, missing=0.2)
    matrix = WinMatrix(("a", "b", "c", "d"), wins)
    assert matrix.complete
    for i, row in enumerate(matrix.names):
        for j, column in enumerate(matrix.names):
            values = [wins[c, i, j] for c in range(9) if not np.isnan(wins[c, i, j])]
            assert matrix.mean[i, j] == pytest.approx(np.mean(values), abs=1e-15)
            assert matrix.pair(row, column).n == len(values)
        means = []
        for c in range(9):
            others = [wins[c, i, j] for j in range(4) if j != i]
            if not any(np.isnan(others)):
                means.append(np.mean(others))
        found, wanted = matrix.against_pool(row), mean_interval(means, bounds=(0, 1))
        assert found.value == pytest.approx(wanted.value)
        assert (found.low, found.n) == (pytest.approx(wanted.low), wanted.n)
        rates = {column: matrix.mean[i, j] for j, column in enumerate("abcd") if j != i}
        assert matrix.worst_opponent(row) == min(rates, key=rates.get)


def test_rock_paper_scissors_is_all_cycle():
    game = solve_pool(ROCK_PAPER_SCISSORS)
    assert game.cyclic_share == pytest.approx(1, abs=1e-12)
    assert game.nash == pytest.approx([1 / 3] * 3, abs=1e-12)
    assert game.nash_is_unique
    assert game.nash_win_rate == pytest.approx([0.5] * 3)
    assert game.exploitability == pytest.approx([0.5] * 3)


def test_a_ladder_has_no_cycle():
    ratings = np.array([0.0, 0.1, 0.3])
    game = solve_pool(0.5 + ratings[:, None] - ratings[None, :])
    assert game.cyclic_share == pytest.approx(0, abs=1e-12)
    assert game.nash == pytest.approx([0, 0, 1])
    assert game.exploitability == pytest.approx([0.3, 0.2, 0])
    assert game.nash_win_rate == pytest.approx([0.2, 0.3, 0.5])


def test_a_clone_shares_its_place_in_the_nash_average():
    index = [0, 1, 2, 2]
    game = solve_pool(ROCK_PAPER_SCISSORS[np.ix_(index, index)])
    assert game.nash == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6])
    assert not game.nash_is_unique


def test_population_is_the_mean_over_its_judges():
    first, second = (WinMatrix(("a", "b"), random_wins(5, 2, seed)) for seed in (1, 2))
    found = mean_over_judges([first, second]).wins
    assert found == pytest.approx((first.wins + second.wins) / 2)


def test_what_was_not_measured_is_refused():
    wins = random_wins(3, 2)
    wins[:, 0, 1] = wins[:, 1, 0] = np.nan
    matrix = WinMatrix(("a", "b"), wins)
    assert not matrix.complete
    with pytest.raises(InvalidSetting, match="a against b was not measured"):
        matrix.pair("a", "b")
    with pytest.raises(InvalidSetting, match="no policy 'c'"):
        matrix.pair("a", "c")
    with pytest.raises(InvalidSetting, match="shape"):
        WinMatrix(("a",), wins)


def test_a_common_mixture_against_loops():
    wins = random_wins(8, 3, missing=0.2)
    matrix = WinMatrix(("a", "b", "c"), wins)
    shares = {"a": 0.25, "c": 0.75}
    for i, row in enumerate("abc"):
        values = []
        for c in range(8):
            rates = [wins[c, i, 0], wins[c, i, 2]]
            if not any(np.isnan(rates)):
                values.append(0.25 * rates[0] + 0.75 * rates[1])
        found, wanted = matrix.against_mixture(row, shares), mean_interval(values, bounds=(0, 1))
        assert (found.value, found.n) == (pytest.approx(wanted.value), wanted.n)
        assert (found.low, found.high) == (pytest.approx(wanted.low), pytest.approx(wanted.high))
    assert matrix.mixture({"b": 1.0}).tolist() == [0, 1, 0]
    for wrong in ({"a": 0.5}, {"a": 1.5, "b": -0.5}, {"a": float("nan"), "b": 1.0}):
        with pytest.raises(InvalidSetting, match="sum to 1"):
            matrix.mixture(wrong)
    with pytest.raises(InvalidSetting, match="no policy 'd'"):
        matrix.mixture({"d": 1.0})


def test_what_was_measured_together():
    wins = random_wins(3, 3)
    wins[0, 0, 1] = wins[0, 1, 0] = wins[1:, 0, 2] = wins[1:, 2, 0] = np.nan
    matrix = WinMatrix(("a", "b", "c"), wins)
    assert matrix.complete
    assert matrix.measured("a", "b")
    assert not matrix.shares_prompts("a")  # b and c were never there on one prompt
    assert matrix.shares_prompts("b")
    wins[1:, 0, 1] = wins[1:, 1, 0] = np.nan
    assert not matrix.measured("b", "a")
