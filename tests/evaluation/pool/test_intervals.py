import numpy as np
import pytest

from evaluation.pool.intervals import (
    intervals_of_sample,
    pool_intervals,
    sample_of_prompts,
    worst_cases,
)
from evaluation.pool.standings import pool_standings
from evaluation.statistics import mean_interval
from evaluation.winmatrix import WinMatrix, solve_pool
from mnpo.errors import InvalidSetting

NAMES = ("a", "b", "c", "d", "e", "f")


def coins(mean, prompts, random):
    """Every pair's verdict on every prompt is a coin of its own."""
    size = len(mean)
    wins = np.full((prompts, size, size), 0.5)
    for i in range(size):
        for j in range(i + 1, size):
            wins[:, i, j] = random.random(prompts) < mean[i, j]
            wins[:, j, i] = 1 - wins[:, i, j]
    return WinMatrix(NAMES[:size], wins)


def ladder(*ratings):
    return 0.5 + np.subtract.outer(np.array(ratings), np.array(ratings))


def covers(found, truth):
    return found.low - 1e-9 <= truth <= found.high + 1e-9


def test_a_clear_worst_opponent_has_its_own_interval():
    wins = coins(ladder(0.0, 0.3, -0.1), 200, np.random.default_rng(0))
    found = pool_intervals(wins)
    loses = mean_interval(wins.wins[:, 1, 0], bounds=(0.0, 1.0))
    first = found.exploitability[0]
    assert (first.value, first.low, first.high) == pytest.approx(
        (loses.value - 0.5, loses.low - 0.5, loses.high - 0.5)
    )
    worst = found.worst_opponent[0]
    assert (worst.low, worst.high) == pytest.approx((1 - loses.high, 1 - loses.low))
    best = found.exploitability[1]
    assert (best.value, best.low, best.high) == (0, 0, 0)
    assert found.worst_opponent[1].low > 0.5
    assert (found.nash[1].value, found.nash[1].low) == (1, 1)


def test_ties_for_the_worst_opponent_lower_the_lower_end_only():
    mean = np.full((6, 6), 0.5)
    mean[0, 1:], mean[1:, 0] = 0.3, 0.7
    wins = coins(mean, 300, np.random.default_rng(1))
    first = pool_intervals(wins).exploitability[0]
    plain = [mean_interval(wins.wins[:, j, 0], bounds=(0.0, 1.0)) for j in range(1, 6)]
    assert first.high == max(own.high for own in plain) - 0.5
    assert first.low < max(own.low for own in plain) - 0.5
    # No further than Bonferroni's.
    strict = [
        mean_interval(wins.wins[:, j, 0], level=1 - 0.05 / 5, bounds=(0.0, 1.0))
        for j in range(1, 6)
    ]
    assert first.low >= max(own.low for own in strict) - 0.5 - 1e-12


def test_a_policy_against_its_clone():
    wins = coins(ladder(0.1, -0.1, 0.0), 60, np.random.default_rng(2)).wins
    seats = [0, 1, 2, 0]
    doubled = WinMatrix(NAMES[:4], wins[:, seats][:, :, seats])
    found, single = pool_intervals(doubled), pool_intervals(WinMatrix(NAMES[:3], wins))
    assert found.nash[0] == found.nash[3]
    assert 2 * found.nash[0].value == pytest.approx(single.nash[0].value)
    assert 2 * found.nash[0].high == pytest.approx(single.nash[0].high)
    assert found.worst_opponent[0].value <= 0.5
    assert found.exploitability[1].high == pytest.approx(single.exploitability[1].high)


def test_missing_pairs_and_too_few_prompts():
    wins = coins(ladder(0.1, -0.1, 0.0), 40, np.random.default_rng(3)).wins
    wins[5:, 0, 1] = wins[5:, 1, 0] = np.nan
    found = pool_intervals(WinMatrix(NAMES[:3], wins))
    # Five prompts of forty: some draws have none of them, but few.
    assert found.cyclic_share.low is not None
    wins[1:, 0, 1] = wins[1:, 1, 0] = np.nan
    found = pool_intervals(WinMatrix(NAMES[:3], wins))
    assert found.cyclic_share.low is None
    assert found.nash[0].low is None
    assert found.exploitability[0].low is None
    lone = pool_intervals(WinMatrix(NAMES[:3], wins[:1]))
    assert lone.nash_win_rate[2].low is None
    wins[:, 0, 1] = wins[:, 1, 0] = np.nan
    with pytest.raises(InvalidSetting, match="every pair"):
        pool_intervals(WinMatrix(NAMES[:3], wins))


def test_verdicts_that_never_vary():
    cycle = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])
    found = pool_intervals(WinMatrix(NAMES[:3], np.repeat(cycle[None], 8, axis=0)))
    assert found.exploitability[0].low == pytest.approx(0.025 ** (1 / 8) - 0.5)
    assert (found.cyclic_share.value, found.cyclic_share.low) == (pytest.approx(1), None)
    flat = pool_intervals(WinMatrix(NAMES[:3], np.full((8, 3, 3), 0.5)))
    assert (flat.exploitability[0].value, flat.cyclic_share.value) == (0, 0)
    # Always 0.6: nothing says how much another prompt would differ.
    constant = np.repeat(ladder(0.0, 0.1)[None], 8, axis=0)
    assert pool_intervals(WinMatrix(NAMES[:2], constant)).exploitability[0].low is None


def test_the_share_is_freed_of_noise():
    random = np.random.default_rng(4)
    raw, found = [], []
    for seed in range(40):
        wins = coins(ladder(0.08, 0.03, -0.03, -0.08), 60, random)
        raw.append(solve_pool(wins.mean).cyclic_share)
        found.append(pool_intervals(wins, seed=seed, replicates=100).cyclic_share)
    assert np.mean(raw) > 0.1  # of a pool without any cycle
    assert np.mean([own.value for own in found]) < 0.75 * np.mean(raw)
    assert np.mean([own.low == 0 for own in found]) > 0.9
    assert all(own.low <= own.value <= own.high for own in found)


def test_coverage():
    # A pool with a cycle of three that beats a fourth, on 80 prompts.
    truth = ladder(0.0, 0.0, 0.0, -0.15)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        truth[i, j] += 0.15
        truth[j, i] -= 0.15
    game = solve_pool(truth)
    random = np.random.default_rng(5)
    hits = {"exploitability": [], "nash": [], "cyclic_share": []}
    for seed in range(120):
        found = pool_intervals(coins(truth, 80, random), seed=seed, replicates=150)
        hits["exploitability"].append(covers(found.exploitability[0], game.exploitability[0]))
        hits["nash"].append(covers(found.nash[0], game.nash[0]))
        hits["cyclic_share"].append(covers(found.cyclic_share, game.cyclic_share))
    # 2.5 standard errors of 120 runs are 5 points; docs/statistics.md has the long simulation.
    for name, own in hits.items():
        assert np.mean(own) >= 0.95 - 0.05, name


def test_standings_repeat_and_follow_the_seed():
    wins = coins(ladder(0.15, 0.1, -0.25), 90, np.random.default_rng(6))
    one, again, other = (pool_standings(wins, seed=seed) for seed in (1, 1, 2))
    assert one.standings == again.standings
    assert one.standings != other.standings
    assert one.game.nash == pytest.approx([own.nash.value for own in one.standings])


def test_any_sample_of_matrices_has_the_intervals_of_prompts():
    wins = coins(ladder(0.1, 0.0, -0.1), 50, np.random.default_rng(7))
    sample = sample_of_prompts(wins, 3, 200)
    found = pool_intervals(wins, seed=3, replicates=200)
    assert intervals_of_sample(sample) == found
    assert worst_cases(sample) == (found.exploitability, found.worst_opponent)
    for own, wider in zip(found.worst_opponent, worst_cases(sample, level=0.99)[1], strict=True):
        assert wider.low < own.low < own.high < wider.high
