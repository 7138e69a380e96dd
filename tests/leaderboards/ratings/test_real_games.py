"""Noisy matrices that somebody measured, with other people's answers."""

import json

import numpy as np
import pytest
from rated_games import read_matrix, tally

from leaderboards.ratings import games_of_counts, games_of_rates, make_pool
from leaderboards.ratings.bradley_terry import fit
from leaderboards.ratings.draws import draw
from leaderboards.ratings.scales import rate_scales, scale_ratings

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def invariants(shared_data):
    return json.loads((shared_data / "data" / "games" / "invariants.json").read_text())


@pytest.fixture(scope="module")
def matrix(shared_data):
    def read(name):
        import gzip

        path = shared_data / "data" / "games" / name
        if path.suffix == ".gz":
            with gzip.open(path, "rt") as lines:
                header, *rows = [line.strip().split(",") for line in lines]
            return tuple(header[1:]), np.array([[float(x) for x in row[1:]] for row in rows])
        return read_matrix(path)

    return read


def rated(games):
    return {r.key: r for r in make_pool(games, key="k", title="t").ratings}


def lottery(ratings, names):
    shares = [own.value for own in ratings["maximal-lottery"].values]
    return {name: share for name, share in zip(names, shares, strict=True) if share > 1e-9}


def test_chatbot_arena(arena):
    names, rates, battles, published = arena
    games = games_of_counts(names, rates, battles)
    assert games.total == battles.sum() / 2
    assert np.isnan(games.win_rates).sum() == 124  # 62 pairs never met
    scales = rate_scales(games, draw(games, seed=0, replicates=100))
    found = {rating.key: rating for rating in scale_ratings(games, scales)}
    assert list(found) == ["bradley-terry", "elo"]
    ours = np.array([own.value for own in found["bradley-terry"].values])
    theirs = np.array([published[name] for name in names])
    # Published on all 76 models with ties; here 25 of them without ties.
    order = np.argsort(np.argsort(-ours)), np.argsort(np.argsort(-theirs))
    assert np.corrcoef(*order)[0, 1] > 0.99
    assert [names[i] for i in np.argsort(-ours)[:8]] == [names[i] for i in np.argsort(-theirs)[:8]]
    # Whoever has a higher letter than another is not published below it, but for the last few.
    for i in range(len(names)):
        for j in range(len(names)):
            if found["bradley-terry"].ranks[i][1] < found["bradley-terry"].ranks[j][0]:
                assert theirs[i] > theirs[j] - 15


@pytest.mark.peers
def test_chatbot_arena_by_choix(arena):
    choix = pytest.importorskip("choix")
    names, rates, battles, _ = arena
    games = games_of_counts(names, rates, battles)
    points = np.rint(games.points[0]).astype(int)
    assert points == pytest.approx(games.points[0], abs=0.01)  # whole battles, but for the digits
    won = [(i, j) for i, j in np.argwhere(points > 0).tolist() for _ in range(points[i, j])]
    theirs = choix.ilsr_pairwise(len(names), won)
    assert fit(points.astype(float)) == pytest.approx(
        1000 + 400 / np.log(10) * (theirs - theirs.mean()), abs=1e-3
    )


def test_the_models_of_the_arena_that_all_met(arena, invariants):
    names, rates, battles, _ = arena
    told = invariants["chatbot_arena_20240329_full"]
    block = [names.index(name) for name in told["dense_block_models"]]
    games = games_of_counts(
        told["dense_block_models"], rates[np.ix_(block, block)], battles[np.ix_(block, block)]
    )
    assert games.complete
    found = rated(games)
    assert lottery(found, games.names) == pytest.approx(told["dense_block_nash"])
    first = games.names.index("gpt-4-1106-preview")
    assert found["worst-case"].values[first].value > 0.5
    assert found["alpha-rank"].values[first].value == 1


@pytest.mark.parametrize("name", ["soccer_10x10", "sppo_pairrm_figure3"])
def test_win_rates(name, matrix, invariants):
    names, rates = matrix(f"{name}.csv")
    found = rated(games_of_rates(names, rates))
    told = invariants[name].get("nash", {"IPO Iter3": 1.0})
    assert lottery(found, names) == pytest.approx(told, abs=1e-5)


def test_roshambo(matrix, invariants):
    names, returns = matrix("roshambo_43x43.csv")
    # Returns of 1000 games, noisy: the two views of a pair do not sum to 0.
    assert np.abs(returns + returns.T).max() > 30
    games = games_of_rates(names, (0.5 + returns / 2000).clip(0, 1))
    found = rated(games)
    assert lottery(found, names) == pytest.approx(invariants["roshambo_43x43"]["nash"], abs=1e-4)
    pool = make_pool(games, key="k", title="t")
    P = pool.wins
    cycles = sum(
        (P[i, j] > 0.5) and (P[j, k] > 0.5) and (P[k, i] > 0.5)
        for i in range(43)
        for j in range(i + 1, 43)
        for k in range(i + 1, 43)
        if j != k
    )
    assert cycles == invariants["roshambo_43x43"]["cyclic_triples"]
    # Hodge: what is left of the advantages after the best ratings, by least squares.
    rows, columns = np.triu_indices(43, 1)
    design = np.zeros((len(rows), 43))
    design[np.arange(len(rows)), rows], design[np.arange(len(rows)), columns] = 1, -1
    flow = P[rows, columns] - 0.5
    left = flow - design @ np.linalg.lstsq(design, flow, rcond=None)[0]
    assert pool.cyclic_share.value == pytest.approx(float(left @ left / (flow @ flow)))


@pytest.mark.parametrize("name", ["blotto_5_3", "blotto_5_4", "kuhn_poker_64"])
def test_exact_games(name, matrix, invariants):
    names, payoffs = matrix(f"{name}.csv.gz")
    pool = make_pool(games_of_rates(names, 0.5 + payoffs / 2), key="k", title="t")
    found = {r.key: r for r in pool.ratings}
    shares = np.array([own.value for own in found["maximal-lottery"].values])
    assert (pool.wins @ shares).max() <= 0.5 + 1e-9
    # Many equilibria: the one of largest entropy has at least the support of any other.
    assert (shares > 1e-9).sum() >= invariants[name]["support"]
    assert (pool.nash_is_unique is False) or (shares > 1e-9).sum() == invariants[name]["support"]


def test_pandalm(shared_data, invariants):
    import csv

    with (shared_data / "data/games/pandalm/pairwise_counts.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["mode"] == "majority"]
    names = sorted({row[key] for row in rows for key in ("model_1", "model_2")})
    points = np.zeros((5, 5))
    for row in rows:
        i, j = names.index(row["model_1"]), names.index(row["model_2"])
        won, lost, tied = (int(row[key]) for key in ("model_1_wins", "model_2_wins", "ties"))
        points[i, j], points[j, i] = won + tied / 2, lost + tied / 2
    pool = make_pool(tally(points), key="k", title="t")
    found = {r.key: r for r in pool.ratings}
    best = names.index("llama-7b")
    assert found["maximal-lottery"].values[best].value == invariants["pandalm"]["nash"]["llama-7b"]
    for key in ("mean-win-rate", "bradley-terry", "elo", "worst-case", "exploitability"):
        assert found[key].ranks[best][0] == 1
    assert pool.cyclic_share.low == 0


@pytest.mark.peers
@pytest.mark.parametrize("name", ["soccer_10x10", "sppo_pairrm_figure3", "roshambo_43x43"])
def test_openspiel_nash_averaging(name, matrix):
    pytest.importorskip("cvxpy")
    peer = pytest.importorskip("open_spiel.python.algorithms.nash_averaging")
    pyspiel = pytest.importorskip("pyspiel")
    names, values = matrix(f"{name}.csv")
    A = values - values.T
    scale = np.abs(A).max()
    game = pyspiel.create_matrix_game((A / scale).tolist(), (-A / scale).tolist())
    theirs, _ = peer.nash_averaging(game)
    found = rated(games_of_rates(names, 0.5 + A / scale / 2))
    shares = [own.value for own in found["maximal-lottery"].values]
    assert shares == pytest.approx(theirs.ravel().tolist(), abs=2e-4)


@pytest.mark.peers
def test_openspiel_alpha_rank(matrix):
    peer = pytest.importorskip("open_spiel.python.egt.alpharank")
    names, rates = matrix("soccer_10x10.csv")
    found = rated(games_of_rates(names, rates))["alpha-rank"]
    theirs = peer.compute([rates], use_inf_alpha=True, inf_alpha_eps=1e-6)[2]
    assert [own.value for own in found.values] == pytest.approx(theirs.tolist(), abs=1e-4)
