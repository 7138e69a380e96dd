"""The same steps as TRL's trainer, on the same batches: losses, gradients and weights.

TRL gets one pair a prompt, in the order of our plan, and computes its own reference log-probs;
ours are the same model's, by a plain forward of each sequence.
"""

import copy
import json
import math
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from mnpo.training.engine import pair_loss_objective, plan_batches
from mnpo.training.engine.collate import collate
from mnpo.training.examples import Example

trl = pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore")

STEPS, BATCH, BETA = 20, 4, 0.3
#: TRL computes logits in float32 whatever the weights. Adam divides what rounding leaves of a zero
#: gradient by itself; a small rate and a larger epsilon keep that below what is asserted.
RATE, EPSILON = 3e-4, 1e-5


def tokenizer() -> Any:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(64)}, unk_token="w0"))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="w0", eos_token="w1")


class FirstGradient(TrainerCallback):
    """What the first step's optimizer is given: clipped to norm 1, in both trainers."""

    gradients: list[torch.Tensor] | None = None

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, model: Any, **_: Any
    ) -> None:
        if self.gradients is None:
            self.gradients = [p.grad.detach().clone() for p in model.parameters()]


def train_with_trl(model: Any, rows: list[dict[str, Any]], folder: Path, **settings: Any) -> Any:
    from datasets import Dataset
    from torch.utils.data import SequentialSampler

    class Tokenised(trl.DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

        def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
            return SequentialSampler(self.train_dataset)

    trainer = Tokenised(
        model=model,
        ref_model=copy.deepcopy(model),
        args=trl.DPOConfig(
            output_dir=str(folder),
            per_device_train_batch_size=BATCH,
            num_train_epochs=1,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            beta=BETA,
            bf16=False,
            gradient_checkpointing=False,
            max_length=None,
            adam_epsilon=EPSILON,
            max_grad_norm=1.0,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **settings,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer(),
    )
    watch = FirstGradient()
    trainer.add_callback(watch)
    trainer.train()
    return trainer, watch.gradients


def pairs_under(lab: Any, model: Any) -> list[Example]:
    def scored(e: Example) -> Example:
        anchors = np.array([lab.log_probs(model, e.prompt_ids, ids) for ids in e.response_ids])
        return Example(e.prompt_ids, e.response_ids, anchors, e.weights, e.preferences)

    return [scored(e) for e in lab.as_pairs(lab.random_examples(STEPS * BATCH))]


@pytest.mark.parametrize(
    ("theirs", "name", "settings", "factor"),
    [
        ({"loss_type": "sigmoid"}, "dpo", {"scale": BETA}, 1.0),
        ({"loss_type": "ipo"}, "ipo", {"temperature": BETA, "per_token": True}, 1.0),
        # TRL adds the two responses' losses, ours is their mean. The slope of a square is 3 here:
        # what float32 rounds off log-probs of -20 shows more than in the logistic losses.
        ({"loss_type": "sppo_hard"}, "sppo", {"step_size": 1 / BETA}, 2.0),
        (
            {"loss_type": "exo_pair", "label_smoothing": 0.1},
            "rpo-forward-kl",
            {"scale": BETA, "target": math.log(9.0)},
            1.0,
        ),
        (
            {"loss_type": "sigmoid", "f_divergence_type": "js_divergence"},
            "f-dpo",
            {"scale": BETA, "divergence": "jensen-shannon"},
            1.0,
        ),
    ],
)
def test_twenty_steps(
    lab: Any,
    tmp_path: Path,
    theirs: dict[str, Any],
    name: str,
    settings: dict[str, Any],
    factor: float,
) -> None:
    start = lab.tiny_llama().double()
    ours, peer = copy.deepcopy(start), copy.deepcopy(start)
    examples = pairs_under(lab, start)
    plan = plan_batches(
        [1] * len(examples), batch_size=BATCH, micro_batch_tokens=1, epochs=1, seed=0
    )
    rows = [
        {
            "prompt_ids": list(examples[i].prompt_ids),
            "chosen_ids": list(examples[i].response_ids[0]),
            "rejected_ids": list(examples[i].response_ids[1]),
        }
        for step in plan
        for i in step.groups
    ]
    their_run, their_gradient = train_with_trl(peer, rows, tmp_path / "trl", **theirs)
    objective = pair_loss_objective(name, settings)
    watch = FirstGradient()
    our_run = lab.run(
        ours,
        examples,
        lambda f, batch: factor * objective(f, batch),
        tmp_path / "ours",
        callbacks=[watch],
        schedule="constant",
        warmup_ratio=0.0,
        max_grad_norm=1.0,
        epsilon=EPSILON,
        learning_rate=RATE,
        batch_size=BATCH,
    )
    assert our_run.steps == STEPS
    assert lab.distance(ours, start) > 1e-3
    assert lab.distance(ours, peer) < 1e-6
    assert watch.gradients is not None
    for found, expected in zip(watch.gradients, their_gradient, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    curve = [json.loads(line) for line in (tmp_path / "ours" / "log.jsonl").open()]
    their_curve = [r for r in their_run.state.log_history if "loss" in r]
    assert len(curve) == len(their_curve) == STEPS
    for key in ("loss", "grad_norm"):
        expected = [record[key] for record in their_curve]
        close = pytest.approx(expected, rel=2e-6 if name == "sppo" else 1e-6, abs=1e-6)
        assert [record[key] for record in curve] == close


def test_simpo_is_the_loss_of_their_cpo_trainer(lab: Any) -> None:
    """Its formula alone: the trainer around it is experimental and wants raw text."""
    from trl.experimental.cpo import CPOTrainer

    examples = lab.as_pairs(lab.random_examples(12))
    batch = collate(examples, like=torch.zeros((), dtype=torch.float64))
    mine, theirs = (batch.anchor_log_probs.clone().requires_grad_() for _ in range(2))
    own = types.SimpleNamespace(
        loss_type="simpo", alpha=0.0, beta=2.0, simpo_gamma=0.7, label_smoothing=0.0,
        accelerator=types.SimpleNamespace(device="cpu"),
    )  # fmt: skip
    expected, *_ = CPOTrainer.cpo_loss(own, *(theirs / batch.lengths).unbind(-1))
    found = pair_loss_objective("simpo", {"scale": 2.0, "target_margin": 0.7})(mine, batch)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    found.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-12, atol=0)
