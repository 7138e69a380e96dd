import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rated_games import binomial_points, sigmoid

from leaderboards.ratings.bradley_terry import MEAN, SCALE, corrected, fit, fit_many
from leaderboards.ratings.connected import groups, reachable, strongly_connected


def log_likelihood(theta, points):
    return float((points * np.log(sigmoid(theta[:, None] - theta[None, :]))).sum())


@st.composite
def fittable(draw):
    """Points with a maximum of the likelihood: some pairs never met, some points are shares."""
    size = draw(st.integers(2, 7))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    points = random.integers(0, 30, (size, size)) * (random.random((size, size)) < 0.6)
    points = points + random.random((size, size)) * (random.random((size, size)) < 0.3)
    ring = np.arange(size)
    points[ring, (ring + 1) % size] += 1.0
    np.fill_diagonal(points, 0.0)
    return points


def test_two_players_have_the_log_odds_of_their_games():
    ratings = fit(np.array([[0.0, 9.0], [1.0, 0.0]]))
    assert ratings[0] - ratings[1] == pytest.approx(400 * np.log10(9))
    assert ratings.mean() == pytest.approx(1000)


@given(fittable())
def test_no_other_ratings_are_likelier(points):
    from scipy.optimize import minimize

    theta = (fit_many(points[None], (points + points.T)[None])[0] - 1000) / SCALE

    def cost(x):
        p = sigmoid(x[:, None] - x[None, :])
        slope = (points - (points + points.T) * p).sum(axis=1)
        return -log_likelihood(x, points), -slope

    found = minimize(cost, np.zeros(len(points)), jac=True, method="BFGS", options={"gtol": 1e-9})
    assert log_likelihood(theta, points) >= -found.fun - 1e-9 * abs(found.fun)
    assert theta == pytest.approx(found.x - found.x.mean(), abs=1e-3)


@given(fittable())
def test_expected_points_are_the_points(points):
    theta = (fit_many(points[None], (points + points.T)[None])[0] - 1000) / SCALE
    expected = ((points + points.T) * sigmoid(theta[:, None] - theta[None, :])).sum(axis=1)
    assert expected == pytest.approx(points.sum(axis=1), rel=1e-8, abs=1e-8)


@given(fittable())
def test_evalica_agrees(points):
    assert fit(points) == pytest.approx(
        fit_many(points[None], (points + points.T)[None])[0], abs=1e-6
    )
    from evalica import Winner, bradley_terry

    rows, columns = np.nonzero(points)
    found = bradley_terry(
        rows.tolist(),
        columns.tolist(),
        [Winner.X] * len(rows),
        weights=points[rows, columns].tolist(),
        tolerance=1e-10,
        limit=100_000,
    )
    theta = np.log(found.scores.sort_index().to_numpy())
    assert fit(points) == pytest.approx(1000 + SCALE * (theta - theta.mean()), abs=0.05)


@pytest.mark.peers
def test_choix_agrees():
    choix = pytest.importorskip("choix")
    random = np.random.default_rng(0)
    theta = random.normal(0, 1, 8)
    points = binomial_points(sigmoid(np.subtract.outer(theta, theta)), 40, random)
    won = [(i, j) for i, j in np.argwhere(points > 0) for _ in range(int(points[i, j]))]
    newton = choix.opt_pairwise(8, won, method="Newton-CG", tol=1e-10)
    spectral = choix.ilsr_pairwise(8, won)
    ours = (fit(points) - 1000) / SCALE
    assert ours == pytest.approx(newton - newton.mean(), abs=1e-4)
    assert ours == pytest.approx(spectral - spectral.mean(), abs=1e-5)


def test_many_samples_at_once_are_each_alone():
    random = np.random.default_rng(1)
    theta = random.normal(0, 2, 6)
    chances = sigmoid(np.subtract.outer(theta, theta))
    points = np.array([binomial_points(chances, 200, random) for _ in range(40)], dtype=float)
    points = points[strongly_connected(points)]
    assert len(points) > 20
    played = points[:1] + points[:1].transpose(0, 2, 1)
    together = fit_many(points, played)
    alone = [fit_many(own[None], played)[0] for own in points]
    warm = fit_many(points, points + points.transpose(0, 2, 1), start=theta)
    assert together == pytest.approx(np.array(alone), abs=1e-7)
    assert together == pytest.approx(warm, abs=1e-7)


def test_far_from_even():
    # A chain of players, each of whom wins all but one of a million games against the next.
    points = np.zeros((6, 6))
    above = np.arange(5)
    points[above, above + 1], points[above + 1, above] = 1e6, 1.0
    ratings = fit_many(points[None], (points + points.T)[None])[0]
    assert np.diff(ratings) == pytest.approx(-400 * np.log10(1e6) * np.ones(5))


@given(st.integers(2, 7), st.integers(0, 10**6), st.floats(0.1, 0.6))
def test_connected_as_walking_says(size, seed, density):
    random = np.random.default_rng(seed)
    edges = random.random((3, size, size)) < density
    found = reachable(edges)
    for own, paths in zip(edges, found, strict=True):
        for start in range(size):
            seen, todo = {start}, [start]
            while todo:
                here = todo.pop()
                for there in np.flatnonzero(own[here]).tolist():
                    if there not in seen:
                        seen.add(there)
                        todo.append(there)
            assert set(np.flatnonzero(paths[start]).tolist()) == seen
        together = groups(paths)
        assert sorted(i for group in together for i in group) == list(range(size))
        assert strongly_connected(own[None].astype(float))[0] == (len(together) == 1)


def test_a_draw_that_nobody_can_fit_is_corrected_by_less_than_a_game():
    points = np.array([[[0.0, 5, 5], [0, 0, 3], [0, 2, 0]], [[0.0, 4, 5], [1, 0, 3], [0, 2, 0]]])
    made = corrected(points, ~np.eye(3, dtype=bool))
    assert (made[1] == points[1]).all()
    given_ = (made - points)[0]
    assert given_.sum(axis=1) == pytest.approx(0.5 * np.ones(3))
    assert given_.sum(axis=0) == pytest.approx(0.5 * np.ones(3))
    ratings = fit_many(made, made + made.transpose(0, 2, 1))
    assert np.isfinite(ratings).all()
    # Who never lost is above who lost once.
    assert ratings[0, 0] > ratings[1, 0]
    assert corrected(points[1:], ~np.eye(3, dtype=bool)) is not None


def test_large_pools_share_an_inverse_and_find_the_same():
    """Beyond 40 players; a draw far from the others is found by steps of its own."""
    random = np.random.default_rng(8)
    size, draws = 45, 6
    theta = random.normal(0, 0.7, size)
    chances = 1 / (1 + np.exp(theta[None, :] - theta[:, None]))
    points = np.array([np.triu(random.binomial(20, chances), 1) for _ in range(draws)], float)
    points += np.tril(20 - points.transpose(0, 2, 1), -1)
    points[-1] = points[-1, ::-1, ::-1]  # another order of strength altogether
    played = points + points.transpose(0, 2, 1)
    start = (fit(points[:-1].sum(axis=0)) - MEAN) / SCALE
    together = fit_many(points, played, start)
    for own, alone in zip(points, together, strict=True):
        assert alone == pytest.approx(fit_many(own[None], own[None] + own.T[None])[0], abs=1e-6)
