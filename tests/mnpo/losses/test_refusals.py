"""Impossible arguments: one line that names the loss, the argument, the range and the value."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from mnpo import losses
from mnpo.errors import InvalidSetting

M = torch.zeros(3)
LOGS = -torch.ones(3)
LENGTHS = {"chosen_lengths": 4, "rejected_lengths": 5}


def squared(**k: Any) -> torch.Tensor:
    return losses.squared_pair_loss(M, **{"step_size": 1.0, **k})


def logistic(**k: Any) -> torch.Tensor:
    return losses.logistic_pair_loss(M, **{"scale": 1.0, **k})


def forward(**k: Any) -> torch.Tensor:
    return losses.forward_kl_pair_loss(M, **{"target": 1.0, **k})


def backward(**k: Any) -> torch.Tensor:
    return losses.backward_kl_pair_loss(M, **{"target": 1.0, **k})


def sppo(**k: Any) -> torch.Tensor:
    return losses.sppo_pointwise_loss(M, **{"step_size": 1.0, "win_rate": 0.5, **k})


def kto(**k: Any) -> torch.Tensor:
    return losses.kto_loss(M, **{"desirable": 1, "scale": 1.0, "z_ref": 0.0, **k})


def simpo(**k: Any) -> torch.Tensor:
    settings = {"scale": 1.0, "target_margin": 0.0, **LENGTHS, **k}
    return losses.simpo_loss(LOGS, LOGS, **settings)


def f_dpo(**k: Any) -> torch.Tensor:
    return losses.f_dpo_loss(M, M, **{"scale": 1.0, **k})


CASES = [
    (squared, {"step_size": -1.0}, "squared_pair_loss: step_size must be at least 0 and finite"),
    (squared, {"step_size": math.inf}, "step_size must be at least 0 and finite, got inf"),
    (squared, {"step_size": torch.tensor([1, -2, 1])}, "at least 0 and finite, got -2"),
    (squared, {"preference": 1.5}, "squared_pair_loss: preference must be between 0 and 1, got 1"),
    (squared, {"preference": torch.tensor([0.5, -0.1, 1.0])}, "between 0 and 1, got -0.1"),
    (squared, {"preference": torch.tensor([0.5, 1.2])}, "between 0 and 1, got 1.2"),
    (squared, {"preference": math.nan}, "preference must be between 0 and 1, got nan"),
    (
        squared,
        {"preference": torch.tensor(math.nan)},
        "preference must be between 0 and 1, got nan",
    ),
    (logistic, {"scale": 0.0}, "logistic_pair_loss: scale must be above 0 and finite, got 0"),
    (logistic, {"scale": -0.1}, "scale must be above 0 and finite, got -0.1"),
    (backward, {"target": math.nan}, "backward_kl_pair_loss: target must be a number, got nan"),
    (forward, {"target": math.inf}, "target must be finite, got inf; the divergence grows"),
    (forward, {"target": torch.tensor(-math.inf)}, "target must be finite, got -inf; the diverg"),
    (sppo, {"win_rate": 1.01}, "sppo_pointwise_loss: win_rate must be between 0 and 1, got 1.01"),
    (sppo, {"log_partition": math.inf}, "log_partition must be finite, got inf"),
    (kto, {"desirable": 2}, "kto_loss: desirable must be between 0 and 1, got 2"),
    (kto, {"undesirable_weight": -1.0}, "undesirable_weight must be at least 0 and finite"),
    (kto, {"z_ref": math.nan}, "z_ref must be finite, got nan"),
    (simpo, {"rejected_lengths": 0}, "lengths must be above 0 and finite, got 0"),
    (simpo, {"target_margin": -0.1}, "simpo_loss: target_margin must be at least 0 and finite"),
    (f_dpo, {"divergence": "foward-kl"}, "no divergence 'foward-kl'; did you mean 'forward-kl'?"),
    (f_dpo, {"divergence": "alpha", "alpha": 1.5}, "alpha must be between 0 and 1, got 1.5"),
    (f_dpo, {"divergence": "alpha", "alpha": math.nan}, "alpha must be between 0 and 1, got nan"),
]


@pytest.mark.parametrize(("call", "settings", "message"), CASES, ids=range(len(CASES)))
def test_refused(call: Callable[..., torch.Tensor], settings: dict[str, Any], message: str) -> None:
    assert call().isfinite().all()
    with pytest.raises(InvalidSetting, match=re.escape(message)) as caught:
        call(**settings)
    assert "\n" not in str(caught.value)


def test_infinite_targets_of_the_squared_distance() -> None:
    """Table 1's Distill-DPO row, D_sq with target infinity."""
    with pytest.raises(InvalidSetting, match="squared_target_loss: target must be finite, got inf"):
        losses.squared_target_loss(M, target=math.inf)
    with pytest.raises(InvalidSetting, match="distill_dpo_loss: reward_gap must be finite"):
        losses.distill_dpo_loss(M, scale=1.0, reward_gap=math.inf)


def test_dno_takes_gaps_of_win_rates() -> None:
    with pytest.raises(InvalidSetting, match="win_rate_gap must be between -1 and 1, got 3"):
        losses.dno_loss(M, scale=1.0, win_rate_gap=3.0)


def test_ipo_wants_both_lengths_or_neither() -> None:
    with pytest.raises(InvalidSetting, match="both chosen_lengths and rejected_lengths"):
        losses.ipo_loss(M, M, temperature=0.1, chosen_lengths=3)


def test_kto_reference_point_needs_responses() -> None:
    with pytest.raises(InvalidSetting, match="at least one mismatched response"):
        losses.kto_reference_point(torch.zeros(0))


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("bad", [-math.inf, math.nan])
def test_reference_free_losses_refuse_impossible_responses(position: int, bad: float) -> None:
    arguments = [LOGS.clone(), LOGS.clone()]
    arguments[position][1] = bad
    name = ("chosen_log_probs", "rejected_log_probs")[position]
    for call in (
        lambda: losses.simpo_loss(*arguments, scale=1.0, target_margin=0.0, **LENGTHS),
        lambda: losses.cpo_loss(*arguments, scale=1.0),
        lambda: losses.orpo_loss(*arguments, odds_weight=1.0, **LENGTHS),
        lambda: losses.slic_hf_loss(*arguments, target_margin=1.0, likelihood_weight=1.0),
        lambda: losses.rrhf_loss(*arguments, **LENGTHS),
    ):
        with pytest.raises(InvalidSetting, match=f"{name} holds 1 of 3 values that are NaN or inf"):
            call()


def test_integers_and_booleans_are_settings_too() -> None:
    f = torch.tensor([0.5, -0.5], dtype=torch.float64)
    hard = losses.squared_pair_loss(f, step_size=2, preference=torch.tensor([True, False]))
    assert hard.dtype == torch.float64
    assert hard.tolist() == [0.25, 0.25]
