"""Which methods are the same method: identities that hold to rounding on any game."""

from typing import Any

import numpy as np
import pytest
from conftest import policies, preference_matrices
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from simulators.dynamics.simulation import simulate
from simulators.equilibria import regularized_equilibrium

Array = NDArray[np.float64]

# Identities hold at any step size, stable or not.
pytestmark = pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")

STEPS = st.floats(0.05, 2.0)


@st.composite
def games_and_starts(draw: st.DrawFn, starts: int = 2) -> tuple[Array, list[Array]]:
    """A preference matrix and some policies over its actions."""
    P = draw(preference_matrices())
    return P, [draw(policies(len(P))) for _ in range(starts)]


def path(P: Array, name: str, **parameters: Any) -> Array:
    return simulate(P, name, **{"iterations": 12} | parameters).policies


def same(found: Array, wanted: Array, tolerance: float = 1e-12) -> bool:
    return found.shape == wanted.shape and bool(np.abs(found - wanted).max() < tolerance)


@given(games_and_starts(), STEPS, st.integers(2, 5))
def test_eq10_with_equal_players_is_mwu(case: Any, step: float, players: int) -> None:
    P, (start, _) = case
    mwu = path(P, "mwu", step_size=step, initial=start)
    eq10 = path(P, "mnpo-eq10", step_size=step, num_players=players, initial=[start] * players)
    for player in range(players):
        assert same(eq10[:, player], mwu)


@given(games_and_starts(), STEPS)
def test_eq10_with_two_players_swaps_two_mwu_chains(case: Any, step: float) -> None:
    P, starts = case
    chains = [path(P, "mwu", step_size=step, initial=start) for start in starts]
    eq10 = path(P, "mnpo-eq10", step_size=step, num_players=2, initial=starts)
    for t in range(13):
        assert same(eq10[t, t % 2], chains[0][t])
        assert same(eq10[t, (t + 1) % 2], chains[1][t])


@pytest.mark.parametrize("players", [3, 4, 6])
def test_eq10_forgets_who_is_who_and_becomes_mwu(players: int) -> None:
    rng = np.random.default_rng(players)
    P = np.array([[0.5, 0.1, 0.8], [0.9, 0.5, 0.3], [0.2, 0.7, 0.5]])
    starts = rng.dirichlet(np.ones(3), size=players)
    still = path(P, "mnpo-eq10", step_size=1e-9, num_players=players, initial=starts)
    x = np.log(still)
    deviations = x - x.mean(axis=1, keepdims=True)
    deviations -= deviations.mean(axis=2, keepdims=True)
    ratio = deviations[1:4] / deviations[:3]
    assert np.abs(ratio + 1 / (players - 1)).max() < 1e-6

    moving = path(P, "mnpo-eq10", step_size=0.1, num_players=players, initial=starts, iterations=80)
    assert np.ptp(moving[60], axis=0).max() < 1e-13
    mwu = path(P, "mwu", step_size=0.1, initial=moving[60, 0], iterations=20)
    assert same(moving[60:, 0], mwu)


@given(games_and_starts(), STEPS, st.floats(0.01, 0.4))
def test_td_mnpo_with_one_past_policy_is_inpo(case: Any, step: float, tau: float) -> None:
    P, (start, ref) = case
    both = {"step_size": step, "temperature": tau, "initial": start, "reference": ref}
    inpo = path(P, "inpo", **both)
    assert same(path(P, "mnpo", num_players=2, **both), inpo)
    assert same(path(P, "mnpo", history_weights=(7.0,), **both), inpo)
    w = step * tau
    literal = {"history_weights": (1 - w,), "reference_weight": w, "scale_weights": False}
    assert same(path(P, "mnpo", **literal, **both), inpo)


@given(games_and_starts(), STEPS, st.floats(0.01, 1.0))
def test_mmd_is_inpo_at_a_smaller_step(case: Any, step: float, tau: float) -> None:
    P, (start, ref) = case
    both = {"temperature": tau, "initial": start, "reference": ref}
    mmd = path(P, "mmd", step_size=step, **both)
    assert same(path(P, "inpo", step_size=step / (1 + step * tau), **both), mmd)


@given(games_and_starts(), STEPS)
def test_methods_that_are_mwu(case: Any, step: float) -> None:
    P, (start, _) = case
    mwu = path(P, "mwu", step_size=step, initial=start)
    same_step = {"step_size": step, "initial": start}
    assert same(path(P, "sppo", **same_step), mwu)
    assert same(path(P, "dno", **same_step), mwu)
    assert same(path(P, "hedge", **same_step), mwu)
    assert same(path(P, "spo", **same_step), mwu)
    assert same(path(P, "mpo", inner=1, temperature=0.0, **same_step), mwu)
    assert same(path(P, "inpo", temperature=0.0, **same_step), mwu)
    # From the second iteration a magnet that jumps at every step is the policy itself.
    first = {"step_size": step, "initial": start, "reference": start}
    shrunk = step / (1 + step * 0.1)
    assert same(
        path(P, "mpo", inner=1, temperature=0.1, **first),
        path(P, "mwu", step_size=shrunk, initial=start),
    )


@given(games_and_starts(1), STEPS)
def test_onpo_two_sequences_are_one_line(case: Any, step: float) -> None:
    P, (start,) = case
    policies_ = path(P, "onpo", step_size=step, initial=start)
    assert same(policies_, path(P, "onpo", step_size=step, initial=start, form="two-sequence"))
    leader, x = np.log(start), np.log(start)
    previous = np.zeros(len(P))
    for t in range(12):
        gain = P @ np.exp(x)
        leader = leader + step * gain
        one_line = log_softmax(x + 2 * step * gain - step * previous)
        x = log_softmax(leader + step * gain)
        assert same(x, one_line, 1e-11)
        assert same(policies_[t + 1], np.exp(x))
        previous = gain


@settings(max_examples=15)
@given(games_and_starts(), st.floats(0.1, 1.5), st.floats(0.05, 0.5))
def test_inpo_is_the_mirror_descent_argmax(case: Any, step: float, tau: float) -> None:
    P, (start, ref) = case
    gain = P @ start

    def objective(logits: Array) -> tuple[float, Array]:
        x = log_softmax(logits)
        pi = np.exp(x)
        pull = tau * (x - np.log(ref)) + (1 / step - tau) * (x - np.log(start))
        value = pi @ (pull - gain)
        return float(value), pi * (pull - gain - value)

    best = minimize(objective, np.zeros(len(P)), jac=True, method="BFGS", options={"gtol": 1e-11})
    found = simulate(
        P, "inpo", step_size=step, temperature=tau, initial=start, reference=ref, iterations=1
    )
    assert np.abs(found.last - np.exp(log_softmax(best.x))).max() < 1e-8


@given(preference_matrices(), st.floats(0.02, 0.5), st.floats(0.01, 0.4))
def test_label_noise_is_a_higher_temperature(P: Array, tau: float, noise: float) -> None:
    ref = np.arange(1.0, len(P) + 1) / np.arange(1.0, len(P) + 1).sum()
    flipped = (1 - 2 * noise) * P + noise
    warmer = tau / (1 - 2 * noise)
    cooler = regularized_equilibrium(flipped, tau, ref)
    assert same(cooler, regularized_equilibrium(P, warmer, ref), 1e-11)
    # And so in the dynamics: noise at step a is no noise at step a (1 - 2 noise).
    both = {"reference": ref, "initial": ref[::-1].copy()}
    noisy = path(P, "inpo", step_size=0.4, temperature=tau, label_noise=noise, **both)
    clean = path(P, "inpo", step_size=0.4 * (1 - 2 * noise), temperature=warmer, **both)
    assert same(noisy, clean)


@given(games_and_starts(), st.floats(0.05, 1.0))
def test_ipo_in_one_step(case: Any, tau: float) -> None:
    P, (start, ref) = case
    offline = path(P, "ipo", temperature=tau, initial=start, reference=ref)
    assert same(offline[2:], np.broadcast_to(offline[1], offline[2:].shape))
    assert same(offline[1], np.exp(log_softmax(np.log(ref) + P @ ref / tau)))
    # Online, the first step is INPO's at step 1/tau, which is all reference.
    online = path(P, "ipo-online", temperature=tau, initial=start, reference=ref)
    inpo = path(P, "inpo", step_size=1 / tau, temperature=tau, initial=start, reference=ref)
    assert same(online, inpo)


@given(games_and_starts(), st.floats(0.05, 1.0), st.floats(0.1, 0.8))
def test_extragradient_without_lookahead_and_nash_md_without_reference(
    case: Any, tau: float, step: float
) -> None:
    P, (start, ref) = case
    both = {"step_size": step, "initial": start, "reference": ref}
    mwu = path(P, "mwu", step_size=step, initial=start)
    assert same(path(P, "nash-md", temperature=0.0, **both), mwu)
    assert same(
        path(P, "nash-ema", decay=0.0, temperature=tau, **both),
        path(P, "inpo", temperature=tau, **both),
    )
    # On games without cycles between two steps (P = 1/2) every method only pulls to the reference.
    tie = np.full_like(P, 0.5)
    inpo = path(tie, "inpo", temperature=tau, **both)
    assert same(path(tie, "egpo", temperature=tau, **both), inpo)
    assert same(path(tie, "nash-md", temperature=tau, **both), inpo)
