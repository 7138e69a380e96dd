"""Regularised equilibria of players with oracles of their own."""

from typing import Any

import numpy as np
import pytest
from conftest import golden_params
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting
from simulators.equilibria import general_sum_equilibrium, regularized_equilibrium
from simulators.equilibria.general_sum import _HeterogeneousPayoffs
from simulators.equilibria.path import follow

ROCK_PAPER_SCISSORS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])


def bradley_terry(utilities: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(utilities[..., None, :] - utilities[..., :, None]))


def sine_sign_game(actions: int, seed: int) -> np.ndarray:
    """Deterministic wins by an explicit formula."""
    i, j = np.triu_indices(actions, 1)
    A = np.zeros((actions, actions))
    A[i, j] = np.sign(np.sin(12.9898 * (i + 1) + 78.233 * (j + 1) + 37.719 * seed)) / 2
    return 0.5 + A - A.T


def best_response_error(
    oracles: np.ndarray, tau: float, ref: np.ndarray, log_policies: np.ndarray
) -> float:
    """Written out player by player."""
    worst = 0.0
    for i, (P, log_pi) in enumerate(zip(oracles, log_policies, strict=True)):
        others = np.exp(np.delete(log_policies, i, axis=0)).mean(axis=0)
        worst = max(worst, float(np.ptp(log_pi - np.log(ref) - P @ others / tau)))
    return worst


def damped_best_response(oracles: np.ndarray, tau: float, ref: np.ndarray) -> np.ndarray:
    """The naive twin, for temperatures at which it contracts."""
    n = len(oracles)
    pi = np.tile(ref, (n, 1))
    for _ in range(3000):
        others = (pi.sum(axis=0) - pi) / (n - 1)
        target = np.log(ref) + np.einsum("iab,ib->ia", oracles, others) / tau
        x = 0.7 * np.log(pi) + 0.3 * target
        pi = np.exp(x - np.logaddexp.reduce(x, axis=1, keepdims=True))
    return pi


@pytest.mark.parametrize("case", golden_params("heterogeneous_ne"))
def test_golden(case: dict[str, Any]) -> None:
    utilities = 2.0 * np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]])  # those of pl_annot3
    found = general_sum_equilibrium(bradley_terry(utilities), case["tau"], case["ref"], starts=5)
    np.testing.assert_allclose(found.policies, case["equilibrium"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.gaps, 0.0, atol=1e-14)
    assert found.residual < 1e-12
    assert len(found.others) == 0


@given(st.integers(2, 4), st.integers(2, 5), st.integers(0, 10**6))
def test_agrees_with_damped_best_responses(players: int, actions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    oracles = bradley_terry(rng.normal(size=(players, actions)))
    ref = rng.dirichlet(np.full(actions, 5.0))
    found = general_sum_equilibrium(oracles, 0.4, ref)
    twin = damped_best_response(oracles, 0.4, ref)
    np.testing.assert_allclose(found.policies, twin, rtol=0, atol=1e-12)


@given(st.integers(2, 4), st.integers(2, 5), st.integers(0, 10**6))
def test_certificate_at_low_temperature(players: int, actions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    A = np.triu(rng.uniform(-0.5, 0.5, (players, actions, actions)), 1)
    oracles = 0.5 + A - A.transpose(0, 2, 1)
    ref = rng.dirichlet(np.full(actions, 2.0))
    found = general_sum_equilibrium(oracles, 0.02, ref)
    assert best_response_error(oracles, 0.02, ref, found.log_policies) < 1e-11
    assert found.gaps.max() < 1e-13


@pytest.mark.parametrize("players", [2, 3, 5])
def test_one_oracle_for_all_is_the_symmetric_game(players: int) -> None:
    ref = np.array([0.6, 0.3, 0.1])
    found = general_sum_equilibrium(np.stack([ROCK_PAPER_SCISSORS] * players), 0.1, ref)
    expected = np.tile(regularized_equilibrium(ROCK_PAPER_SCISSORS, 0.1, ref), (players, 1))
    np.testing.assert_allclose(found.policies, expected, rtol=0, atol=1e-13)


def test_the_branch_is_followed_through_its_folds() -> None:
    oracles = np.stack([sine_sign_game(5, 84), sine_sign_game(5, 169)])
    ref = 0.4 ** np.arange(5)
    ref /= ref.sum()
    lowering = follow(
        _HeterogeneousPayoffs(oracles - 0.5), np.tile(np.log(ref), 2)[None], np.array([0.02])
    )
    assert not lowering.converged[0]  # the branch turns back: lowering tau alone is lost
    found = general_sum_equilibrium(oracles, 0.02, ref)
    assert best_response_error(oracles, 0.02, ref, found.log_policies) < 1e-11


def test_extra_starts_find_other_equilibria() -> None:
    """Opposite oracles make a common-interest game: three ways to agree, and the middle."""
    oracles = np.stack([ROCK_PAPER_SCISSORS, 1 - ROCK_PAPER_SCISSORS])
    found = general_sum_equilibrium(oracles, 0.05, starts=30, seed=1)
    np.testing.assert_allclose(found.policies, 1 / 3, rtol=0, atol=1e-9)
    pure = [other for other in found.others if other.max(axis=1).min() > 0.99]
    assert len(pure) == 3
    for other in found.others:
        error = best_response_error(oracles, 0.05, np.full(3, 1 / 3), np.log(other))
        assert error < 1e-11


def test_a_reference_for_each_player() -> None:
    oracles = np.stack([np.full((2, 2), 0.5)] * 2)
    refs = [[0.9, 0.1], [0.3, 0.7]]
    found = general_sum_equilibrium(oracles, 0.1, refs)
    np.testing.assert_allclose(found.policies, refs, rtol=0, atol=1e-14)


def test_refusals() -> None:
    two = np.stack([ROCK_PAPER_SCISSORS] * 2)
    with pytest.raises(InvalidGame, match="n >= 2"):
        general_sum_equilibrium(ROCK_PAPER_SCISSORS, 0.1)
    with pytest.raises(InvalidGame, match="n >= 2"):
        general_sum_equilibrium(two[:1], 0.1)
    with pytest.raises(InvalidSetting, match="temperature: 0 is not"):
        general_sum_equilibrium(two, 0.0)
    with pytest.raises(InvalidSetting, match="give one number"):
        general_sum_equilibrium(two, [0.1, 0.2])  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="starts: -1"):
        general_sum_equilibrium(two, 0.1, starts=-1)
    with pytest.raises(InvalidPolicy, match="reference: shape"):
        general_sum_equilibrium(two, 0.1, np.full((3, 3), 1 / 3))
