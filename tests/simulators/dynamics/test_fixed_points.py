"""Where each method stands still, and what it keeps whatever the game."""

from typing import Any

import numpy as np
import pytest
from conftest import policies, preference_matrices
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import softmax

from mnpo.algorithms import list_algorithms
from simulators.dynamics.simulation import simulate
from simulators.equilibria import nash_equilibrium, regularized_equilibrium
from simulators.games import make_game

Array = NDArray[np.float64]

FIXED_REFERENCE: list[tuple[str, dict[str, Any]]] = [
    ("inpo", {}),
    ("mmd", {}),
    ("egpo", {}),
    ("ipo-online", {}),
    ("nash-ema", {"decay": 0.6}),
    ("mnpo", {}),
    ("mnpo", {"num_players": 5}),
    ("mnpo", {"history_weights": (0.1, 0.0, 3.0)}),
]
UNREGULARIZED: list[tuple[str, dict[str, Any]]] = [
    ("mwu", {}),
    ("sppo", {}),
    ("sppo-practical", {}),
    ("dno", {}),
    ("onpo", {}),
    ("mpo", {"inner": 3}),
    ("comal", {}),
    ("comal", {"inner": 2}),
    ("mnpo", {"reference_weight": 0.0}),
    ("mnpo-eq10", {}),
]


@st.composite
def settled(draw: st.DrawFn) -> tuple[Array, Array, float]:
    """A game, a reference and a temperature."""
    P = draw(preference_matrices())
    return P, draw(policies(len(P))), draw(st.floats(0.05, 0.5))


@pytest.mark.parametrize(("name", "parameters"), FIXED_REFERENCE)
@settings(max_examples=20)
@given(settled(), st.floats(0.05, 1.5))
def test_the_regularised_equilibrium_is_a_fixed_point(
    name: str, parameters: dict[str, Any], case: Any, step: float
) -> None:
    P, ref, tau = case
    equilibrium = regularized_equilibrium(P, tau, ref)
    result = simulate(
        P,
        name,
        step_size=step,
        temperature=tau,
        reference=ref,
        initial=equilibrium,
        iterations=4,
        **parameters,
    )
    assert np.abs(result.policies - equilibrium).max() < 1e-10
    row = result.summary()
    assert row["kl_to_regularized_equilibrium"] < 1e-15
    assert row["regularized_gap_last"] < 1e-12


@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
@pytest.mark.parametrize(("name", "parameters"), UNREGULARIZED)
def test_a_full_support_nash_equilibrium_is_a_fixed_point(
    name: str, parameters: dict[str, Any]
) -> None:
    P = make_game("biased-rps", a=0.9, b=0.7, c=0.6).preferences
    nash = nash_equilibrium(P).policy
    if name == "mpo" or name.startswith("comal"):
        parameters = parameters | {"reference": nash}  # the first magnet
    result = simulate(P, name, initial=[nash] * 3 if name == "mnpo-eq10" else nash, **parameters)
    assert np.abs(result.policies - nash).max() < 1e-12


@settings(max_examples=20)
@given(settled(), st.floats(0.1, 0.9), st.floats(0.05, 0.5))
def test_weights_that_do_not_sum_to_one_move_the_fixed_point(
    case: Any, history: float, w: float
) -> None:
    """Theory: reference ref^(w / (1 - sum lambda)), temperature (1 - sum lambda) / alpha."""
    P, ref, _ = case
    step = 0.8
    left = 1 - history
    hidden = softmax(w / left * np.log(ref))
    fixed = regularized_equilibrium(P, left / step, hidden)
    result = simulate(
        P,
        "mnpo",
        step_size=step,
        history_weights=(0.7 * history, 0.3 * history),
        reference_weight=w,
        scale_weights=False,
        reference=ref,
        initial=fixed,
        iterations=3,
    )
    assert np.abs(result.policies - fixed).max() < 1e-10


@settings(max_examples=20)
@given(settled(), st.floats(0.1, 2.0), st.floats(0.05, 0.9))
def test_reference_weight_sets_the_temperature(case: Any, step: float, w: float) -> None:
    P, ref, _ = case
    fixed = regularized_equilibrium(P, w / step, ref)
    result = simulate(
        P,
        "mnpo",
        step_size=step,
        reference_weight=w,
        num_players=4,
        reference=ref,
        initial=fixed,
        iterations=4,
    )
    assert np.abs(result.policies - fixed).max() < 1e-10


def test_a_reward_gap_as_target_is_plain_rlhf() -> None:
    game = make_game("bradley-terry", actions=4)
    ref, r = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.2, 0.9, 0.1, 0.4])
    both = {"step_size": 0.5, "temperature": 0.2, "reference": ref, "iterations": 400}
    last = simulate(game, "mnpo", advantage="reward", rewards=r, **both).last
    assert np.abs(last - softmax(np.log(ref) + r / 0.2)).max() < 1e-12
    # Without rewards a game with utilities lends its own.
    own = simulate(game, "mnpo", advantage="reward", **both).last
    assert np.abs(own - softmax(np.log(ref) + np.linspace(0, 2, 4) / 0.2)).max() < 1e-12


@pytest.mark.parametrize("game", ["cyclic", "biased-rps", "condorcet", "knob", "random-skew"])
def test_nash_md_with_a_constant_step_is_biased(game: str) -> None:
    ref = np.arange(1.0, make_game(game).size + 1)
    both = {"step_size": 1.0, "temperature": 0.1, "reference": ref / ref.sum()}
    constant = simulate(make_game(game), "nash-md", iterations=1500, **both).summary()
    assert 1e-5 < constant["kl_to_regularized_equilibrium"] < 0.2
    assert constant["verdict"] == "settles elsewhere"
    inpo = simulate(make_game(game), "inpo", iterations=1500, **both).summary()
    assert inpo["kl_to_regularized_equilibrium"] < 1e-12
    decaying = simulate(make_game(game), "nash-md", schedule="decaying", iterations=1500, **both)
    floor = constant["kl_to_regularized_equilibrium"]
    assert decaying.summary()["kl_to_regularized_equilibrium"] < 0.1 * floor


SINGLE = [e.name for e in list_algorithms() if e.name not in ("ht-mnpo", "mnpo-eq10", "mnpo-eq15")]
EXTRAS = {
    "spin": ["demonstrations"],
    "eo-mnpo": ["externals", "rewards"],
}


def extras(name: str, order: Any) -> dict[str, Any]:
    """What else a method reads on four actions, the actions reordered."""
    data = {
        "demonstrations": np.array([0.1, 0.2, 0.3, 0.4])[order],
        "externals": [np.array([0.7, 0.1, 0.1, 0.1])[order]],
        "rewards": np.array([0.1, 0.9, 0.3, 0.2])[order],
    }
    return {key: data[key] for key in EXTRAS.get(name, [])}


@pytest.mark.parametrize("name", SINGLE)
def test_renaming_the_actions_renames_the_run(name: str) -> None:
    P = make_game("random-skew", actions=4, seed=9).preferences
    ref = np.array([0.4, 0.3, 0.2, 0.1])
    order = np.array([2, 0, 3, 1])
    both: dict[str, Any] = {"temperature": 2.0 if name.startswith("dpo") else 0.3}
    straight = simulate(P, name, reference=ref, iterations=8, **both, **extras(name, [0, 1, 2, 3]))
    renamed = simulate(
        P[order][:, order], name, reference=ref[order], iterations=8, **both, **extras(name, order)
    )
    assert np.abs(renamed.policies - straight.policies[:, order]).max() < 1e-12
    for key in ("gap_last", "gap_average", "regularized_gap_last", "external_regret"):
        assert abs(renamed.summary()[key] - straight.summary()[key]) < 1e-10


# DPO's projection has limits of its own, see test_bradley_terry.py.
@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
@pytest.mark.parametrize("name", [name for name in SINGLE if not name.startswith("dpo")])
@pytest.mark.parametrize("step", [1e-6, 50.0, 1e4])
def test_policies_stay_distributions_in_extreme_conditions(name: str, step: float) -> None:
    P = make_game("random-skew", actions=4, scale=0.5, seed=1).preferences
    start = np.array([1 - 3e-300, 1e-300, 1e-300, 1e-300])
    temperature = 1e-3 if "ipo" in name or name in ("comal", "mpo") else min(0.1, 0.9 / step)
    result = simulate(
        P,
        name,
        step_size=step,
        temperature=temperature,
        initial=start,
        reference=[0.97, 0.01, 0.01, 0.01],
        iterations=40,
        **extras(name, [0, 1, 2, 3]),
    )
    assert np.isfinite(result.policies).all()
    assert np.abs(result.policies.sum(axis=1) - 1).max() < 1e-12
    assert result.policies.min() >= 0
    for gap in (result.gap(), result.gap(temperature)):
        assert np.isfinite(gap).all()
        assert gap.min() >= -1e-12
    row = result.summary()
    assert all(np.isfinite(row[key]) for key in ("gap_last", "gap_average", "external_regret"))
