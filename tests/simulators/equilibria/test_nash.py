"""The unregularised Nash set: golden values, closed forms, a brute-force twin, real matrices."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import golden_params, preference_matrices
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from mnpo.errors import InvalidGame
from simulators.equilibria import nash_equilibrium, regularized_equilibrium
from simulators.games import make_game

RPS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])


@st.composite
def coarse_games(draw: st.DrawFn) -> np.ndarray:
    """Games with entries in quarters: ties, clones and degenerate faces abound."""
    size = draw(st.integers(1, 6))
    P = np.full((size, size), 0.5)
    for i, j in itertools.combinations(range(size), 2):
        P[i, j] = draw(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
        P[j, i] = 1 - P[i, j]
    return P


def coordinate_ranges(P: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The naive twin: two linear programs over the whole polytope for each coordinate."""
    size = len(P)
    ends = np.empty((2, size))
    for end, sign in enumerate((1.0, -1.0)):
        for action in range(size):
            found = linprog(
                sign * np.eye(size)[action],
                A_ub=P - 0.5,
                b_ub=np.zeros(size),
                A_eq=np.ones((1, size)),
                b_eq=[1.0],
                options={"primal_feasibility_tolerance": 1e-10},
            )
            ends[end, action] = sign * found.fun
    return ends[0], ends[1]


@pytest.mark.parametrize("case", golden_params("equilibrium"))
def test_golden(case: dict[str, Any]) -> None:
    found = nash_equilibrium(case["P"])
    expected = case["unreg"]
    if expected["ne"] == "not unique":
        assert not found.unique
        np.testing.assert_allclose(found.lower, expected["coord_min"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.upper, expected["coord_max"], rtol=0, atol=1e-9)
    else:
        assert found.unique
        assert found.dimension == 0
        np.testing.assert_allclose(found.policy, expected["ne"], rtol=0, atol=1e-14)
        np.testing.assert_array_equal(found.lower, found.policy)
        np.testing.assert_array_equal(found.upper, found.policy)
    assert found.exploitability < 1e-15
    assert found.value == 0.5


@given(*[st.floats(1e-3, 0.5)] * 3)
def test_three_cycle_closed_form(a: float, b: float, c: float) -> None:
    """A12 = a, A23 = b, A31 = c: the equilibrium is (b, c, a) / (a + b + c)."""
    A = np.array([[0, a, -c], [-a, 0, b], [c, -b, 0]])
    found = nash_equilibrium(0.5 + A)
    assert found.unique
    expected = np.array([b, c, a]) / (a + b + c)
    np.testing.assert_allclose(found.policy, expected, rtol=0, atol=1e-14 / min(a, b, c))


@given(st.one_of(coarse_games(), preference_matrices(max_actions=6)))
def test_agrees_with_linear_programs_over_every_coordinate(P: np.ndarray) -> None:
    A = P - 0.5
    if 0 < np.abs(A[np.abs(A) > 0]).min(initial=1.0) < 1e-6:
        return  # ties only at the scale of the solvers' tolerance are either one's to call
    found = nash_equilibrium(P)
    lower, upper = coordinate_ranges(P)
    if (upper - lower).max() < 1e-6 and not found.unique:
        pytest.fail(f"called not unique: {P.tolist()}")
    np.testing.assert_allclose(found.lower, lower, rtol=0, atol=2e-6)
    np.testing.assert_allclose(found.upper, upper, rtol=0, atol=2e-6)
    assert found.unique == bool((found.upper - found.lower).max() < 1e-7)
    assert found.exploitability < 1e-9
    assert found.policy.sum() == pytest.approx(1.0, abs=1e-14)
    assert set(np.flatnonzero(found.policy > 1e-9)) <= set(found.support)


@given(st.data(), coarse_games())
def test_relabelling_the_actions_relabels_the_equilibrium(
    data: st.DataObject, P: np.ndarray
) -> None:
    order = np.array(data.draw(st.permutations(range(len(P)))))
    found, moved = nash_equilibrium(P), nash_equilibrium(P[np.ix_(order, order)])
    np.testing.assert_allclose(moved.policy, found.policy[order], rtol=0, atol=1e-7)
    assert moved.unique == found.unique


@given(coarse_games())
def test_the_chosen_equilibrium_is_the_limit_of_the_regularised_ones(P: np.ndarray) -> None:
    distances = [
        np.abs(regularized_equilibrium(P, tau) - nash_equilibrium(P).policy).max()
        for tau in (1e-2, 1e-4)
    ]
    assert distances[1] <= max(1e-9, 0.1 * distances[0])


def test_clones_are_treated_alike() -> None:
    index = [0, 0, 0, 1, 2]  # rock three times
    found = nash_equilibrium(RPS[np.ix_(index, index)])
    np.testing.assert_allclose(found.policy, [1 / 9] * 3 + [1 / 3] * 2, rtol=0, atol=1e-12)
    assert found.dimension == 2
    np.testing.assert_allclose(found.upper, [1 / 3] * 5, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.lower, [0, 0, 0, 1 / 3, 1 / 3], rtol=0, atol=1e-9)


def test_ties_give_the_uniform_policy() -> None:
    found = nash_equilibrium(np.full((30, 30), 0.5))
    np.testing.assert_allclose(found.policy, 1 / 30, rtol=0, atol=1e-14)
    assert found.dimension == 29
    assert found.support == tuple(range(30))


def test_an_action_outside_the_support_can_bound_the_polytope() -> None:
    """a and b tie, c beats a by .4 and loses to b by .3: p_a <= 3/7, where entropy is largest."""
    P = 0.5 + np.array([[0, 0, -0.4], [0, 0, 0.3], [0.4, -0.3, 0]])
    found = nash_equilibrium(P)
    np.testing.assert_allclose(found.policy, [3 / 7, 4 / 7, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.upper, [3 / 7, 1, 0], rtol=0, atol=1e-9)
    assert found.support == (0, 1)


def test_one_action() -> None:
    found = nash_equilibrium([[0.5]])
    assert found.policy.tolist() == [1.0]
    assert found.unique


def test_tiny_margins_are_not_ties() -> None:
    found = nash_equilibrium(0.5 + 1e-6 * (RPS - 0.5))
    assert found.unique
    np.testing.assert_allclose(found.policy, 1 / 3, rtol=0, atol=1e-9)


def test_without_bounds_what_varies_is_nan() -> None:
    index = [0, 0, 1, 2]
    found = nash_equilibrium(RPS[np.ix_(index, index)], bounds=False)
    assert not found.unique
    np.testing.assert_array_equal(np.isnan(found.lower), [True, True, False, False])
    assert nash_equilibrium(RPS, bounds=False).unique


def test_large_random_game() -> None:
    rng = np.random.default_rng(0)
    A = np.triu(rng.uniform(-0.5, 0.5, (200, 200)), 1)
    found = nash_equilibrium(0.5 + A - A.T)
    assert found.unique
    assert len(found.support) % 2 == 1  # a generic skew game has an odd support
    assert found.exploitability < 1e-15


def test_one_game_at_a_time() -> None:
    with pytest.raises(InvalidGame, match="one \\(K, K\\) game"):
        nash_equilibrium(np.full((2, 3, 3), 0.5))


REAL: dict[str, tuple[str, dict[str, object]]] = {
    "sppo_pairrm_figure3": ("sppo_pairrm_figure3.csv", {}),
    "pandalm": ("pandalm/win_fraction.csv", {}),
    "soccer_10x10": ("soccer_10x10.csv", {}),
    "roshambo_43x43": ("roshambo_43x43.csv", {"scale": 1000, "antisymmetrize": True}),
    "blotto_5_3": ("blotto_5_3.csv.gz", {}),
    "blotto_5_4": ("blotto_5_4.csv.gz", {}),
    "kuhn_poker_64": ("kuhn_poker_64.csv.gz", {}),
    "comal_synthetic_3x3": ("comal_synthetic_3x3.json", {}),
    "chatbot_arena_20240329_full": (
        "chatbot_arena_20240329_full/win_fraction.csv",
        {"fill_missing": "half", "counts": "battle_count.csv"},
    ),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", REAL)
def test_real_matrices(name: str, shared_data: Path) -> None:
    folder = shared_data / "data" / "games"
    known = json.loads((folder / "invariants.json").read_text())[name]
    file, options = REAL[name]
    game = make_game(f"file:{folder / file}", **options)
    P, labels, nash = game.preferences, list(game.actions), known.get("nash")
    if "dense_block_models" in known:
        rows = [labels.index(model) for model in known["dense_block_models"]]
        P, labels, nash = P[np.ix_(rows, rows)], known["dense_block_models"], None
        nash = known["dense_block_nash"]
    found = nash_equilibrium(P)
    assert found.exploitability < 1e-14
    assert float(found.policy @ P @ found.policy) == pytest.approx(known.get("value", 0.5))
    np.testing.assert_array_less(found.lower - 1e-9, found.policy)
    np.testing.assert_array_less(found.policy, found.upper + 1e-9)
    if isinstance(nash, dict):
        assert found.unique
        played = {labels[i]: found.policy[i] for i in found.support}
        assert played == pytest.approx(nash, abs=6e-5)
    elif isinstance(nash, list):
        np.testing.assert_allclose(found.policy, nash, rtol=0, atol=1e-9)
    if name == "kuhn_poker_64":
        assert found.unique
        assert len(found.support) == known["support"]
    if name.startswith("blotto"):  # the collector's equilibrium is one vertex of many
        assert not found.unique
        assert len(found.support) > known["support"]
