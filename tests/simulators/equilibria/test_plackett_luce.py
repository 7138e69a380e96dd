"""The one-vs-many Plackett-Luce oracle and its symmetric regularised equilibrium."""

import itertools
from math import factorial
from typing import Any

import numpy as np
import pytest
from conftest import golden_params
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting
from simulators.equilibria import (
    PlackettLuceOracle,
    plackett_luce_equilibrium,
    plackett_luce_gradient,
    plackett_luce_win_rates,
    regularized_equilibrium,
)
from simulators.equilibria.one_vs_many import _OneVersusManyPayoffs
from simulators.equilibria.path import follow, softmax

ANNOTATORS = 2.0 * np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]])
SHARES = [0.5, 0.3, 0.2]


def enumerate_opponents(utilities: np.ndarray, opponents: np.ndarray) -> np.ndarray:
    """The naive twin: every draw of the opponents' responses."""
    a = np.exp(utilities - utilities.max())
    total = np.zeros(len(a))
    for draw in itertools.product(range(len(a)), repeat=len(opponents)):
        chance = np.prod([pi[y] for pi, y in zip(opponents, draw, strict=True)])
        total += chance * a / (a + sum(a[y] for y in draw))
    return total


def enumerate_counts(utilities: np.ndarray, policy: np.ndarray, players: int) -> np.ndarray:
    """A second twin for one policy: how often each response is drawn, multinomially."""
    a = np.exp(utilities - utilities.max())
    total = np.zeros(len(a))
    for cut in itertools.combinations(range(players - 1 + len(a) - 1), len(a) - 1):
        counts = np.diff([-1, *cut, players - 1 + len(a) - 1]) - 1
        ways = factorial(players - 1) / np.prod([factorial(c) for c in counts])
        total += ways * np.prod(policy**counts) * a / (a + counts @ a)
    return total


@st.composite
def populations(draw: st.DrawFn) -> tuple[np.ndarray, int, np.ndarray]:
    """Utilities (K,) of some spread, n, and n - 1 opponents."""
    size, players = draw(st.integers(1, 5)), draw(st.integers(2, 5))
    spread = draw(st.sampled_from([0.1, 2.0, 20.0, 200.0]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return (
        rng.uniform(-spread, spread, size),
        players,
        rng.dirichlet(np.full(size, 0.5), size=players - 1),
    )


@given(populations())
def test_win_rates_equal_enumeration(population: tuple[np.ndarray, int, np.ndarray]) -> None:
    u, players, opponents = population
    found = plackett_luce_win_rates(u, opponents)
    np.testing.assert_allclose(found, enumerate_opponents(u, opponents), rtol=0, atol=2e-14)
    shared = plackett_luce_win_rates(u, opponents[0], players)
    same = np.tile(opponents[0], (players - 1, 1))
    np.testing.assert_allclose(shared, enumerate_opponents(u, same), rtol=0, atol=2e-14)


@pytest.mark.parametrize("players", [2, 5, 20])
def test_win_rates_equal_the_multinomial_sum(players: int) -> None:
    u, policy = np.array([3.0, -1.0, 0.5, 8.0]), np.array([0.1, 0.4, 0.3, 0.2])
    found = plackett_luce_win_rates(u, policy, players)
    np.testing.assert_allclose(found, enumerate_counts(u, policy, players), rtol=0, atol=1e-14)


@given(populations(), st.integers(2, 2000))
def test_a_policy_wins_its_share_against_itself(
    population: tuple[np.ndarray, int, np.ndarray], players: int
) -> None:
    u, _, opponents = population
    found = plackett_luce_win_rates(u, opponents[0], players)
    assert players * float(opponents[0] @ found) == pytest.approx(1.0, abs=1e-12)


def test_two_players_are_bradley_terry() -> None:
    u = np.array([0.0, 1.0, -3.0, 40.0])
    P = 1 / (1 + np.exp(u[None, :] - u[:, None]))
    policy = np.array([0.4, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(plackett_luce_win_rates(u, policy, 2), P @ policy, atol=1e-15)


def test_utilities_matter_up_to_a_constant() -> None:
    u, policy = np.array([0.0, 1.0, 2.0]), np.array([0.5, 0.3, 0.2])
    plain = plackett_luce_win_rates(u, policy, 4)
    shifted = plackett_luce_win_rates(u + 5000.0, policy, 4)
    np.testing.assert_allclose(shifted, plain, rtol=0, atol=1e-15)


def test_annotators_are_averaged() -> None:
    policy = np.array([0.2, 0.5, 0.3])
    mixed = plackett_luce_win_rates(ANNOTATORS, policy, 3, SHARES)
    apart = [plackett_luce_win_rates(u, policy, 3) for u in ANNOTATORS]
    np.testing.assert_allclose(mixed, np.array(SHARES) @ apart, rtol=0, atol=1e-15)


@given(populations())
def test_gradients_equal_finite_differences(
    population: tuple[np.ndarray, int, np.ndarray],
) -> None:
    u, players, opponents = population
    oracle = PlackettLuceOracle.create(u, players)
    step = 1e-5
    distinct = plackett_luce_gradient(u, opponents)
    for k, z in itertools.product(range(players - 1), range(len(u))):
        up, down = opponents.copy(), opponents.copy()
        up[k, z] += step
        down[k, z] -= step
        slope = (oracle.win_rates_against(up) - oracle.win_rates_against(down)) / (2 * step)
        np.testing.assert_allclose(distinct[k, :, z], slope, rtol=0, atol=1e-8)
    shared = plackett_luce_gradient(u, opponents[0], players)
    same = plackett_luce_gradient(u, np.tile(opponents[0], (players - 1, 1)))
    np.testing.assert_allclose(shared, same.sum(axis=0), rtol=0, atol=1e-13)


@given(populations(), st.integers(0, 10**6))
def test_payoffs_are_monotone(population: tuple[np.ndarray, int, np.ndarray], seed: int) -> None:
    """What makes the symmetric equilibrium unique."""
    u, players, opponents = population
    h = np.random.default_rng(seed).normal(size=len(u))
    h -= h.mean()
    assert float(h @ plackett_luce_gradient(u, opponents[0], players) @ h) <= 1e-13


def test_batches_of_policies() -> None:
    oracle = PlackettLuceOracle.create(ANNOTATORS, 4, SHARES)
    policies = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 2))
    batch, slopes = oracle.win_rates(policies), oracle.gradient(policies)
    for at in np.ndindex(5, 2):
        np.testing.assert_allclose(batch[at], oracle.win_rates(policies[at]), atol=1e-15)
        np.testing.assert_allclose(slopes[at], oracle.gradient(policies[at]), atol=1e-14)


@pytest.mark.parametrize("case", golden_params("pl_nplayer_symmetric_equilibrium"))
def test_golden(case: dict[str, Any]) -> None:
    found = plackett_luce_equilibrium(
        case["utilities"],
        players=case["n"],
        temperature=case["tau"],
        reference=case["ref"],
        annotator_weights=case["annotator_weights"],
    )
    np.testing.assert_allclose(found, case["equilibrium"], rtol=0, atol=1e-12)
    pairwise = plackett_luce_equilibrium(
        case["utilities"], 2, case["tau"], case["ref"], case["annotator_weights"]
    )
    np.testing.assert_allclose(pairwise, case["pairwise_reg_ne"], rtol=0, atol=1e-12)


def test_two_players_are_the_pairwise_game() -> None:
    P = np.einsum(
        "a,aij->ij", SHARES, 1 / (1 + np.exp(ANNOTATORS[:, None, :] - ANNOTATORS[:, :, None]))
    )
    ref = [0.2, 0.3, 0.5]
    for tau in (0.3, 0.05, 0.005):
        found = plackett_luce_equilibrium(ANNOTATORS, 2, tau, ref, SHARES)
        expected = regularized_equilibrium(P, tau, ref)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@given(
    st.integers(1, 8),
    st.sampled_from([2, 3, 7, 40]),
    st.sampled_from([1.0, 0.1, 0.01, 0.001]),
    st.integers(0, 10**6),
)
def test_is_its_own_regularised_best_response(
    actions: int, players: int, tau: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    utilities, ref = rng.normal(size=(2, actions)) * 3, rng.dirichlet(np.ones(actions))
    policy, info = plackett_luce_equilibrium(utilities, players, tau, ref, return_info=True)
    payoff = plackett_luce_win_rates(utilities, policy, players)
    assert np.ptp(info.log_policy - np.log(ref) - payoff / tau) < 1e-12 + 1e-14 / tau
    assert policy.sum() == pytest.approx(1.0, abs=1e-14)


def test_twenty_starts_agree() -> None:
    rng = np.random.default_rng(0)
    oracle = PlackettLuceOracle.create(rng.normal(size=(3, 8)) * 2, 5)
    found = follow(
        _OneVersusManyPayoffs(oracle),
        np.full((20, 8), -np.log(8)),
        np.full(20, 0.01),
        initial=rng.normal(size=(20, 8)) * 4,
    )
    assert found.converged.all()
    assert np.ptp(softmax(found.x), axis=0).max() < 1e-13


def test_many_players_maximise_nash_welfare() -> None:
    """n to infinity, tau n to zero: argmax sum_a w_a log E_pi e^(u_a)."""
    a = np.exp(ANNOTATORS)
    welfare = minimize(lambda x: -np.array(SHARES) @ np.log(a @ softmax(x)), np.zeros(3), tol=1e-14)
    limit = softmax(welfare.x)
    np.testing.assert_allclose(limit, [0.5313, 0.3157, 0.1530], atol=1e-4)
    distance = [
        np.abs(plackett_luce_equilibrium(ANNOTATORS, n, 1e-6 / n, None, SHARES) - limit).max()
        for n in (32, 1024, 32768)
    ]
    assert distance[1] < 5e-4
    assert distance[2] < distance[1] / 10 < distance[0] / 100


@pytest.mark.parametrize(
    ("players", "expected"),
    [(2, [1.0, 0.0, 0.0]), (3, [0.763, 0.049, 0.188]), (8, [0.600, 0.309, 0.091])],
)
def test_unregularised_limit_of_mixed_annotators(players: int, expected: list[float]) -> None:
    found = plackett_luce_equilibrium(ANNOTATORS, players, 1e-7, None, SHARES)
    np.testing.assert_allclose(found, expected, atol=6e-4)


def test_fifty_actions_thirty_two_players() -> None:
    u = np.sin(12.9898 * np.arange(1, 51)) * 3
    policy, info = plackett_luce_equilibrium(u, 32, 0.01, return_info=True)
    assert info.residual < 1e-12
    assert policy.argmax() == u.argmax()


def test_refusals() -> None:
    uniform = [1 / 3] * 3
    with pytest.raises(InvalidSetting, match="temperature: 0 is not a positive"):
        plackett_luce_equilibrium(ANNOTATORS, 3, 0.0)
    with pytest.raises(InvalidSetting, match="players: 1 is not"):
        plackett_luce_equilibrium(ANNOTATORS, 1)
    with pytest.raises(InvalidSetting, match="one temperature"):
        plackett_luce_equilibrium(ANNOTATORS, 3, [0.1, 0.2])  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="players: missing"):
        plackett_luce_win_rates(ANNOTATORS, uniform)
    with pytest.raises(InvalidSetting, match="players: 4, but 2 opponents"):
        plackett_luce_win_rates(ANNOTATORS, [uniform, uniform], 4)
    with pytest.raises(InvalidPolicy, match="opponents: has 2 entries"):
        plackett_luce_win_rates(ANNOTATORS, [0.5, 0.5], 3)
    with pytest.raises(InvalidPolicy, match="opponents: sums to"):
        plackett_luce_win_rates(ANNOTATORS, [0.5, 0.5, 0.5], 3)
    with pytest.raises(InvalidPolicy, match=r"opponents: entry \[1\] is -0.5"):
        plackett_luce_win_rates(ANNOTATORS, [0.5, -0.5, 1.0], 3)
    with pytest.raises(InvalidPolicy, match="opponents: shape"):
        plackett_luce_win_rates(ANNOTATORS, np.ones((1, 1, 3)) / 3, 3)
    with pytest.raises(InvalidGame, match="2,\\), but there are 3 annotators"):
        plackett_luce_win_rates(ANNOTATORS, uniform, 3, [0.5, 0.5])
    with pytest.raises(InvalidGame, match="utilities"):
        plackett_luce_win_rates([0.0, np.inf, 1.0], uniform, 3)
