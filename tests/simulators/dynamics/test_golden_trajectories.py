"""Whole runs, their gaps, averages and local rates, against 40-digit recursions."""

from typing import Any

import numpy as np
import pytest
from conftest import golden_cases, golden_params

from mnpo.algorithms import get_algorithm
from mnpo.errors import InvalidSetting
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.equilibria import regularized_equilibrium
from simulators.games import Game, make_game
from simulators.metrics.gaps import duality_gap
from simulators.metrics.local_rate import rotation_frequencies, stability_bound
from simulators.metrics.regret import external_regret

Case = dict[str, Any]

RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "mwu": ("mwu", {}),
    "inpo": ("inpo", {}),
    "egpo": ("egpo", {}),
    "mmd": ("mmd", {}),
    "nash_md": ("nash-md", {}),
    "inpo_sched": ("inpo", {"schedule": "decaying"}),
    "nash_md_sched": ("nash-md", {"schedule": "decaying"}),
    "td3": ("mnpo", {"history_weights": (0.5, 0.3, 0.2)}),
    "td3_w0": ("mnpo", {"history_weights": (0.5, 0.3, 0.2), "reference_weight": 0.0}),
    "onpo": ("onpo", {}),
    "comal_5_outer": ("comal", {"iterations": 5}),
}


@pytest.mark.parametrize("key", RUNS)
@pytest.mark.parametrize("case", golden_params("trajectory"))
def test_trajectory(case: Case, key: str) -> None:
    name, parameters = RUNS[key]
    expected = case["results"][key]
    result = simulate(
        case["P"],
        name,
        step_size=case["alpha"],
        temperature=case["tau"],
        reference=case["ref"],
        **{"iterations": case["T"], **parameters},
    )
    row = result.summary()
    assert np.abs(result.last - expected["final"]).max() < 1e-12
    assert abs(result.gap()[-1] - expected["gap0"]) < 1e-12
    assert abs(result.gap(case["tau"])[-1] - expected["gap_tau"]) < 1e-12
    assert abs(row["gap_last"] - expected["gap0"]) < 1e-12
    assert abs(row["regularized_gap_last"] - expected["gap_tau"]) < 1e-12
    if "average" in expected:
        # Over the rounds played, pi_0 ... pi_(T-1): regret's average.
        assert np.abs(result.average - expected["average"]).max() < 1e-12
        assert abs(row["gap_average"] - expected["gap0_average"]) < 1e-12
        regret = external_regret(case["P"], result.policies[:-1])
        assert abs(2 * regret / case["T"] - expected["gap0_average"]) < 1e-12
        assert abs(row["external_regret"] - regret) < 1e-10


@pytest.mark.parametrize("case", golden_params("trajectory"))
def test_every_golden_trajectory_is_covered(case: Case) -> None:
    assert set(case["results"]) == set(RUNS)


@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
@pytest.mark.parametrize("case", golden_params("equilibrium"))
def test_metrics_at_the_equilibrium_and_the_reference(case: Case) -> None:
    P, tau, ref, equilibrium = case["P"], case["tau"], case["ref"], case["reg_ne"]
    assert abs(duality_gap(P, ref) - case["gap0_ref"]) < 1e-13
    assert abs(duality_gap(P, equilibrium) - case["gap0_regne"]) < 1e-13
    assert abs(duality_gap(P, ref, tau, ref) - case["gap_tau_ref"]) < 1e-13
    assert duality_gap(P, equilibrium, tau, ref) < 1e-13
    frequencies = rotation_frequencies(P, equilibrium)
    assert abs(frequencies.max(initial=0.0) - case["omega_max"]) < 1e-12
    # Eq. 9's gap of one player: a run that has not moved from the reference.
    row = simulate(P, "inpo", temperature=tau, reference=ref, iterations=0).summary()
    assert abs(row["multiplayer_gap_last"] - case["gap_eq9_ref"]) < 1e-13


@pytest.mark.parametrize("case", golden_params("equilibrium"))
def test_runs_end_at_the_golden_equilibrium(case: Case) -> None:
    P, tau = case["P"], case["tau"]
    bound = stability_bound(get_algorithm("egpo", temperature=tau), P, case["reg_ne"])
    assert bound is not None
    result = simulate(
        P,
        "egpo",
        step_size=0.25 * min(bound, 1 / tau),
        temperature=tau,
        reference=case["ref"],
        iterations=1500,
    )
    assert np.abs(result.last - case["reg_ne"]).max() < 1e-12
    assert np.abs(np.log(result.last) - case["reg_ne_log"]).max() < 1e-11
    assert result.summary()["kl_to_regularized_equilibrium"] < 1e-15


@pytest.mark.parametrize("case", golden_params("local_rate"))
def test_local_rates(case: Case) -> None:
    P, tau, alpha = make_game("cyclic").preferences, case["tau"], case["alpha"]
    both = {"step_size": alpha, "temperature": tau}
    names = {
        "inpo": ("inpo", {}),
        "mmd": ("mmd", {}),
        "egpo": ("egpo", {}),
        "td_half_half": ("mnpo", {"history_weights": (0.5, 0.5)}),
    }
    assert set(names) == set(case["predicted_multiplier"]) == set(case["observed_multiplier"])
    for key, (name, extra) in names.items():
        run = simulate(P, name, reference=case["ref"], iterations=400, **both, **extra)
        row = run.summary()
        assert abs(row["predicted_multiplier"] - case["predicted_multiplier"][key]) < 1e-9
        assert row["fitted_multiplier"] == pytest.approx(row["predicted_multiplier"], rel=0.02)
        assert row["fitted_multiplier"] == pytest.approx(case["observed_multiplier"][key], rel=0.02)
    equilibrium = simulate(P, "egpo", reference=case["ref"], iterations=600, **both).last
    assert abs(rotation_frequencies(P, equilibrium)[0] - case["omega"]) < 1e-10
    bound = stability_bound(get_algorithm("inpo", temperature=tau), P, equilibrium)
    assert bound == pytest.approx(case["alpha_max_inpo"], rel=1e-9)


def heterogeneous_game() -> Game:
    """The three annotators of the golden Plackett-Luce cases."""
    (case,) = (c for c in golden_cases() if c["id"] == "pl_annot3_n2")
    text = ";".join(",".join(str(u) for u in row) for row in case["utilities"])
    weights = ",".join(str(w) for w in case["annotator_weights"])
    return make_game("plackett-luce", utilities=text, weights=weights, players=2)


@pytest.mark.parametrize("case", golden_params("ht_trajectory"))
def test_heterogeneous_trajectory(case: Case) -> None:
    (general_sum,) = golden_cases("heterogeneous_ne")
    game, tau, alpha = heterogeneous_game(), case["tau"], case["alpha"]
    assert alpha * tau == pytest.approx(case["w"])
    both = {"step_size": alpha, "temperature": tau, "reference": general_sum["ref"]}
    result = simulate(game, "ht-mnpo", iterations=case["T"], **both)
    assert result.policies.shape == (case["T"] + 1, 3, 3)
    assert np.abs(result.last - case["final"]).max() < 1e-12

    limit = simulate(game, "ht-mnpo", iterations=1200, **both)
    assert np.abs(limit.last - case["limit"]).max() < 1e-12
    gaps = limit.batch.recorder.multiplayer_gap
    assert gaps is not None
    assert np.abs(gaps[-1, :, 0] - case["limit_gaps"]).max() < 1e-12
    assert limit.summary()["multiplayer_gap_last"] == pytest.approx(max(case["limit_gaps"]))
    # A consensus algorithm: near the equilibrium of the average oracle, by O(alpha), not at the
    # general-sum one.
    steps, shifts = (0.3, 0.1, 0.03), []
    for step in steps:
        run = simulate_batch(
            game, Settings("ht-mnpo", iterations=3000, **both | {"step_size": step})
        )
        distances = np.abs(run.last_policies(0)[:, 0] - case["avg_oracle_reg_ne"]).sum(axis=1)
        shifts.append(0.5 * distances.max())
    slopes = np.diff(np.log(shifts)) / np.diff(np.log(steps))
    assert np.all(np.abs(slopes - 1) < 0.1)


@pytest.mark.parametrize("case", golden_params("heterogeneous_ne"))
def test_own_prox_finds_the_general_sum_equilibrium(case: Case) -> None:
    result = simulate(
        heterogeneous_game(),
        "ht-mnpo",
        self_weight=1.0,
        reading="intended",
        step_size=0.3,
        temperature=case["tau"],
        reference=case["ref"],
        iterations=3000,
    )
    assert np.abs(result.last - case["equilibrium"]).max() < 1e-11
    assert result.summary()["multiplayer_gap_last"] < 1e-12


def test_ht_mnpo_needs_annotators() -> None:
    with pytest.raises(InvalidSetting, match="each player an annotator of its own"):
        simulate(make_game("cyclic"), "ht-mnpo", iterations=1)


@pytest.mark.parametrize("case", golden_params("pl_nplayer_symmetric_equilibrium"))
def test_runs_end_at_the_golden_one_vs_many_equilibrium(case: Case) -> None:
    text = ";".join(",".join(str(u) for u in row) for row in case["utilities"])
    weights = ",".join(str(w) for w in case["annotator_weights"])
    game = make_game("plackett-luce", utilities=text, weights=weights, players=case["n"])
    result = simulate(
        game,
        "egpo",
        step_size=3.0,
        temperature=case["tau"],
        reference=case["ref"],
        iterations=250,
    )
    assert np.abs(result.last - case["equilibrium"]).max() < 1e-11
    assert np.abs(np.exp(result.batch.batch.log_equilibrium[:, 0]) - case["equilibrium"]).max() < (
        1e-12
    )


@pytest.mark.parametrize("case", golden_params("identity"))
def test_label_noise_identity_on_every_golden_game(case: Case) -> None:
    assert case["id"] == "identity_label_noise"
    noise = 0.1
    for game in golden_cases("equilibrium"):
        P, tau, ref = np.array(game["P"]), game["tau"], game["ref"]
        noisy = regularized_equilibrium((1 - 2 * noise) * P + noise, tau, ref)
        warmer = regularized_equilibrium(P, tau / (1 - 2 * noise), ref)
        assert np.abs(noisy - warmer).max() < 1e-13
