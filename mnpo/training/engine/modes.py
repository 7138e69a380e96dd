"""How a model has to be while it is trained, and the way back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers.utils import logging as transformers_logging

from mnpo.training.logprobs.forward import causal_lm

_HALF = (torch.float16, torch.bfloat16)


def keep_master_weights(model: nn.Module, precision: str) -> None:
    """Weights that are trained are float32 at least; in float32 runs, all of them."""
    for parameter in model.parameters():
        if parameter.dtype in _HALF and (parameter.requires_grad or precision == "float32"):
            parameter.data = parameter.data.float()


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Every dropout probability at 0, whether of a module or a number that a layer keeps.

    Evaluation mode would do that too, and turn gradient checkpointing off.
    """
    kept: list[tuple[nn.Module, str, float]] = []
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            kept.append((module, "p", module.p))
        for name, value in vars(module).items():
            if "drop" in name and isinstance(value, float):
                kept.append((module, name, value))
    for module, name, _ in kept:
        setattr(module, name, 0.0)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


@contextmanager
def gradient_checkpointing(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Activations recomputed in the backward pass, if wanted, for a while.

    Set on the model and not through TrainingArguments. transformers is changing its name for it.
    """
    if not wanted:
        yield
        return
    base: Any = causal_lm(model)
    name = "activation" if hasattr(base, "activation_checkpointing_enable") else "gradient"
    getattr(base, f"{name}_checkpointing_enable")({"use_reentrant": False})
    try:
        yield
    finally:
        getattr(base, f"{name}_checkpointing_disable")()


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Saving a checkpoint is no news."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
