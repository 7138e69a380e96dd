import numpy as np
import pytest
from rated_games import binomial_points, names_of, shared_luck, sigmoid, tally

from evaluation.pool.standings import pool_standings
from evaluation.winmatrix import WinMatrix
from leaderboards.board import Source
from leaderboards.ratings import games_of_counts, games_of_prompts, games_of_rates, make_pool
from leaderboards.ratings.bradley_terry import fit

ALL = [
    *("mean-win-rate", "bradley-terry", "elo", "worst-case", "exploitability"),
    *("maximal-lottery", "nash-win-rate", "alpha-rank"),
]
RANKED = ALL[:5]


def rated(pool):
    return {rating.key: rating for rating in pool.ratings}


def values(rating):
    return [own.value for own in rating.values]


def test_prompts_are_summed_up_as_the_cross_play_does():
    games = shared_luck(np.array([0.5, 0.3, 0.0, -0.9]), 80, np.random.default_rng(0))
    source = (Source("eval", "crossplay/wins.csv"),)
    pool = make_pool(games, key="k", title="t", judge="j", sources=source, notes=("first",), seed=4)
    assert [rating.key for rating in pool.ratings] == ALL
    assert (pool.key, pool.title, pool.judge, pool.sources) == ("k", "t", "j", source)
    assert (pool.names, pool.basis, pool.notes[0]) == (games.names, "prompts", "first")
    theirs = pool_standings(games.wins, seed=4)
    found = rated(pool)
    assert pool.cyclic_share == theirs.cyclic_share
    assert pool.nash_is_unique == theirs.game.nash_is_unique
    for row, standing in enumerate(theirs.standings):
        assert found["mean-win-rate"].values[row] == standing.against_pool
        assert found["worst-case"].values[row] == standing.against_worst
        assert found["exploitability"].values[row] == standing.exploitability
        share = found["maximal-lottery"].values[row]
        assert share.value == standing.nash.value
        if share.low is None:  # hardly a draw had another share
            assert standing.nash.low == standing.nash.high == share.value
        else:
            assert share == standing.nash
        assert found["nash-win-rate"].values[row] == standing.nash_win_rate
    pair = games.wins.pair("p0", "p3")
    assert pool.wins[0, 3] == pytest.approx(pair.value)
    assert (pool.low[0, 3], pool.high[0, 3]) == (pytest.approx(pair.low), pytest.approx(pair.high))
    assert pool.low[3, 0] == pytest.approx(1 - pool.high[0, 3])
    assert np.isnan(pool.low.diagonal()).all()


def test_every_rating_says_what_it_is_and_how_sure():
    games = shared_luck(np.array([1.0, 0.3, 0.0, -0.9]), 60, np.random.default_rng(1))
    pool = make_pool(games, key="k", title="t")
    for rating in pool.ratings:
        assert rating.explanation.count("\n") == 0 < len(rating.explanation) < 110
        assert rating.title
        assert rating.unit in ("Elo points", "win probability", "probability")
        for own in rating.values:
            if own.low is None:
                assert rating.unit == "probability"
                assert own.value in (0, 1)
            else:
                assert own.low <= own.value <= own.high
                assert own.low < own.high or rating.unit != "probability"
            assert own.clusters == 60
        assert bool(rating.ranks) == bool(rating.letters) == (rating.key in RANKED)
        if rating.ranks:
            first = min(range(4), key=lambda i: rating.ranks[i])
            assert "a" in rating.letters[first]
    assert rated(pool)["exploitability"].better == "lower"


def test_elo_says_that_few_games_do_not_move_it():
    games = shared_luck(np.array([1.0, 0.0, -0.9]), 10, np.random.default_rng(1))
    elo = rated(make_pool(games, key="k", title="t"))["elo"]
    assert "with few games it stays near 1000" in elo.explanation


def test_a_share_that_no_draw_changes_has_no_interval():
    wins = np.full((30, 2, 2), 0.5)
    wins[:, 0, 1] = np.linspace(0.8, 0.9, 30)
    wins[:, 1, 0] = 1 - wins[:, 0, 1]
    pool = make_pool(games_of_prompts(WinMatrix(names_of(2), wins)), key="k", title="t")
    for key in ("maximal-lottery", "alpha-rank"):
        (first, second) = rated(pool)[key].values
        assert (first.value, first.low, first.high) == (1.0, None, None)
        assert (second.value, second.low, second.high) == (0.0, None, None)
    assert any("no draw, or hardly one" in note for note in pool.notes)


def test_the_same_seed_gives_the_same_pool():
    games = shared_luck(np.array([0.5, 0.3, -0.9]), 40, np.random.default_rng(2))
    one, again, other = (make_pool(games, key="k", title="t", seed=s) for s in (1, 1, 2))
    assert one.ratings == again.ratings
    assert one.ratings != other.ratings
    for key in ("mean-win-rate", "bradley-terry"):
        assert values(rated(one)[key]) == values(rated(other)[key])


def test_independent_games():
    theta = np.array([0.6, 0.0, -0.6])
    chances = sigmoid(np.subtract.outer(theta, theta))
    points = binomial_points(chances, 200, np.random.default_rng(3))
    pool = make_pool(tally(points), key="k", title="t")
    assert pool.basis == "games"
    assert "no draw, or hardly one" in pool.notes[0]
    found = rated(pool)
    assert list(found) == ALL
    assert values(found["bradley-terry"]) == pytest.approx(fit(points.astype(float)).tolist())
    assert values(found["mean-win-rate"])[0] == pytest.approx(points[0].sum() / 400)
    # sqrt(p q / n) of 400 games, times 1.96
    half = 1.96 * np.sqrt((chances[0, 1:] * (1 - chances[0, 1:])).mean() / 400)
    own = found["mean-win-rate"].values[0]
    assert (own.high - own.low) / 2 == pytest.approx(half, rel=0.12)
    assert own.n == own.clusters == 600
    assert found["worst-case"].values[0].value == pytest.approx(points[0, 1] / 200)
    assert values(found["maximal-lottery"]) == [1, 0, 0]
    assert values(found["alpha-rank"]) == [1, 0, 0]


def test_pairs_that_never_met():
    points = np.array([[0, 7, 0], [5, 0, 6], [0, 3, 0]])
    pool = make_pool(tally(points), key="k", title="t")
    assert list(rated(pool)) == ["bradley-terry", "elo"]
    assert pool.cyclic_share is None
    assert pool.nash_is_unique is None
    assert np.isnan(pool.wins[0, 2])
    assert np.isnan(pool.low[0, 2])
    assert pool.notes[0].startswith("1 of 3 pairs never met")


def test_players_that_no_game_links():
    points = np.zeros((5, 5))
    points[0, 1] = points[1, 0] = points[2, 3] = points[3, 2] = points[3, 4] = points[4, 3] = 5
    pool = make_pool(tally(points), key="k", title="t")
    assert pool.ratings == ()
    assert pool.notes[-1] == "Bradley-Terry and Elo left out: no games link p0, p1 with the others"


def test_who_never_lost_has_no_bradley_terry_rating():
    points = np.array([[0, 9, 9], [0, 0, 4], [0, 5, 0]])
    pool = make_pool(tally(points), key="k", title="t")
    assert list(rated(pool)) == [key for key in ALL if key != "bradley-terry"]
    assert pool.notes[0] == (
        "Bradley-Terry left out, ratings would be infinite: p0 scored every point against the "
        "others"
    )
    numbers = [
        end for r in pool.ratings for own in r.values for end in (own.value, own.low, own.high)
    ]
    assert np.isfinite([end for end in numbers if end is not None]).all()
    behind = make_pool(tally(points.T), key="k", title="t")
    assert "p1, p2 scored every point against the others" in behind.notes[0]


def test_draws_without_a_fit_are_corrected_and_told():
    # One loss in thirty games: a third of the draws has none.
    pool = make_pool(tally(np.array([[0, 15, 14], [0, 0, 7], [1, 8, 0]])), key="k", title="t")
    assert "somebody never lost or never won" in pool.notes[0]
    top = rated(pool)["bradley-terry"].values[0]
    assert np.isfinite([top.low, top.value, top.high]).all()
    assert top.high > top.value + 50


def test_draws_that_lose_a_link():
    wins = np.full((12, 3, 3), 0.5)
    wins[:, 0, 1] = np.linspace(0.2, 0.7, 12)
    wins[:, 1, 2] = np.linspace(0.9, 0.3, 12)
    wins[:, 1, 0], wins[:, 2, 1] = 1 - wins[:, 0, 1], 1 - wins[:, 1, 2]
    for i, j in ((0, 2), (2, 0)):
        wins[:, i, j] = np.nan
    few, some = wins.copy(), wins.copy()
    for i, j in ((1, 2), (2, 1)):
        few[1:, i, j] = np.nan
        some[4:, i, j] = np.nan
    pool = make_pool(games_of_prompts(WinMatrix(names_of(3), few)), key="k", title="t")
    assert "do not link all players" in pool.notes[-1]
    assert rated(pool)["bradley-terry"].values[0].low is None
    assert rated(pool)["elo"].ranks == ()
    pool = make_pool(games_of_prompts(WinMatrix(names_of(3), some)), key="k", title="t")
    assert "are left out" in pool.notes[-1]
    assert rated(pool)["bradley-terry"].values[0].low is not None


def test_a_bare_matrix_has_ratings_without_intervals():
    cycle = np.array([[0.5, 0.6, 0.3], [0.4, 0.5, 0.8], [0.7, 0.2, 0.5]])
    pool = make_pool(games_of_rates(names_of(3), cycle), key="k", title="t")
    assert pool.basis == "none"
    assert list(rated(pool)) == [key for key in ALL if key != "elo"]
    assert all(own.low is own.high is None for r in pool.ratings for own in r.values)
    assert all(r.ranks == r.letters == () for r in pool.ratings)
    assert np.isnan(pool.low).all()
    assert values(rated(pool)["maximal-lottery"]) == pytest.approx([0.5, 1 / 3, 1 / 6])
    assert pool.cyclic_share.low is None
    assert any("no intervals" in note for note in pool.notes)
    assert any("Elo left out" in note for note in pool.notes)


def test_large_pools_take_intervals_of_pairs_from_the_draws(monkeypatch):
    """The same but for a little, in a fraction of the time."""
    games = shared_luck(np.array([0.5, 0.3, 0.0, -0.4, -0.9]), 60, np.random.default_rng(7))
    exact = make_pool(games, key="k", title="t")
    monkeypatch.setattr("leaderboards.ratings.sample.LARGE", 4)
    monkeypatch.setattr("leaderboards.ratings.draws.WORK", 800 * 5**3)
    fast = make_pool(games, key="k", title="t")
    assert fast.wins == pytest.approx(exact.wins)
    off = ~np.eye(5, dtype=bool)
    assert fast.low[off] == pytest.approx(exact.low[off], abs=0.03)
    assert fast.high[off] == pytest.approx(exact.high[off], abs=0.03)
    for one, other in zip(exact.ratings, fast.ratings, strict=True):
        assert values(one) == pytest.approx(values(other))
    worst, near = rated(exact)["worst-case"].values, rated(fast)["worst-case"].values
    for own, same in zip(worst, near, strict=True):
        assert (own.low, own.high) == pytest.approx((same.low, same.high), abs=0.05)
    assert any("come from the draws of all prompts" in note for note in fast.notes)
    assert any("800 draws, not from 1000" in note for note in fast.notes)


def test_two_players_and_many():
    pool = make_pool(tally([[0, 6], [4, 0]]), key="k", title="t")
    assert values(rated(pool)["mean-win-rate"]) == pytest.approx([0.6, 0.4])
    random = np.random.default_rng(5)
    size = 64
    games = games_of_counts(
        names_of(size), random.random((size, size)), np.triu(np.full((size, size), 500.0), 1)
    )
    pool = make_pool(games_of_rates(games.names, games.win_rates), key="k", title="t")
    lottery = np.array(values(rated(pool)["maximal-lottery"]))
    assert (pool.wins @ lottery <= 0.5 + 1e-9).all()
    assert lottery.sum() == pytest.approx(1)
    assert any("without letters" in note for note in pool.notes)
