"""The one-step updates of the reference data are stationary points of the losses.

Those policies were computed in closed form or at 40 digits, without these functions. Each is put
into the method's own expected loss, through log-softmax, and the gradient has to vanish there and
nowhere near.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mnpo import losses

pytestmark = pytest.mark.shared_data
Objective = Callable[[torch.Tensor], torch.Tensor]


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def pair_objective(
    anchors: list[torch.Tensor],
    weights: list[float],
    pairs: torch.Tensor,
    loss: Callable[[torch.Tensor], torch.Tensor],
) -> Objective:
    anchor = losses.anchor_log_probs(torch.stack(anchors).log(), weights)

    def objective(x: torch.Tensor) -> torch.Tensor:
        f = losses.log_ratio(torch.log_softmax(x, -1), anchor)
        return (pairs * loss(losses.margin(f[:, None], f[None, :]))).sum()

    return objective


def objectives(case: dict[str, Any]) -> dict[str, Objective]:
    """The expected loss that each result minimises, in the method's own parameters."""
    matrix, ref, start = tensor(case["P"]), tensor(case["ref"]), tensor(case["pi_t"])
    first, second = (tensor(other) for other in case["others"])
    data, reward = tensor(case["params"]["pdata"]), tensor(case["params"]["reward"])
    alpha, tau, beta = (case["params"][k] for k in ("alpha", "tau", "beta"))
    w = alpha * tau
    on_policy = torch.outer(start, start)
    offline = torch.outer(ref, ref)
    mixture = (first + second) / 2
    rates = matrix @ start

    def squared(step: float) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda m: losses.squared_pair_loss(m, step_size=step, preference=matrix)

    def dpo(m: torch.Tensor) -> torch.Tensor:
        return losses.logistic_pair_loss(m, scale=beta, preference=matrix)

    def gap(scores: torch.Tensor) -> torch.Tensor:
        return losses.margin(scores[:, None], scores[None, :])

    def sppo(x: torch.Tensor) -> torch.Tensor:
        f = losses.log_ratio(torch.log_softmax(x, -1), start.log())
        return (start * losses.sppo_pointwise_loss(f, step_size=alpha, win_rate=rates)).sum()

    return {
        "mwu": pair_objective([start], [1.0], on_policy, squared(alpha)),
        "inpo": pair_objective([start, ref], [1 - w, w], on_policy, squared(alpha)),
        "onpo_step1": pair_objective(
            [start], [1.0], on_policy, squared(2 * alpha)
        ),  # from pi' = pi_t two equal regressions are one of twice the step
        "ipo_offline_mu=ref": pair_objective([ref], [1.0], offline, squared(1 / tau)),
        "ipo_online": pair_objective([ref], [1.0], on_policy, squared(1 / tau)),
        "dpo_offline_mu=ref": pair_objective([ref], [1.0], offline, dpo),
        "dpo_online_fixedref": pair_objective([ref], [1.0], on_policy, dpo),
        "dpo_iterative_ref=pi_t": pair_objective([start], [1.0], on_policy, dpo),
        "dno_eta=1/alpha": pair_objective(
            [start],
            [1.0],
            torch.ones_like(matrix),
            lambda m: losses.dno_loss(m, scale=1 / alpha, win_rate_gap=gap(rates)),
        ),
        "spin_beta": pair_objective(
            [start], [1.0], torch.outer(data, start), lambda m: losses.spin_loss(m, scale=beta)
        ),
        "sppo_practical_eq4.6": sppo,
        "mnpo_eq10_player0": pair_objective(
            [first, second], [0.5, 0.5], torch.outer(mixture, mixture), squared(alpha)
        ),
        "mnpo_eq15_pairs_from_pi0_target_eta/2": pair_objective(
            [first, second], [0.5, 0.5], on_policy, squared(alpha)
        ),
        "mnpo_eq15_literal_target_1/(2eta)": pair_objective(
            [first, second], [0.5, 0.5], on_policy, squared(1 / alpha)
        ),
        "td_mnpo_lam=.5,.3_wref=.2": pair_objective(
            [start, first, ref], [0.5, 0.3, 0.2], on_policy, squared(alpha)
        ),
        "eo_mnpo_reward": pair_objective(
            [first, second],
            [0.5, 0.5],
            torch.ones_like(matrix),
            lambda m: losses.squared_target_loss(m, target=alpha * gap(reward)),
        ),
    }


@pytest.mark.parametrize("name", ["step_rps", "step_bt5"])
def test_golden_policies_are_stationary(shared_data: Path, name: str) -> None:
    golden = json.loads((shared_data / "golden.json").read_text())["cases"]
    (case,) = [c for c in golden if c["id"] == name]
    for result, objective in objectives(case).items():
        policy = tensor(case["results"][result])
        gradient = torch.func.grad(objective)
        assert gradient(policy.log()).abs().max() < 1e-13, result
        bump = torch.zeros_like(policy)
        bump[0] = 1e-3
        assert gradient(policy.log() + bump).abs().max() > 1e-6, result


@pytest.mark.parametrize("name", ["dpo_pop_rps_mu631", "dpo_pop_condorcet_uniform"])
def test_golden_bradley_terry_projections_are_stationary(shared_data: Path, name: str) -> None:
    golden = json.loads((shared_data / "golden.json").read_text())["cases"]
    (case,) = [c for c in golden if c["id"] == name]
    matrix, mu = tensor(case["P"]), tensor(case["mu"])
    pairs = torch.outer(mu, mu)

    def expected(loss: Callable[..., torch.Tensor], **parameters: float) -> Objective:
        return lambda f: (
            pairs * loss(losses.margin(f[:, None], f[None, :]), preference=matrix, **parameters)
        ).sum()

    logistic = torch.func.grad(expected(losses.logistic_pair_loss, scale=1.0))
    assert logistic(tensor(case["f_mean_zero"])).abs().max() < 1e-14
    squared = torch.func.grad(expected(losses.squared_pair_loss, step_size=1.0))
    assert squared(tensor(case["ipo_f_c_half"])).abs().max() < 1e-14
