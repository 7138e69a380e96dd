"""Duality gaps, by their definition, by a numeric best response, and batched."""

from typing import Any

import numpy as np
import pytest
from conftest import policies, preference_matrices
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax

from mnpo.errors import InvalidPolicy, InvalidSetting
from simulators.dynamics.simulation import simulate
from simulators.equilibria import nash_equilibrium, regularized_equilibrium
from simulators.games import make_game
from simulators.metrics.gaps import duality_gap, regularized_gap, unregularized_gap

Array = NDArray[np.float64]


@st.composite
def profiles(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """A game, a policy and a reference."""
    P = draw(preference_matrices())
    return P, draw(policies(len(P))), draw(policies(len(P)))


@given(profiles())
def test_unregularised_gap_is_the_best_gain_of_both_players(case: Any) -> None:
    P, pi, _ = case
    size = len(P)
    best = max(float(np.eye(size)[i] @ P @ pi) for i in range(size))
    worst = min(float(pi @ P @ np.eye(size)[j]) for j in range(size))
    gap = duality_gap(P, pi)
    assert gap == pytest.approx(best - worst, abs=1e-14)  # NashConv of (pi, pi)
    assert -1e-15 <= gap <= 1
    assert unregularized_gap(P @ pi, pi) == pytest.approx(gap / 2, abs=1e-14)


@given(profiles(), st.floats(0.02, 1.0))
def test_regularised_gap_is_a_divergence_to_the_best_response(case: Any, tau: float) -> None:
    P, pi, ref = case
    gap = duality_gap(P, pi, tau, ref)
    response = log_softmax(np.log(ref) + P @ pi / tau)
    divergence = float(pi @ (np.log(pi) - response))
    assert gap == pytest.approx(2 * tau * divergence, abs=1e-13)
    # The value of the best response in closed form: tau log sum ref e^(P pi / tau).
    value = tau * logsumexp(np.log(ref) + P @ pi / tau)
    own = pi @ P @ pi - tau * pi @ (np.log(pi) - np.log(ref))
    assert gap == pytest.approx(2 * (value - own), abs=1e-12)


def test_regularised_gap_by_maximisation() -> None:
    P = make_game("random-skew", actions=5, recipe="sin").preferences
    rng = np.random.default_rng(0)
    for tau in (0.05, 0.5):
        pi, ref = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(5))

        def payoff(x: Array, gain: Array = P @ pi, ref: Array = ref, tau: float = tau) -> float:
            q = softmax(x)
            return float(q @ gain - tau * q @ (log_softmax(x) - np.log(ref)))

        best = minimize(lambda x: -payoff(x), np.zeros(5), method="BFGS", options={"gtol": 1e-9})
        gain = -best.fun - payoff(np.log(pi))
        assert duality_gap(P, pi, tau, ref) == pytest.approx(2 * gain, abs=1e-9)


@given(profiles(), st.floats(0.05, 1.0))
def test_gaps_vanish_at_their_own_equilibria_only(case: Any, tau: float) -> None:
    P, pi, ref = case
    assert duality_gap(P, nash_equilibrium(P).policy) < 1e-9
    equilibrium = regularized_equilibrium(P, tau, ref)
    assert duality_gap(P, equilibrium, tau, ref) < 1e-13
    if np.abs(pi - equilibrium).max() > 1e-3:
        assert duality_gap(P, pi, tau, ref) > 1e-8


def test_eq9_gap_of_two_players_is_half_of_eq4s() -> None:
    ref = [0.6, 0.3, 0.1]
    row = simulate(make_game("cyclic"), "inpo", reference=ref, iterations=5).summary()
    assert row["multiplayer_gap_last"] == pytest.approx(row["regularized_gap_last"] / 2)
    free = simulate(make_game("cyclic"), "mwu", temperature=0.0, reference=ref, iterations=5)
    row = free.summary()
    assert row["multiplayer_gap_last"] == pytest.approx(row["gap_last"] / 2)
    assert np.isnan(row["regularized_gap_last"])
    # Two players who play the same: each one's gain against the other.
    pair = simulate(
        make_game("cyclic"),
        "mnpo-eq10",
        num_players=2,
        temperature=0.1,
        reference=ref,
        iterations=3,
    )
    gap = duality_gap(make_game("cyclic").preferences, pair.last[0], 0.1, ref)
    assert pair.summary()["multiplayer_gap_last"] == pytest.approx(gap / 2, abs=1e-13)


def test_eq9_gap_of_unequal_players() -> None:
    P = make_game("random-skew", actions=4, seed=3).preferences
    starts = np.random.default_rng(1).dirichlet(np.ones(4), size=3)
    result = simulate(P, "mnpo-eq10", initial=starts, temperature=0.2, iterations=4)
    recorded = result.batch.recorder.multiplayer_gap
    assert recorded is not None
    for t, players in enumerate(result.policies):
        for i, pi in enumerate(players):
            others = np.delete(players, i, axis=0).mean(axis=0)
            response = log_softmax(np.log(np.full(4, 0.25)) + P @ others / 0.2)
            gain = 0.2 * pi @ (np.log(pi) - response)
            assert recorded[t, i, 0] == pytest.approx(gain, abs=1e-13)


def test_leading_shapes_and_references_of_each_context() -> None:
    game = make_game("contextual", contexts=4, actions=3)
    refs = np.random.default_rng(0).dirichlet(np.ones(3), size=4)
    result = simulate(game, "inpo", reference=refs, iterations=6)
    assert result.policies.shape == (7, 4, 3)
    for tau in (0.0, 0.1):
        gaps = result.gap(tau)
        assert gaps.shape == (7, 4)
        for t in range(7):
            for c in range(4):
                one = duality_gap(game.preferences[c], result.policies[t, c], tau, refs[c])
                assert gaps[t, c] == pytest.approx(one, abs=1e-14)
    series = result.batch.series("regularized_gap")[:, 0]
    assert np.abs(series - result.gap(0.1).mean(axis=1)).max() < 1e-13
    assert isinstance(duality_gap(game.preferences[0], refs[0]), float)
    # One policy in many games, and many policies in one game.
    assert np.shape(duality_gap(game.preferences, refs[0], 0.1)) == (4,)
    assert np.shape(duality_gap(game.preferences[0], refs, 0.1, refs[0])) == (4,)
    assert np.shape(duality_gap(game.preferences[0], refs[0], 0.1, refs)) == (4,)


def test_a_reference_of_each_context_aligns_with_the_last_axes() -> None:
    rng = np.random.default_rng(2)
    P, refs = make_game("cyclic").preferences, rng.dirichlet(np.ones(3), size=4)
    policies_ = rng.dirichlet(np.ones(3), size=(5, 4))  # rounds, contexts
    first = np.moveaxis(policies_, -1, 0)
    rates = np.moveaxis(policies_ @ P.T, -1, 0)
    gaps = regularized_gap(rates, first, np.log(refs.T), 0.1)
    assert gaps.shape == (5, 4)
    for t in range(5):
        for c in range(4):
            wanted = duality_gap(P, policies_[t, c], 0.1, refs[c])
            assert 2 * gaps[t, c] == pytest.approx(wanted, abs=1e-14)


def test_vertices_and_underflow() -> None:
    P = make_game("cyclic").preferences
    vertex = np.array([0.0, 1.0, 0.0])
    assert duality_gap(P, vertex) == 1.0
    # pi log pi = 0 there: tau (log sum ref e^(P pi / tau) + log 3) - 1/2, twice.
    tau = 0.1
    value = tau * (logsumexp(P @ vertex / tau) - np.log(3))
    assert duality_gap(P, vertex, tau) == pytest.approx(2 * (value - 0.5 + tau * np.log(3)))
    log_pi = np.array([-800.0, 0.0, -900.0])
    tiny = regularized_gap(P @ vertex, np.exp(log_pi), np.log(np.full(3, 1 / 3)), tau, log_pi)
    assert tiny == pytest.approx(duality_gap(P, vertex, tau) / 2)


def test_refusals() -> None:
    P = make_game("cyclic").preferences
    with pytest.raises(InvalidPolicy, match="policy: has 2 entries, the game has 3 actions"):
        duality_gap(P, [0.5, 0.5])
    with pytest.raises(InvalidSetting, match="temperature must be at least 0, got -1"):
        duality_gap(P, [1, 0, 0], -1.0)
