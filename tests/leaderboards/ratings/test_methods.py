"""Methods over their training seeds: means over all pairs, intervals that count seeds too."""

import itertools

import numpy as np
import pytest
from rated_games import sigmoid

from evaluation.winmatrix import WinMatrix
from leaderboards.ratings import games_of_prompts, make_method_pool, make_pool
from leaderboards.ratings.comparing import around
from leaderboards.ratings.draws import draw
from leaderboards.ratings.mean_win_rate import mean_win_rates
from leaderboards.ratings.methods import games_over_seeds
from mnpo.errors import InvalidSetting

THETA = np.array([0.5, 0.2, 0.0, -0.7])


def policies(random, *, seeds=3, prompts=30, of_seeds=0.3, start=True):
    """(games, methods): strengths of methods, of their seeds, and luck that prompts share."""
    methods = ["sft"] * start + [f"m{i}" for i in range(len(THETA)) for _ in range(seeds)]
    own = np.repeat(THETA, seeds) + random.normal(0, of_seeds, len(THETA) * seeds)
    strength = np.concatenate([[-1.0] * start, own])
    luck = random.normal(0, 0.5, (prompts, len(strength)))
    logits = strength + luck
    wins = sigmoid(logits[:, :, None] - logits[:, None, :])
    names = tuple(f"{name}-{place}" for place, name in enumerate(methods))
    return games_of_prompts(WinMatrix(names, wins)), methods


def rating(pool, key):
    return next(own for own in pool.ratings if own.key == key)


def test_a_win_rate_is_the_mean_over_all_pairs_of_seeds() -> None:
    games, methods = policies(np.random.default_rng(0))
    pool = make_method_pool(games, methods, key="k", title="t")
    assert pool.names == ("sft", "m0", "m1", "m2", "m3")
    assert pool.basis == "seeds and prompts"
    wins = games.wins.wins
    for row, column in itertools.permutations(range(5), 2):
        pairs = [
            wins[:, i, j].mean()
            for i in range(len(methods))
            for j in range(len(methods))
            if methods[i] == pool.names[row] and methods[j] == pool.names[column]
        ]
        assert len(pairs) == (9 if "sft" not in (pool.names[row], pool.names[column]) else 3)
        assert pool.wins[row, column] == pytest.approx(np.mean(pairs))
        assert pool.low[row, column] < pool.wins[row, column] < pool.high[row, column]
    average = rating(pool, "mean-win-rate").values[1]
    assert average.value == pytest.approx(np.delete(pool.wins[1], 1).mean())
    assert any("seeds' part" in note or "other seeds is rough" in note for note in pool.notes)
    assert any("sft" in note for note in pool.notes)


def test_draws_are_those_of_a_naive_loop() -> None:
    """Their spread is that of a two-way bootstrap written out."""
    random = np.random.default_rng(1)
    games, methods = policies(random, seeds=3, prompts=20)
    found = games_over_seeds(games, methods)
    wins, names = games.wins.wins, list(dict.fromkeys(methods))
    places = [[i for i, own in enumerate(methods) if own == name] for name in names]
    drawn = []
    for _ in range(3000):
        prompts = random.integers(20, size=20)
        taken = [random.choice(own, size=len(own)) for own in places]
        drawn.append(wins[np.ix_(prompts, taken[1], taken[2])].mean())
    expected = np.std(drawn)
    assert found.draws.rates[:, 1, 2].std() == pytest.approx(expected, rel=0.08)


def test_seeds_that_are_alike_add_nothing() -> None:
    random = np.random.default_rng(2)
    games, methods = policies(random, seeds=1, start=False)
    twice = np.repeat(np.repeat(games.wins.wins, 3, axis=1), 3, axis=2)
    names = tuple(f"{name}-{seed}" for name in methods for seed in range(3))
    copies = games_of_prompts(WinMatrix(names, twice))
    one = make_pool(games, key="k", title="t")
    many = make_method_pool(copies, np.repeat(methods, 3).tolist(), key="k", title="t")
    assert many.wins == pytest.approx(one.wins)
    for key in ("bradley-terry", "mean-win-rate"):
        a, b = rating(one, key).values[0], rating(many, key).values[0]
        assert b.value == pytest.approx(a.value)
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.06)


def test_seeds_that_differ_widen() -> None:
    random = np.random.default_rng(3)
    games, methods = policies(random, of_seeds=0.6, prompts=200)
    found = games_over_seeds(games, methods)
    assert found.seeds == (1, 3, 3, 3, 3)
    assert 2 <= found.games.units <= 6
    mean = games_of_prompts(found.games.wins)
    one = rating(make_pool(mean, key="k", title="t"), "bradley-terry").values[1]
    many = rating(make_method_pool(games, methods, key="k", title="t"), "bradley-terry").values[1]
    assert many.value == pytest.approx(one.value)
    assert many.high - many.low > 3 * (one.high - one.low)


def test_intervals_hold_what_other_seeds_give() -> None:
    """The truth is of all seeds and prompts; prompts alone would hold it far too seldom."""
    random = np.random.default_rng(4)
    wide = np.random.default_rng(5)
    luck = wide.normal(0, np.hypot(0.5, 0.3), (200_000, len(THETA)))
    strength = THETA + luck
    truth = np.array(
        [
            np.mean([sigmoid(strength[:, i] - strength[:, j]).mean() for j in range(4) if j != i])
            for i in range(4)
        ]
    )
    seeded, prompts = [], []
    for seed in range(80):
        games, methods = policies(random, start=False)
        found = games_over_seeds(games, methods, seed=seed)
        plain = games_of_prompts(found.games.wins)
        for kept, own, draws in (
            (seeded, found.games, found.draws),
            (prompts, plain, draw(plain, seed=seed)),
        ):
            values, drawn = mean_win_rates(own.win_rates[None])[0], mean_win_rates(draws.rates)
            for interval, true in zip(
                around(values, drawn, games=own.total, units=own.units), truth, strict=True
            ):
                kept.append(interval.low <= true <= interval.high)
    assert np.mean(seeded) > 0.93
    assert np.mean(prompts) < 0.87


def test_pairs_that_were_not_measured_everywhere() -> None:
    games, methods = policies(np.random.default_rng(6), prompts=12)
    wins = games.wins.wins
    wins[:4, 1, 5] = wins[:4, 5, 1] = np.nan
    pool = make_method_pool(
        games_of_prompts(WinMatrix(games.names, wins)), methods, key="k", title="t"
    )
    assert np.isfinite(pool.wins).all()
    assert rating(pool, "mean-win-rate").values[0].low is not None


def test_refusals_and_single_seeds() -> None:
    games, methods = policies(np.random.default_rng(7), seeds=1)
    with pytest.raises(InvalidSetting, match="methods are rated"):
        games_over_seeds(games, methods[1:])
    pool = make_method_pool(games, methods, key="k", title="t")
    plain = make_pool(games, key="k", title="t")
    assert pool.basis == "prompts"
    assert [own.values for own in pool.ratings] == [own.values for own in plain.ratings]
