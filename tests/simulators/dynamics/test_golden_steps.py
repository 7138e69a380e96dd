"""One update of every method, against values computed in 40 digits by other formulas."""

from typing import Any

import numpy as np
import pytest
from conftest import golden_params
from numpy.typing import NDArray

from mnpo.algorithms import get_algorithm
from simulators.dynamics import loop
from simulators.dynamics.exact import ExactMinimiser
from simulators.dynamics.loop import Task
from simulators.dynamics.oracles import SharedMatrix
from simulators.dynamics.problem import Problem
from simulators.dynamics.simulation import simulate

Array = NDArray[np.float64]
Case = dict[str, Any]

TOLERANCE = 1e-14


def settings(case: Case) -> dict[str, Any]:
    """The settings each golden result was computed with, by the result's key."""
    p, players = case["params"], [case["pi_t"], *case["others"]]
    alpha, tau, beta = p["alpha"], p["tau"], p["beta"]
    step, both = {"step_size": alpha}, {"step_size": alpha, "temperature": tau}
    return {
        "mwu": [
            ("mwu", step),
            ("sppo", step),
            ("mnpo", step | {"num_players": 2, "reference_weight": 0.0}),
        ],
        "inpo": [
            ("inpo", both),
            ("inpo", {"eta": 1 / alpha, "tau": tau}),
            ("mnpo", both | {"num_players": 2}),
        ],
        "mmd_mpo_inner": [("mmd", both), ("mpo", both)],
        "nash_md": [("nash-md", both)],
        "egpo": [("egpo", both)],
        "onpo_step1": [("onpo", step)],
        "onpo_step2": [("onpo", step | {"iterations": 2})],
        "ipo_offline_mu=ref": [("ipo", {"temperature": tau})],
        "ipo_online": [("ipo-online", {"temperature": tau})],
        "dpo_offline_mu=ref": [("dpo", {"temperature": beta})],
        "dpo_online_fixedref": [("dpo-online", {"beta": beta})],
        "dpo_iterative_ref=pi_t": [("dpo-iterative", {"temperature": beta})],
        "dno_eta=1/alpha": [("dno", step), ("dno", {"eta": 1 / alpha})],
        "spin_beta": [("spin", {"beta": beta, "demonstrations": p["pdata"]})],
        "sppo_practical_eq4.6": [("sppo-practical", step), ("sppo", step | {"form": "practical"})],
        "mnpo_eq10_player0": [("mnpo-eq10", step | {"initial": players})],
        "mnpo_eq15_pairs_from_pi0_target_eta/2": [
            ("mnpo-eq10", step | {"initial": players, "target_form": "own-pairs"})
        ],
        "mnpo_eq15_literal_target_1/(2eta)": [("mnpo-eq15", step | {"initial": players})],
        "eo_mnpo_reward": [
            (
                "eo-mnpo",
                step
                | {
                    "externals": case["others"],
                    "external_weights": (0.5, 0.5),
                    "rewards": p["reward"],
                },
            )
        ],
        "comal_outer(ref=pi_t,tau)": [("comal", {"temperature": tau})],
    }


STEPS = [
    "mwu",
    "inpo",
    "mmd_mpo_inner",
    "nash_md",
    "egpo",
    "onpo_step1",
    "onpo_step2",
    "ipo_offline_mu=ref",
    "ipo_online",
    "dpo_offline_mu=ref",
    "dpo_online_fixedref",
    "dpo_iterative_ref=pi_t",
    "dno_eta=1/alpha",
    "spin_beta",
    "sppo_practical_eq4.6",
    "mnpo_eq10_player0",
    "mnpo_eq15_pairs_from_pi0_target_eta/2",
    "mnpo_eq15_literal_target_1/(2eta)",
    "eo_mnpo_reward",
    "comal_outer(ref=pi_t,tau)",
]
WITH_HISTORY = [
    "td_mnpo_lam=.5,.3_wref=.2",
    "td_mnpo_same_avg_adv",
    "nash_ema_opp=others0",
]


@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
@pytest.mark.parametrize("key", STEPS)
@pytest.mark.parametrize("case", golden_params("one_step"))
def test_one_step(case: Case, key: str) -> None:
    for name, parameters in settings(case)[key]:
        arguments = {"initial": case["pi_t"], "iterations": 1} | parameters
        result = simulate(case["P"], name, reference=case["ref"], **arguments)
        policy = result.last if result.last.ndim == 1 else result.last[0]
        assert np.abs(policy - case["results"][key]).max() < TOLERANCE, name


class AfterPrescribedStep:
    """Makes the first iteration yield a given policy, then answers exactly."""

    def __init__(self, problem: Problem, policy: Array) -> None:
        self._exact = ExactMinimiser(problem)
        self._policy = policy
        self.ledger = self._exact.ledger

    def minimise(self, task: Task) -> Array:
        if task.iteration == 0:
            return np.log(self._policy)[:, None]
        return self._exact.minimise(task)


def second_step(case: Case, before: Array, name: str, **parameters: Any) -> Array:
    """The policy after ``before`` and then ``pi_t`` were played."""
    problem = Problem(
        oracles=(SharedMatrix(np.array(case["P"])),),
        log_reference=np.log(case["ref"])[:, None],
        log_initial=np.log(before)[:, None],
        columns=1,
    )
    minimiser = AfterPrescribedStep(problem, np.array(case["pi_t"]))
    (last,) = loop.run(get_algorithm(name, **parameters), problem, minimiser, iterations=2)
    return last.probabilities[:, 0]


@pytest.mark.parametrize("case", golden_params("one_step"))
def test_one_step_with_history(case: Case) -> None:
    p, other, pi = case["params"], np.array(case["others"][0]), np.array(case["pi_t"])
    td = {"step_size": p["alpha"], "history_weights": (0.5, 0.3), "reference_weight": 0.2}
    # Logits whose average with pi_t's, at decay 1/2, is the golden opponent.
    start = other**2 / pi
    moving = {"step_size": p["alpha"], "temperature": p["tau"], "decay": 0.5}
    found = {
        "td_mnpo_lam=.5,.3_wref=.2": second_step(case, other, "mnpo", **td),
        "td_mnpo_same_avg_adv": second_step(case, other, "mnpo", advantage="average", **td),
        "nash_ema_opp=others0": second_step(case, start / start.sum(), "nash-ema", **moving),
    }
    assert set(found) == set(WITH_HISTORY)
    for key, policy in found.items():
        assert np.abs(policy - case["results"][key]).max() < TOLERANCE, key


@pytest.mark.parametrize("case", golden_params("one_step"))
def test_every_golden_step_is_covered(case: Case) -> None:
    assert set(case["results"]) == {*STEPS, *WITH_HISTORY} == {*settings(case), *WITH_HISTORY}
