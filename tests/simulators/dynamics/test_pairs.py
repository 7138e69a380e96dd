"""Sampled comparisons and what is estimated from them: least squares, win rates, logistic fits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from simulators.dynamics.oracles import SharedMatrix
from simulators.dynamics.pairs import PairData, PairSampler, population_pairs
from simulators.dynamics.sampled import (
    least_squares_advantage,
    logistic_fit,
    observed_win_rates,
)
from simulators.games import make_game

Array = NDArray[np.float64]

GAME = make_game("biased-rps")


def test_sampler_draws_the_pairs_and_answers_it_should() -> None:
    P, mu = GAME.preferences, np.array([[0.5], [0.3], [0.2]])
    data = PairSampler([7], 200_000).sample(mu, SharedMatrix(P), 0)
    assert data.weights.sum() == pytest.approx(1)
    assert np.abs(data.weights[0] - mu @ mu.T).max() < 4 * 0.5 / np.sqrt(200_000)
    asked = data.weights[0] * 200_000
    deviation = (data.preferences[0] - P) * np.sqrt(asked) / 0.5
    assert np.abs(deviation).max() < 4.5  # standard deviations
    wins = data.wins[0]
    assert np.abs(wins + wins.T - data.weights[0] - data.weights[0].T).max() < 1e-12


def test_one_annotator_answers_a_whole_iteration() -> None:
    game = make_game("condorcet")
    assert game.annotators is not None
    assert game.annotator_weights is not None
    mu, oracle = np.full((3, 2), 1 / 3), SharedMatrix(game.preferences)
    sampler = PairSampler([0, 1], 400, annotators=(game.annotators, game.annotator_weights))
    counts = np.zeros(3)
    for iteration in range(600):
        first = sampler.sample(mu, oracle, iteration)
        second = sampler.sample(mu, oracle, iteration)
        for b in range(2):
            # Rankings are deterministic: off the diagonal the answers are one annotator's.
            same = [
                all(
                    np.array_equal(
                        data.preferences[b][~np.eye(3, dtype=bool)], matrix[~np.eye(3, dtype=bool)]
                    )
                    for data in (first, second)
                )
                for matrix in game.annotators
            ]
            assert sum(same) == 1
            counts[same.index(True)] += 1
    share = counts / 1200
    assert np.abs(share - game.annotator_weights).max() < 4 * 0.5 / np.sqrt(1200)


def disconnected() -> PairData:
    """Actions 0-1-2 and 3-4 were compared, 5 never was."""
    weights, won = np.zeros((6, 6)), np.full((6, 6), 0.5)
    for i, j, share, wins in ((0, 1, 0.3, 0.8), (1, 2, 0.2, 0.4), (2, 0, 0.1, 0.9), (3, 4, 0.4, 1)):
        weights[i, j], won[i, j] = share, wins
    return PairData(weights[None], won[None], 100)


def test_what_was_never_compared_stays_where_descent_leaves_it() -> None:
    data = disconnected()
    weights, won = torch.tensor(data.weights[0]), torch.tensor(data.preferences[0])
    f = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    for _ in range(4000):
        gaps = f[:, None] - f[None, :]
        loss = (weights * (won * (gaps - 0.5) ** 2 + (1 - won) * (-gaps - 0.5) ** 2)).sum()
        (slope,) = torch.autograd.grad(loss, f)
        with torch.no_grad():
            f -= 0.3 * slope
    found = least_squares_advantage(data)[:, 0]
    assert np.abs(found - f.detach().numpy()).max() < 1e-9
    assert abs(found[5]) < 1e-14
    assert found[3] == pytest.approx(0.25)
    assert found[3] + found[4] == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("ridge", [0.1, 1.0, 5.0])
def test_ridged_logistic_fit_against_scipy(ridge: float) -> None:
    for data in (
        disconnected(),
        PairSampler([1], 60).sample(
            np.full((4, 1), 0.25), SharedMatrix(make_game("random-skew", actions=4).preferences), 0
        ),
    ):
        size = data.weights.shape[-1]
        assert data.comparisons is not None
        won = data.wins[0] * data.comparisons

        def loss(f: Array, won: Array = won) -> float:
            gaps = f[:, None] - f[None, :]
            off = won * ~np.eye(len(f), dtype=bool)
            return float((off * np.logaddexp(0, -gaps)).sum() + ridge / 2 * f @ f)

        best = minimize(loss, np.zeros(size), method="BFGS", options={"gtol": 1e-9})
        found = logistic_fit(data, ridge)[:, 0]
        assert np.abs(found - best.x).max() < 1e-5
        assert loss(found) <= best.fun + 1e-10


@given(st.integers(2, 6), st.integers(0, 10_000))
def test_population_pairs_give_the_exact_advantage(size: int, seed: int) -> None:
    P = make_game("random-skew", actions=size, seed=seed).preferences
    mu = np.random.default_rng(seed).dirichlet(np.ones(size) + 0.1)[:, None]
    mu = (mu + 1e-3) / (mu + 1e-3).sum()
    data = population_pairs(mu, P)
    advantage = least_squares_advantage(data)[:, 0]
    assert np.ptp(advantage - (P @ mu)[:, 0]) < 1e-9
    assert np.abs(observed_win_rates(data) - P @ mu).max() < 1e-12


def test_merged_data_is_all_of_it() -> None:
    P, mu = SharedMatrix(GAME.preferences), np.array([[0.5], [0.3], [0.2]])
    sampler = PairSampler([5], 100)
    first, second = sampler.sample(mu, P, 0), sampler.sample(mu, P, 1)
    both = first.merged(second).merged(first)
    assert both.comparisons == 300
    assert both.weights.sum() == pytest.approx(1)
    counted = (2 * first.weights + second.weights) * 100
    assert np.abs(both.weights * 300 - counted).max() < 1e-9
    wins = (2 * first.wins + second.wins) * 100
    assert np.abs(both.wins * 300 - wins).max() < 1e-9


def test_a_never_compared_action_counts_as_even() -> None:
    rates = observed_win_rates(disconnected())[:, 0]
    assert rates[5] == 0.5
    assert rates[3] == 1
    assert rates[0] == pytest.approx((0.3 * 0.8 + 0.1 * 0.1) / 0.4)
