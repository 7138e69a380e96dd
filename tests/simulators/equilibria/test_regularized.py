"""The KL-regularised equilibrium: golden values, closed forms, a naive twin, invariants."""

from typing import Any

import numpy as np
import pytest
from conftest import golden_params, policies, preference_matrices
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting
from simulators.equilibria import (
    regularized_equilibria,
    regularized_equilibrium,
    regularized_log_equilibrium,
)
from simulators.equilibria.path import follow, softmax
from simulators.equilibria.regularized import _PairwisePayoffs

TEMPERATURES = st.floats(-3.0, 0.5).map(lambda exponent: 10.0**exponent)


def random_game(actions: int, seed: int, deterministic: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    A = rng.uniform(-0.5, 0.5, (actions, actions))
    A = np.triu(np.sign(A) / 2 if deterministic else A, 1)
    return 0.5 + A - A.T


def residual(P: np.ndarray, tau: float, log_ref: np.ndarray, log_pi: np.ndarray) -> float:
    """How far log pi - log ref - P pi / tau is from constant, in nats."""
    return float(np.ptp(log_pi - log_ref - P @ np.exp(log_pi) / tau))


def damped_best_response(P: np.ndarray, tau: float, ref: np.ndarray) -> np.ndarray:
    """The naive twin: small steps towards the regularised best response, many of them."""
    x = np.log(ref)
    step = 0.5 * min(1.0, tau**2 / 0.25)  # contracts whatever the game: omega <= 1/2
    for _ in range(200_000):
        pi = np.exp(x - np.logaddexp.reduce(x))
        move = step * (np.log(ref) + P @ pi / tau - x)
        move -= move.mean()
        x = x + move
        if np.abs(move).max() < 1e-15:
            break
    return np.exp(x - np.logaddexp.reduce(x))


@pytest.mark.parametrize("case", golden_params("equilibrium"))
def test_golden(case: dict[str, Any]) -> None:
    policy, info = regularized_equilibrium(case["P"], case["tau"], case["ref"], return_info=True)
    np.testing.assert_allclose(policy, case["reg_ne"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(info.log_policy, case["reg_ne_log"], rtol=0, atol=1e-12)


@given(st.data(), preference_matrices(max_actions=8), TEMPERATURES)
def test_is_its_own_regularised_best_response(
    data: st.DataObject, P: np.ndarray, tau: float
) -> None:
    ref = data.draw(policies(len(P)))
    policy, info = regularized_equilibrium(P, tau, ref, return_info=True)
    assert residual(P, tau, np.log(ref), info.log_policy) < 1e-13 * (10 + 10 / tau)
    assert policy.sum() == pytest.approx(1.0, abs=1e-14)
    # The duality gap of the regularised game, 2 tau KL(pi || BR(pi)).
    response = np.log(ref) + P @ policy / tau
    response -= np.logaddexp.reduce(response)
    gap = 2 * tau * float(policy @ (info.log_policy - response))
    assert abs(gap) < 1e-13


@given(st.data(), preference_matrices(max_actions=5), st.sampled_from([0.1, 0.3, 1.0]))
def test_agrees_with_the_damped_iteration(data: st.DataObject, P: np.ndarray, tau: float) -> None:
    ref = data.draw(policies(len(P)))
    twin = damped_best_response(P, tau, ref)
    np.testing.assert_allclose(regularized_equilibrium(P, tau, ref), twin, rtol=0, atol=1e-12)


@given(st.floats(0.0, 1.0), st.floats(0.05, 0.95), st.sampled_from([1.0, 0.1, 0.01, 0.001, 1e-5]))
def test_two_actions_have_a_closed_form(win: float, first: float, tau: float) -> None:
    """Two actions: log-odds = log-odds of the reference + (P_12 - 1/2) / tau, no game at all."""
    P = np.array([[0.5, win], [1 - win, 0.5]])
    info = regularized_log_equilibrium(P, tau, np.log([first, 1 - first]))
    odds = np.log(first / (1 - first)) + (win - 0.5) / tau
    np.testing.assert_allclose(np.subtract(*info.log_policy), odds, rtol=1e-13, atol=1e-12)


@given(st.data(), preference_matrices(max_actions=5), st.floats(0.0, 0.45), TEMPERATURES)
def test_label_noise_is_a_higher_temperature(
    data: st.DataObject, P: np.ndarray, noise: float, tau: float
) -> None:
    ref = data.draw(policies(len(P)))
    noisy = regularized_equilibrium((1 - 2 * noise) * P + noise, tau, ref)
    clean = regularized_equilibrium(P, tau / (1 - 2 * noise), ref)
    # Forming the noisy matrix rounds by 1e-16, which 1/tau magnifies.
    np.testing.assert_allclose(noisy, clean, rtol=0, atol=1e-13 + 1e-15 / tau)


@given(st.data(), preference_matrices(max_actions=5), st.sampled_from([0.02, 0.1, 0.5]))
def test_a_clone_shares_its_original_by_the_reference(
    data: st.DataObject, P: np.ndarray, tau: float
) -> None:
    ref = data.draw(policies(len(P)))
    split = data.draw(st.floats(0.1, 0.9))
    index = np.append(np.arange(len(P)), 0)
    cloned_ref = np.append(ref, (1 - split) * ref[0])
    cloned_ref[0] *= split
    cloned = regularized_equilibrium(P[np.ix_(index, index)], tau, cloned_ref)
    whole = regularized_equilibrium(P, tau, ref)
    np.testing.assert_allclose(cloned[1:-1], whole[1:], rtol=0, atol=1e-13)
    np.testing.assert_allclose(
        cloned[[0, -1]], whole[0] * np.array([split, 1 - split]), rtol=0, atol=1e-13
    )


@given(st.data(), st.integers(1, 6), TEMPERATURES)
def test_ties_leave_the_reference(data: st.DataObject, actions: int, tau: float) -> None:
    ref = data.draw(policies(actions))
    policy = regularized_equilibrium(np.full((actions, actions), 0.5), tau, ref)
    np.testing.assert_allclose(policy, ref, rtol=1e-14)


@pytest.mark.parametrize("tau", [0.1, 0.01, 0.001])
@pytest.mark.parametrize("deterministic", [False, True])
def test_twenty_starts_agree(tau: float, deterministic: bool) -> None:
    rng = np.random.default_rng(7)
    P = random_game(10, 3, deterministic)
    starts = rng.normal(size=(20, 10)) * 5
    log_ref = np.tile(np.log(rng.dirichlet(np.ones(10))), (20, 1))
    found = follow(_PairwisePayoffs(P - 0.5), log_ref, np.full(20, tau), initial=starts)
    assert found.converged.all()
    assert np.ptp(softmax(found.x), axis=0).max() < 1e-13


@pytest.mark.parametrize("actions", [3, 20, 300])
@pytest.mark.parametrize("tau", [0.1, 0.001])
@pytest.mark.parametrize("deterministic", [False, True])
def test_large_games_at_low_temperature(actions: int, tau: float, deterministic: bool) -> None:
    P = random_game(actions, actions, deterministic)
    log_ref = np.log(np.random.default_rng(1).dirichlet(np.ones(actions)))
    info = regularized_log_equilibrium(P, tau, log_ref)
    assert residual(P, tau, log_ref, info.log_policy) < 1e-12 / min(1.0, 10 * tau)
    assert info.residual == pytest.approx(0.0, abs=1e-12 / min(1.0, 10 * tau))


def test_newton_alone_stalls_where_path_following_arrives() -> None:
    P = random_game(20, 2, deterministic=True)
    info = regularized_log_equilibrium(P, np.array([0.1, 1e-5]))
    assert info.homotopy_steps[0] == 1
    assert info.homotopy_steps[1] > 1
    assert residual(P, 1e-5, np.zeros(20), info.log_policy[1]) < 1e-10
    # At this temperature it all but is the unregularised equilibrium.
    assert float((P @ info.policy[1]).max()) - 0.5 < 1e-4


def test_references_beyond_the_range_of_floats() -> None:
    rng = np.random.default_rng(3)
    P = random_game(6, 4)
    log_ref = rng.uniform(-3000.0, 0.0, 6)
    info = regularized_log_equilibrium(P, 0.01, log_ref)
    assert (info.policy == 0.0).any()
    assert np.isfinite(info.log_policy).all()
    assert residual(P, 0.01, log_ref, info.log_policy) < 1e-10


def test_a_batch_equals_its_games_one_by_one() -> None:
    rng = np.random.default_rng(5)
    games = np.stack([random_game(4, seed, seed % 2 == 1) for seed in range(6)])
    refs = rng.dirichlet(np.ones(4), size=6)
    taus = np.array([1.0, 0.3, 0.1, 0.03, 0.01, 0.001])
    batch = regularized_equilibrium(games, taus, refs)
    for game, tau, ref, policy in zip(games, taus, refs, batch, strict=True):
        alone = regularized_equilibrium(game, tau, ref)
        np.testing.assert_allclose(policy, alone, rtol=0, atol=1e-14)


def test_batches_of_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    games = np.stack([random_game(3, seed) for seed in range(7)])
    whole = regularized_equilibrium(games, 0.05)
    monkeypatch.setattr("simulators.equilibria.path._CHUNK_ENTRIES", 18)
    np.testing.assert_array_equal(regularized_equilibrium(games, 0.05), whole)


def test_one_game_at_many_temperatures_and_references() -> None:
    P = random_game(5, 9)
    taus = np.array([0.05, 0.5])
    refs = np.random.default_rng(2).dirichlet(np.ones(5), size=3)
    grid = regularized_equilibria(P, taus, refs)
    assert grid.shape == (2, 3, 5)
    for i, tau in enumerate(taus):
        for j, ref in enumerate(refs):
            np.testing.assert_allclose(
                grid[i, j], regularized_equilibrium(P, tau, ref), rtol=0, atol=1e-14
            )
    assert regularized_equilibria(P, taus).shape == (2, 1, 5)


@pytest.mark.parametrize(
    ("temperature", "says"),
    [
        (0.0, "0 is not a positive"),
        (-0.1, "-0.1 is not"),
        (np.nan, "nan is not"),
        (1e-17, "too small"),
    ],
)
def test_impossible_temperatures(temperature: float, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says) as caught:
        regularized_equilibrium(random_game(5, 2), temperature)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ([0.5, 0.5], "2 entries, the game has 3"),
        ([0.5, 0.5, 0.0], r"entry \[2\] is 0"),
        ([0.5, 0.2, 0.1], "sums to 0.8"),
        ([0.5, np.nan, 0.5], r"entry \[1\] is nan"),
        ("abc", "not an array of numbers"),
        (0.5, "1 entries"),
    ],
)
def test_impossible_references(reference: object, says: str) -> None:
    with pytest.raises(InvalidPolicy, match=says) as caught:
        regularized_equilibrium(random_game(3, 0), 0.1, reference)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_log_references_must_fit() -> None:
    with pytest.raises(InvalidPolicy, match="log_reference"):
        regularized_log_equilibrium(random_game(3, 0), 0.1, [0.0, 0.0])
    with pytest.raises(InvalidPolicy, match="finite"):
        regularized_log_equilibrium(random_game(3, 0), 0.1, [0.0, 0.0, -np.inf])


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (np.zeros((2, 3)), "not square"),
        (np.zeros(4), "not square"),
        ([[0.5, 1.5], [-0.5, 0.5]], r"entry \[0, 1\] is 1.5"),
        ([[0.5, np.nan], [0.5, 0.5]], r"entry \[0, 1\] is nan"),
        ([[0.5, 0.7], [0.7, 0.5]], "is 1.4"),
    ],
)
def test_impossible_games(matrix: object, says: str) -> None:
    with pytest.raises(InvalidGame, match=says) as caught:
        regularized_equilibrium(matrix, 0.1)  # type: ignore[call-overload]
    assert "\n" not in str(caught.value)


def test_batch_shapes_that_do_not_fit() -> None:
    games = np.stack([random_game(3, seed) for seed in range(4)])
    with pytest.raises(InvalidSetting, match="do not broadcast"):
        regularized_equilibrium(games, np.array([0.1, 0.2]))
