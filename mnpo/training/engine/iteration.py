"""The gradient steps of one iteration, from examples to a trained policy."""

import gc
import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from transformers import TrainerCallback, TrainingArguments

from mnpo.errors import InvalidSetting
from mnpo.runs.files import digest
from mnpo.training.engine.batches import Step, idle_processes, plan_batches
from mnpo.training.engine.checkpoints import find_checkpoint
from mnpo.training.engine.failures import full_disk, out_of_memory
from mnpo.training.engine.modes import (
    gradient_checkpointing,
    keep_master_weights,
    no_progress_bars,
    without_dropout,
)
from mnpo.training.engine.schedule import rate_factor
from mnpo.training.engine.trainer import GroupTrainer
from mnpo.training.examples import Example, Objective, digest_examples
from mnpo.training.logprobs.forward import enable_completion_scoring
from mnpo.training.logprobs.packing import packed_tokens
from mnpo.training.recipe import ModelSettings, OptimizerSettings

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """What an iteration's training came to, interruptions counted in.

    Attributes:
        steps: optimizer steps.
        tokens: tokens of all groups trained on, prompts counted once a group.
        seconds: of all steps, saving left out.
        metrics: the last step's record of the log, see `train`.
        weights: where FSDP or DeepSpeed share the parameters out, all of them, gathered in the
            first process (empty in the others); None where the model holds them itself.
    """

    steps: int
    tokens: int
    seconds: float
    metrics: dict[str, float]
    weights: dict[str, Tensor] | None = field(default=None, repr=False, compare=False)

    def describe(self) -> dict[str, Any]:
        """JSON-ready, without the weights."""
        return {
            "steps": self.steps,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "metrics": self.metrics,
        }


def train(
    model: nn.Module,
    tokenizer_pad_id: int,
    examples: Sequence[Example],
    objective: Objective,
    *,
    optimizer: OptimizerSettings,
    model_settings: ModelSettings,
    epochs: int,
    seed: int,
    work_dir: Path,
    report_to: Sequence[str] = (),
    callbacks: Sequence[TrainerCallback] = (),
) -> TrainResult:
    """Train a policy in place on one iteration's groups.

    Adam's moments start from zero. Dropout is off while training, since the log-ratio is one of
    two policies and not of two random thinnings of them. With bfloat16 the weights that are
    trained are kept in float32 (and left so) and arithmetic runs under autocast.

    ``work_dir`` keeps ``checkpoint-N`` folders and ``log.jsonl``, a record a step: loss,
    grad_norm (before clipping), learning_rate, the measures of
    `mnpo.training.engine.measures.measure`, seconds. Called again with the same arguments it goes
    on from the newest intact checkpoint; on a CPU the weights come out bit-identical to those of
    an uninterrupted run. The way the work is split (processes, micro_batch_tokens,
    gradient_checkpointing, save_steps) may change between calls.

    Under ``accelerate launch`` every process calls this with the same arguments.

    Args:
        model: a transformers causal language model, or peft's wrapper of one.
        tokenizer_pad_id: the token that fills up rows.
        examples: the groups.
        objective: the loss of each group.
        optimizer: settings.
        model_settings: precision and gradient checkpointing are read.
        epochs: passes over the groups.
        seed: of the shuffles.
        work_dir: folder of checkpoints and log, created if need be.
        report_to: trackers: tensorboard, wandb, trackio.
        callbacks: of transformers, called as in any Trainer.

    Raises:
        UserError: the loss is not finite; memory or disk ran out; ``work_dir`` belongs to other
            training; there is nothing to train on; a group is malformed.
    """
    if model_settings.lora is not None and model_settings.lora.dropout > 0:
        raise InvalidSetting(
            "model.lora.dropout must be 0: preferences are trained without dropout, or the "
            "log-ratio to the anchors would be noise"
        )
    counts = [packed_tokens((e.prompt_ids, e.response_ids)) for e in examples]
    steps_per_epoch = math.ceil(len(examples) / optimizer.batch_size)
    args = _arguments(
        steps_per_epoch * epochs, optimizer, model_settings, seed, work_dir, report_to
    )
    plan = plan_batches(
        counts,
        batch_size=optimizer.batch_size,
        micro_batch_tokens=optimizer.micro_batch_tokens,
        epochs=epochs,
        seed=seed,
        world_size=args.world_size,
    )
    idle = idle_processes(plan)
    if idle and args.process_index == 0:
        _logger.warning(
            "%d of %d processes have no share in some steps, which fit into fewer passes; lower "
            "optimizer.micro_batch_tokens to use them",
            idle,
            args.world_size,
        )
    keep_master_weights(model, model_settings.precision)
    enable_completion_scoring(model)
    key = _key(examples, objective, plan, optimizer, model_settings)
    with (
        full_disk(work_dir),
        out_of_memory(optimizer.micro_batch_tokens),
        no_progress_bars(),
        without_dropout(model),
        gradient_checkpointing(model, model_settings.gradient_checkpointing),
    ):
        work_dir.mkdir(parents=True, exist_ok=True)
        trainer = GroupTrainer(
            model,
            args,
            examples=examples,
            plan=plan,
            objective=objective,
            pad_id=tokenizer_pad_id,
            key=key,
            rate_factor=partial(
                rate_factor,
                schedule=optimizer.schedule,
                warmup_steps=math.ceil(optimizer.warmup_ratio * len(plan)),
            ),
        )
        for callback in callbacks:
            trainer.add_callback(callback)
        checkpoint = _checkpoint(work_dir, key, args)
        if args.process_index == 0:
            trainer.restart_log(_history(checkpoint))
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    weights = _gathered(trainer)
    # Autocast, which accelerate puts around the forward, would otherwise stay there.
    trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    records = [record for record in trainer.state.log_history if "loss" in record]
    del trainer
    gc.collect()  # it holds Adam's moments and is part of a circle
    return TrainResult(
        steps=len(records),
        tokens=int(sum(record["tokens"] for record in records)),
        seconds=float(sum(record["seconds"] for record in records)),
        metrics=dict(records[-1]),
        weights=weights,
    )


def _gathered(trainer: GroupTrainer) -> dict[str, Tensor] | None:
    """All weights in the first process, where processes hold parts of them; all take part."""
    if not (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
        return None
    whole = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return dict(whole) if whole and trainer.accelerator.is_main_process else {}


def _arguments(
    steps: int,
    optimizer: OptimizerSettings,
    model_settings: ModelSettings,
    seed: int,
    work_dir: Path,
    report_to: Sequence[str],
) -> TrainingArguments:
    """Our settings in transformers' words; one of its epochs is a whole iteration."""
    args = TrainingArguments(
        output_dir=str(work_dir),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        num_train_epochs=1,
        learning_rate=optimizer.learning_rate,
        weight_decay=optimizer.weight_decay,
        adam_beta1=optimizer.beta1,
        adam_beta2=optimizer.beta2,
        adam_epsilon=optimizer.epsilon,
        max_grad_norm=optimizer.max_grad_norm,
        optim="adamw_torch_fused",
        use_cpu=not torch.accelerator.is_available(),
        bf16=model_settings.precision == "bfloat16",
        seed=seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=optimizer.save_steps or max(steps, 1),
        report_to=list(report_to) or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
    )
    # A process that sees several GPUs and was not launched as one of several uses the first:
    # transformers would otherwise copy the model to all of them in each pass (DataParallel).
    if args.n_gpu > 1:
        args._n_gpu = 1
    return args


def _key(
    examples: Sequence[Example],
    objective: Objective,
    plan: Sequence[Step],
    optimizer: OptimizerSettings,
    model_settings: ModelSettings,
) -> str:
    """Hash of everything that decides on the result beyond rounding, the model apart."""
    settings = optimizer.model_dump(mode="json")
    for splitting in ("micro_batch_tokens", "save_steps"):
        settings.pop(splitting)
    return digest(
        {
            "examples": digest_examples(examples),
            "steps": [step.groups for step in plan],
            "objective": _name(objective),
            "optimizer": settings,
            "precision": model_settings.precision,
        }
    )


def _name(objective: Objective) -> str:
    """A value's repr, which is the same tomorrow; a function's has its address in it."""
    if hasattr(objective, "__qualname__"):
        return f"{objective.__module__}.{objective.__qualname__}"
    return repr(objective)


def _checkpoint(work_dir: Path, key: str, args: TrainingArguments) -> Path | None:
    """Where to go on from; the first process looks, the others are told."""
    found: list[Any] = [None]
    if args.process_index == 0:
        found = [find_checkpoint(work_dir, key)]
    if args.world_size > 1:
        found = broadcast_object_list(found)
    checkpoint: Path | None = found[0]
    return checkpoint


def _history(checkpoint: Path | None) -> list[dict[str, Any]]:
    """The log's records up to a checkpoint, which carries them itself."""
    if checkpoint is None:
        return []
    state = json.loads((checkpoint / "trainer_state.json").read_text())
    history: list[dict[str, Any]] = state["log_history"]
    return history
