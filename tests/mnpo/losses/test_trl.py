"""The same numbers as the TRL library, whose trainers' own loss code is run without a model.

A trainer's loss method is called on a stand-in for the trainer, with a stand-in for the model
that returns prepared log-probabilities per token. Where a loss is not in TRL, or only in another
convention, the twin in ``conftest.py`` is the check.
"""

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from mnpo import losses

pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore")

PAIRS, TOKENS = 6, 9


class Batch:
    """Random log-probabilities per token of chosen and rejected completions, with lengths."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.lengths = torch.tensor(rng.integers(2, TOKENS, size=2 * PAIRS))
        inside = torch.arange(TOKENS)[None, :] < self.lengths[:, None]
        self.mask = torch.cat([torch.zeros(2 * PAIRS, 1), inside], dim=1).long()
        self.policy = torch.tensor(-rng.gamma(1.0, size=(2 * PAIRS, TOKENS))) * inside
        self.reference = torch.tensor(-rng.gamma(1.0, size=(2 * PAIRS, TOKENS))) * inside

    @property
    def ratios(self) -> tuple[torch.Tensor, torch.Tensor]:
        return losses.log_ratio(self.policy.sum(1), self.reference.sum(1)).chunk(2)

    @property
    def chosen_and_rejected_lengths(self) -> dict[str, torch.Tensor]:
        chosen, rejected = self.lengths.chunk(2)
        return {"chosen_lengths": chosen, "rejected_lengths": rejected}

    def outputs(self) -> SimpleNamespace:
        zeros = torch.zeros(2 * PAIRS, TOKENS)
        return SimpleNamespace(
            log_probs=self.policy, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool()
        )


@pytest.fixture(scope="module")
def batch() -> Batch:
    return Batch()


def stand_in(**settings: Any) -> MagicMock:
    trainer = MagicMock()
    trainer.accelerator.device = torch.device("cpu")
    trainer.accelerator.gather_for_metrics = lambda x: x
    trainer.accelerator.gather = lambda x: x
    for name, value in settings.items():
        setattr(trainer, name, value)
    return trainer


def trl_dpo(batch: Batch, loss_type: str, **settings: Any) -> float:
    from trl.trainer.dpo_trainer import DPOTrainer

    trainer = stand_in(
        aux_loss_enabled=False,
        ld_alpha=None,
        precompute_ref_logps=True,
        use_weighting=False,
        loss_types=[loss_type],
        loss_weights=[1.0],
        **{
            "beta": 0.3,
            "label_smoothing": 0.0,
            "f_divergence_type": "reverse_kl",
            "f_alpha_divergence_coef": 0.5,
            **settings,
        },
    )
    reference = batch.reference.sum(1)
    inputs = {
        "input_ids": torch.zeros_like(batch.mask),
        "attention_mask": torch.ones_like(batch.mask),
        "completion_mask": batch.mask,
        "ref_chosen_logps": reference[:PAIRS],
        "ref_rejected_logps": reference[PAIRS:],
    }
    loss = DPOTrainer._compute_loss(trainer, lambda **_: batch.outputs(), inputs, False)
    return float(loss)


def close(ours: torch.Tensor, theirs: float) -> None:
    assert ours.mean().item() == pytest.approx(theirs, rel=1e-6)


def test_dpo(batch: Batch) -> None:
    f = losses.margin(*batch.ratios)
    close(losses.logistic_pair_loss(f, scale=0.3), trl_dpo(batch, "sigmoid"))


def test_ipo_averaged_over_tokens(batch: Batch) -> None:
    ours = losses.ipo_loss(*batch.ratios, temperature=0.3, **batch.chosen_and_rejected_lengths)
    close(ours, trl_dpo(batch, "ipo"))


def test_exo_is_the_forward_kl(batch: Batch) -> None:
    target = np.log(0.9 / 0.1)
    f = losses.margin(*batch.ratios)
    ours = losses.forward_kl_pair_loss(f, target=target, scale=0.3)
    close(ours, trl_dpo(batch, "exo_pair", label_smoothing=0.1))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("reverse_kl", "reverse-kl"),
        ("forward_kl", "forward-kl"),
        ("js_divergence", "jensen-shannon"),
        ("alpha_divergence", "alpha"),
    ],
)
def test_f_dpo(batch: Batch, theirs: str, ours: Any) -> None:
    """TRL's order a of the alpha divergence is 1 - alpha of the f-DPO paper."""
    found = losses.f_dpo_loss(*batch.ratios, scale=0.3, divergence=ours, alpha=0.7)
    single = Batch()
    single.policy, single.reference = batch.policy.float(), batch.reference.float()
    close(
        found,
        trl_dpo(single, "sigmoid", f_divergence_type=theirs, f_alpha_divergence_coef=0.3),
    )


def test_mio_is_ncas_pair_loss_at_temperature_one(batch: Batch) -> None:
    close(losses.mio_loss(*batch.ratios), trl_dpo(batch, "nca_pair", beta=1.0))


def test_sppo_with_hard_win_rates(batch: Batch) -> None:
    chosen, rejected = batch.ratios
    step = 1 / 0.3
    ours = losses.sppo_pointwise_loss(chosen, step_size=step, win_rate=1.0)
    ours = ours + losses.sppo_pointwise_loss(rejected, step_size=step, win_rate=0.0)
    close(ours, trl_dpo(batch, "sppo_hard"))


def test_kto(batch: Batch) -> None:
    from trl.trainer.kto_trainer import KTOTrainer

    desirable = torch.tensor([True, False, True] * (2 * PAIRS // 3))
    shifted = torch.roll(batch.policy.sum(1), 1), torch.roll(batch.reference.sum(1), 1) - 4.0
    trainer = stand_in(
        aux_loss_enabled=False,
        precompute_ref_logps=True,
        calculate_KL=True,
        loss_type="kto",
        beta=0.3,
        desirable_weight=1.2,
        undesirable_weight=0.7,
    )
    trainer._compute_kl_logps.return_value = shifted[0]
    inputs = {
        "input_ids": torch.zeros_like(batch.mask),
        "attention_mask": torch.ones_like(batch.mask),
        "completion_mask": batch.mask,
        "label": desirable,
        "ref_logps": batch.reference.sum(1),
        "ref_KL_logps": shifted[1],
    }
    theirs = KTOTrainer._compute_loss(trainer, lambda **_: batch.outputs(), inputs, False)
    z_ref = losses.kto_reference_point(losses.log_ratio(*shifted))
    assert z_ref > 0
    ours = losses.kto_loss(
        losses.log_ratio(batch.policy.sum(1), batch.reference.sum(1)),
        desirable=desirable,
        scale=0.3,
        z_ref=z_ref,
        desirable_weight=1.2,
        undesirable_weight=0.7,
    )
    close(ours, float(theirs))


@pytest.mark.parametrize("loss_type", ["sigmoid", "simpo"])
def test_cpo_and_simpo(batch: Batch, loss_type: str) -> None:
    from trl.experimental.cpo import CPOTrainer

    chosen, rejected = batch.policy.sum(1).chunk(2)
    lengths = batch.chosen_and_rejected_lengths
    trainer = stand_in(
        alpha=0.0, beta=2.0, label_smoothing=0.0, loss_type=loss_type, simpo_gamma=0.8
    )
    if loss_type == "simpo":
        theirs, _, _ = CPOTrainer.cpo_loss(
            trainer, chosen / lengths["chosen_lengths"], rejected / lengths["rejected_lengths"]
        )
        ours = losses.simpo_loss(chosen, rejected, scale=2.0, target_margin=0.8, **lengths)
    else:
        theirs, _, _ = CPOTrainer.cpo_loss(trainer, chosen, rejected)
        theirs = theirs - 0.5 * chosen  # TRL adds the likelihood, weighted, outside the method
        ours = losses.cpo_loss(chosen, rejected, scale=2.0, likelihood_weight=0.5)
    torch.testing.assert_close(ours, theirs)


def test_slic_hf_is_the_hinge_loss(batch: Batch) -> None:
    from trl.experimental.cpo import CPOTrainer

    chosen, rejected = batch.policy.sum(1).chunk(2)
    trainer = stand_in(alpha=0.0, beta=1.0, label_smoothing=0.0, loss_type="hinge")
    theirs, _, _ = CPOTrainer.cpo_loss(trainer, chosen, rejected)
    ours = losses.slic_hf_loss(chosen, rejected, target_margin=1.0, likelihood_weight=0.3)
    torch.testing.assert_close(ours, theirs - 0.3 * chosen)


def test_orpo(batch: Batch) -> None:
    from trl.experimental.orpo import ORPOTrainer

    chosen, rejected = batch.policy.sum(1).chunk(2)
    lengths = batch.chosen_and_rejected_lengths
    average = chosen / lengths["chosen_lengths"], rejected / lengths["rejected_lengths"]
    bonus, *_ = ORPOTrainer.odds_ratio_loss(stand_in(beta=0.25), *average)
    ours = losses.orpo_loss(chosen, rejected, odds_weight=0.25, **lengths)
    torch.testing.assert_close(ours.float(), (-average[0] - bonus).float())
