"""External and swap regret against loops over rounds, actions and swaps."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from conftest import policies, preference_matrices
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import softmax

from mnpo.errors import InvalidPolicy
from simulators.dynamics.simulation import simulate
from simulators.games import make_game
from simulators.metrics.gaps import duality_gap
from simulators.metrics.regret import external_regret, swap_regret

Array = NDArray[np.float64]


@st.composite
def sequences(draw: st.DrawFn) -> tuple[Array, Array]:
    """A game and a few rounds of self-play."""
    P = draw(preference_matrices(max_actions=4))
    rounds = draw(st.integers(1, 5))
    return P, np.array([draw(policies(len(P))) for _ in range(rounds)])


def naive_external(P: Array, rounds: Array) -> float:
    gains = [sum(P[j] @ pi - pi @ P @ pi for pi in rounds) for j in range(len(P))]
    return float(max(gains))


def naive_swap(P: Array, rounds: Array) -> float:
    """Over all K^K functions from actions to actions."""
    size = len(P)
    best = -np.inf
    for swap in product(range(size), repeat=size):
        gain = 0.0
        for pi in rounds:
            for i in range(size):
                gain += pi[i] * (P[swap[i]] @ pi - P[i] @ pi)
        best = max(best, gain)
    return best


@given(sequences())
def test_against_loops(case: Any) -> None:
    P, rounds = case
    external, swap = external_regret(P, rounds), swap_regret(P, rounds)
    assert external == pytest.approx(naive_external(P, rounds), abs=1e-12)
    assert swap == pytest.approx(naive_swap(P, rounds), abs=1e-12)
    assert swap >= external - 1e-12  # a constant swap is a swap
    average = rounds.mean(axis=0)
    assert duality_gap(P, average) == pytest.approx(2 * external / len(rounds), abs=1e-12)


@pytest.mark.parametrize("name", ["mwu", "inpo", "onpo", "ipo-online", "egpo"])
def test_rows_of_a_run(name: str) -> None:
    P = make_game("random-skew", actions=5, seed=7).preferences
    result = simulate(P, name, reference=[0.4, 0.3, 0.1, 0.1, 0.1], iterations=50)
    played = result.policies[:-1]
    row = result.summary()
    assert row["external_regret"] == pytest.approx(external_regret(P, played), abs=1e-10)
    assert row["swap_regret"] == pytest.approx(swap_regret(P, played), abs=1e-10)
    assert row["gap_average"] == pytest.approx(duality_gap(P, played.mean(axis=0)), abs=1e-12)
    averages = result.batch.series("average_gap")[:, 0]
    for t in (1, 2, 10, 50):
        assert averages[t] == pytest.approx(duality_gap(P, played[:t].mean(axis=0)), abs=1e-12)
    assert np.abs(result.average - played.mean(axis=0)).max() < 1e-13
    assert np.abs(result.batch.average_policy(0)[0] - played.mean(axis=0)).max() < 1e-13


def test_multiplicative_weights_have_no_regret_and_eq10s_player_does() -> None:
    """Against a fixed opponent: 'inherits OMD regret' needs opponents that are the own past."""
    P, q = make_game("cyclic").preferences, np.array([0.6, 0.3, 0.1])
    gain = P @ q

    def regret(rounds: Array) -> float:
        return float(len(rounds) * gain.max() - (rounds @ gain).sum())

    # Eq. 10's player always steps from the opponent's policy.
    eq10 = simulate(
        P,
        "eo-mnpo",
        externals=[q],
        advantage="externals",
        step_size=0.5,
        reference=np.full(3, 1 / 3),
        iterations=2000,
    ).policies
    x, learner = np.zeros(3), []
    for _ in range(2000):
        learner.append(softmax(x))
        x = x + 0.5 * gain
    per_round = {
        T: (regret(eq10[1 : T + 1]) / T, regret(np.array(learner[:T])) / T) for T in (200, 2000)
    }
    assert per_round[200][0] == pytest.approx(per_round[2000][0], rel=1e-3)
    assert per_round[2000][0] > 0.1
    assert per_round[2000][1] == pytest.approx(per_round[200][1] / 10, rel=0.05)


def test_tuned_multiplicative_weights_average_at_one_over_root_t() -> None:
    gaps, rounds = [], [250, 1000, 4000]
    for T in rounds:
        run = simulate(make_game("random-skew"), "mwu", step_size=4 / np.sqrt(T), iterations=T)
        gaps.append(run.summary()["gap_average"])
    slope = np.polyfit(np.log(rounds), np.log(gaps), 1)[0]
    assert -0.6 < slope < -0.4


@pytest.mark.parametrize("step", [0.05, 0.125, 0.5])
def test_optimistic_average_bound(step: float) -> None:
    """The average's gap is at most 2 D / (eta T), D = log(1 / min reference)."""
    ref = np.array([0.6, 0.3, 0.1])
    run = simulate(make_game("cyclic"), "onpo", step_size=step, reference=ref, iterations=1500)
    gaps = run.batch.series("average_gap")[1:, 0]
    rounds = np.arange(1, 1501)
    assert np.all(gaps <= 2 * np.log(1 / ref.min()) / (step * rounds) + 1e-12)


def test_shapes_are_checked() -> None:
    P = make_game("cyclic").preferences
    for wrong in (np.ones(3) / 3, np.ones((2, 4)) / 4, np.ones((2, 2, 3)) / 3):
        with pytest.raises(InvalidPolicy, match=r"policies(: has 4 entries| must be \(T, K\))"):
            external_regret(P, wrong)
        with pytest.raises(InvalidPolicy, match=r"policies(: has 4 entries| must be \(T, K\))"):
            swap_regret(P, wrong)
