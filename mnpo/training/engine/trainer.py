"""A transformers Trainer whose batches are groups of responses.

transformers accumulates gradients over a fixed number of equal batches a step. Groups differ in
length and in number, and the mean has to be over the groups of the whole step, on every process.
So one "batch" of the Trainer is here one optimizer step, cut into micro-batches by the plan, and
`GroupTrainer.training_step` loops over them itself: gradients are exchanged in the last one only.
Everything around that (wrapping for DDP, FSDP or DeepSpeed, mixed precision, clipping, optimizer,
schedule, checkpoints, trackers) is the Trainer's own.
"""

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import DistributedType
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset
from transformers import PrinterCallback, Trainer, TrainingArguments

from mnpo.errors import DamagedRun, UserError
from mnpo.runs.files import write_atomically
from mnpo.training.engine.batches import MicroBatch, Step
from mnpo.training.engine.checkpoints import (
    checkpoint_path,
    discard_checkpoint,
    seal_checkpoint,
)
from mnpo.training.engine.collate import collate
from mnpo.training.engine.failures import full_disk
from mnpo.training.engine.measures import MEASURES, measure
from mnpo.training.examples import Example, Objective
from mnpo.training.logprobs.attention import row_multiple
from mnpo.training.logprobs.forward import causal_lm
from mnpo.training.logprobs.packing import pack
from mnpo.training.logprobs.scoring import completion_log_probs

#: File of the training curve: a line of JSON for each step.
LOG = "log.jsonl"
#: The file of an adapter's weights, and what stands before their names in it.
_ADAPTER = "adapter_model.safetensors"
_PEFT_PREFIX = "base_model.model."


@dataclass(frozen=True)
class StepShare:
    """What one process computes of a step.

    Attributes:
        size: groups of the step, over all processes.
        micro_batches: of this process.
    """

    size: int
    micro_batches: tuple[MicroBatch, ...]


class StepDataset(Dataset[StepShare]):
    """A plan's steps as one process sees them, those of all epochs in a row."""

    def __init__(self, plan: Sequence[Step], rank: int) -> None:
        self._shares = [StepShare(step.size, step.micro_batches[rank]) for step in plan]

    def __len__(self) -> int:
        """Steps of the iteration."""
        return len(self._shares)

    def __getitem__(self, index: int) -> StepShare:
        """One step."""
        return self._shares[index]


class GroupTrainer(Trainer):
    """Trains on groups of responses; the loss of a step is the mean over its groups.

    Args:
        model: one that `enable_completion_scoring` has seen.
        args: with a batch size of 1 and no gradient accumulation, which is the plan's business.
        examples: what the plan's indices mean.
        plan: the steps.
        objective: loss of each group.
        pad_id: the token that fills up rows.
        key: names plan and data; goes into the seal of every checkpoint.
        rate_factor: learning rate of a step as a share of its peak, from the step and their
            number.
    """

    def __init__(
        self,
        model: nn.Module,
        args: TrainingArguments,
        *,
        examples: Sequence[Example],
        plan: Sequence[Step],
        objective: Objective,
        pad_id: int,
        key: str,
        rate_factor: Callable[[int, int], float],
    ) -> None:
        self._steps = StepDataset(plan, args.process_index)
        super().__init__(model=model, args=args, train_dataset=self._steps)
        self.remove_callback(PrinterCallback)
        if self.accelerator.is_fsdp2:  # see compute_loss_context_manager
            self.accelerator.state.fsdp_plugin.mixed_precision_policy = None
        self._examples = examples
        self._objective = objective
        self._pad_id = pad_id
        self._key = key
        self._rate_factor = rate_factor
        self._row_multiple = row_multiple(causal_lm(model))
        self._began = 0.0
        self._measures: dict[str, float] = {}

    def get_train_dataloader(self) -> DataLoader[StepShare]:
        """One step at a time, not sharded by accelerate: the plan has done that."""
        return DataLoader(self._steps, batch_size=1, collate_fn=_only)

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> LambdaLR:
        """The schedule that the trainer was given, over the steps of the iteration."""
        if self.lr_scheduler is None:
            optimizer = self.optimizer if optimizer is None else optimizer
            assert optimizer is not None  # the Trainer makes it first
            self.lr_scheduler = LambdaLR(
                optimizer,
                lambda step: self._rate_factor(step, num_training_steps),
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def get_batch_samples(
        self, epoch_iterator: Iterator[StepShare], num_batches: int, device: torch.device
    ) -> tuple[list[StepShare], None]:
        """One step; there are no label tokens for transformers to count in it."""
        return list(itertools.islice(epoch_iterator, num_batches)), None

    def compute_loss_context_manager(self) -> contextlib.ExitStack:
        """Autocast in bfloat16 runs, on FSDP2 too.

        There accelerate would have every module take, keep and return bfloat16, log-probs among
        it. Anchors are scored under autocast, and other rounding would make a policy differ from
        itself; so modules are gathered in float32, as in every other way of distributing.
        """
        stack = super().compute_loss_context_manager()
        if self.accelerator.is_fsdp2 and self.args.bf16:
            stack.enter_context(torch.autocast(self.args.device.type, torch.bfloat16))
        return stack

    def training_step(  # type: ignore[override]
        self, model: nn.Module, inputs: StepShare, num_items_in_batch: Any = None
    ) -> Tensor:
        """Gradients of this process's share of a step.

        Returns:
            () its contribution to the step's loss times the number of processes, whose mean over
            the processes is the loss.
        """
        self._began = time.perf_counter()
        model.train()
        total = torch.zeros((), device=self.args.device)
        measures = torch.zeros(len(MEASURES), device=self.args.device)
        last = len(inputs.micro_batches) - 1
        for index, micro_batch in enumerate(inputs.micro_batches):
            # What accelerate's wrappers ask: is this the backward pass that completes a step?
            self.accelerator.gradient_state._set_sync_gradients(index == last)
            with self._exchange(model, at_once=index == last):
                with self.compute_loss_context_manager():
                    loss, found = self._loss_and_measures(model, micro_batch, inputs.size)
                self.accelerator.backward(loss)
            total += loss.detach()
            measures += found
        measures = self.accelerator.reduce(measures, reduction="sum")
        self._measures = {
            name: value if name == "tokens" else value / inputs.size
            for name, value in zip(MEASURES, measures.tolist(), strict=True)
        }
        return total

    def floating_point_ops(  # type: ignore[override]
        self, inputs: StepShare
    ) -> int:
        """Left out: transformers' estimate knows no shared prompts."""
        return 0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the step's measures and append the record to the log file.

        Raises:
            UserError: the gradient is not finite. The step is not saved.
        """
        if "loss" not in logs:  # the summary at the end
            super().log(logs, start_time)
            return
        if not torch.tensor([logs["loss"], logs["grad_norm"]]).isfinite().all():
            raise _diverged(self.state.global_step, "the loss or its gradient")
        seconds = time.perf_counter() - self._began
        record = {**logs, **self._measures, "seconds": round(seconds, 4)}
        super().log(record, start_time)
        if self.is_world_process_zero():
            with self.log_path.open("a") as file:
                file.write(json.dumps(self.state.log_history[-1], sort_keys=True) + "\n")

    @property
    def log_path(self) -> Path:
        """The training curve's file."""
        return self._folder / LOG

    @property
    def _folder(self) -> Path:
        return Path(str(self.args.output_dir))

    def restart_log(self, records: Sequence[dict[str, Any]]) -> None:
        """Make the log file what it was after so many records."""
        lines = [
            json.dumps(record, sort_keys=True) + "\n" for record in records if "loss" in record
        ]
        write_atomically(self.log_path, "".join(lines))

    def _loss_and_measures(
        self, model: nn.Module, micro_batch: MicroBatch, size: int
    ) -> tuple[Tensor, Tensor]:
        """The micro-batch's part of the step's mean loss times the processes; its measures."""
        examples = [self._examples[i] for i in micro_batch.groups]
        packed = pack(
            [(example.prompt_ids, example.response_ids) for example in examples],
            pad_to_multiple=self._row_multiple,
            pad_id=self._pad_id,
        ).to(self.args.device)
        log_probs = completion_log_probs(model, packed)
        if not log_probs.detach().isfinite().all():
            raise _diverged(self.state.global_step + 1, "a log-probability of the policy")
        batch = collate(examples, like=log_probs)
        # Gradients are averaged over the processes; the loss is to be summed over them.
        share = self.args.world_size / size if micro_batch.counts else 0.0
        loss = self._objective(log_probs, batch).sum() * share
        tokens = sum(example.tokens for example in examples)
        found = measure(log_probs.detach(), batch, tokens) * float(micro_batch.counts)
        return loss, found

    def _exchange(
        self, model: nn.Module, *, at_once: bool
    ) -> contextlib.AbstractContextManager[None]:
        """Put the exchange of gradients off, where the way of distributing allows it."""
        always = self.accelerator.gradient_state.plugin_kwargs.get("sync_each_batch", False)
        deepspeed = self.accelerator.distributed_type == DistributedType.DEEPSPEED
        if at_once or always or deepspeed:
            return contextlib.nullcontext()
        context: contextlib.AbstractContextManager[None] = self.accelerator.no_sync(model)
        return context

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        """Weights of a checkpoint; those of an adapter too, where peft's wrapper is not around.

        The Trainer saves the adapter that `add_adapter` gave a model, and does not load it back.
        With FSDP it saves and loads the whole model.
        """
        saved = Path(resume_from_checkpoint) / _ADAPTER
        if self.is_fsdp_enabled or isinstance(self.model, PeftModel) or not saved.is_file():
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        assert self.model is not None
        adapted = causal_lm(self.model)
        untyped: Any = adapted
        (name,) = untyped.active_adapters()
        weights = load_file(saved)
        own = {key.removeprefix(_PEFT_PREFIX): value for key, value in weights.items()}
        expected = get_peft_model_state_dict(adapted, adapter_name=name).keys()
        if own.keys() != expected:  # peft loads what it knows, and keeps silent about the rest
            raise DamagedRun(f"{saved}: holds the weights of another adapter; delete its folder")
        set_peft_model_state_dict(adapted, own, adapter_name=name)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Save as the Trainer does, then seal.

        Raises:
            UserError: the disk is full. Older checkpoints are left as they are.
        """
        checkpoint = checkpoint_path(self._folder, self.state.global_step)
        try:
            with full_disk(checkpoint):
                super()._save_checkpoint(model, trial)
                self.accelerator.wait_for_everyone()
                if self.is_world_process_zero():
                    seal_checkpoint(checkpoint, self._key)
        except UserError:
            discard_checkpoint(checkpoint)
            raise
        self.accelerator.wait_for_everyone()


def _diverged(step: int, what: str) -> UserError:
    return UserError(
        f"step {step}: {what} is NaN or infinite; lower optimizer.learning_rate or "
        "optimizer.max_grad_norm (0 turns clipping off), or the method's step size"
    )


def _only(items: list[StepShare]) -> StepShare:
    (item,) = items
    return item
