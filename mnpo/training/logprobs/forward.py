"""A second way through a causal language model's forward: to log-probs instead of logits.

The patch sits on the model itself, below whatever wraps it later, so that data-parallel hooks,
adapters and mixed precision see an ordinary call of the model.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from transformers import PreTrainedModel

from mnpo.errors import InvalidSetting
from mnpo.training.logprobs.attention import config_entry, require_packable
from mnpo.training.logprobs.head import Logits, linear_log_probs

#: What DistributedDataParallel and DeepSpeed, torch.compile and FSDP call the model they wrap.
_WRAPPED = ("module", "_orig_mod", "_fsdp_wrapped_module")
#: Where the forward that was there before is kept.
_LOGITS = "forward_to_logits"


def enable_completion_scoring(model: nn.Module) -> None:
    """Let the model's forward take ``completion_positions`` and ``completion_targets``.

    With them it returns (N,) log-probs, without them what it always did. Saving and generating
    are untouched. Call it before the model is wrapped for distributed training; calling it again
    changes nothing.

    Args:
        model: a transformers causal language model, or peft's wrapper of one.

    Raises:
        InvalidSetting: its layers or its head are of a kind this package does not understand.
    """
    base = causal_lm(model)
    if is_enabled(base):
        return
    if isinstance(model, PeftModel) and model.active_peft_config.is_prompt_learning:
        raise InvalidSetting("prompt tuning cannot share a prompt's forward; use a LoRA adapter")
    require_packable(base)
    if "position_ids" not in inspect.signature(_decoder(base).forward).parameters:
        raise InvalidSetting(
            f"{type(base).__name__} takes no position_ids, so responses cannot share a prompt; "
            "take a model with rotary or learned positions"
        )
    _require_known_head(base)

    def forward(
        self: PreTrainedModel,
        *args: Any,
        completion_positions: Tensor | None = None,
        completion_targets: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        if completion_positions is None or completion_targets is None:
            return self.__dict__[_LOGITS](*args, **kwargs)
        return _log_probs(self, completion_positions, completion_targets, *args, **kwargs)

    # transformers reads the names of forward's arguments, e.g. before generating.
    forward.__signature__ = inspect.signature(type(base).forward)  # type: ignore[attr-defined]
    setattr(base, _LOGITS, base.forward)
    base.forward = MethodType(forward, base)
    head: Any = _head(base)
    head.forward = MethodType(_head_forward, head)


def causal_lm(model: nn.Module) -> PreTrainedModel:
    """The transformers model inside adapters and distributed wrappers.

    Raises:
        InvalidSetting: there is none.
    """
    inner: Any = model
    while not isinstance(inner, PreTrainedModel):
        if isinstance(inner, PeftModel):
            inner = inner.get_base_model()
            continue
        wrapped = next((name for name in _WRAPPED if name in inner._modules), None)
        if wrapped is None:
            raise InvalidSetting(f"{type(inner).__name__} is not a transformers language model")
        inner = inner._modules[wrapped]
    return inner


def is_enabled(model: nn.Module) -> bool:
    """Whether `enable_completion_scoring` has seen the model."""
    return _LOGITS in causal_lm(model).__dict__


def _log_probs(
    model: PreTrainedModel, positions: Tensor, targets: Tensor, *args: Any, **kwargs: Any
) -> Tensor:
    given = {key: value for key, value in kwargs.items() if value is not None}
    hidden = _decoder(model)(*args, **given).last_hidden_state
    log_probs: Tensor = _head(model)(hidden.flatten(0, 1)[positions], targets, _logits(model))
    return log_probs


def _head_forward(
    self: nn.Linear, hidden: Tensor, targets: Tensor | None = None, transform: Logits | None = None
) -> Tensor:
    """A linear layer's forward, or with targets the log-probs.

    They are computed in here since FSDP2 and DeepSpeed ZeRO-3 share a module's weight out: it is
    whole only between the hooks around this call, and again around its backward pass.
    """
    if targets is None:
        return nn.Linear.forward(self, hidden)
    return linear_log_probs(
        hidden, self.weight, self.bias, targets, transform=transform or Logits()
    )


def _decoder(model: PreTrainedModel) -> nn.Module:
    decoder: nn.Module = model.get_decoder()  # type: ignore[no-untyped-call]
    return decoder


def _head(model: PreTrainedModel) -> nn.Linear:
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    # FSDP2 gives a module whose weight it shares out a class of its own.
    known = type(head) is nn.Linear or isinstance(head, FSDPModule)
    if known and isinstance(head, nn.Linear) and head.weight.is_floating_point():
        return head
    raise InvalidSetting(
        f"the head of {type(model).__name__} is a {type(head).__name__}, not a plain linear "
        "layer; leave it out of the adapter and out of quantisation"
    )


def _logits(model: PreTrainedModel) -> Logits:
    config = model.config.get_text_config()
    return Logits(
        scale=(config_entry(config, "logit_scale") or 1.0)
        / (config_entry(config, "logits_scaling") or 1.0),
        softcap=config_entry(config, "final_logit_softcapping"),
    )


@torch.no_grad()
def _require_known_head(model: PreTrainedModel) -> None:
    """Compare with the model's own logits, at hidden states large enough to show any cap."""
    head, decoder, transform = _head(model), _decoder(model), _logits(model)
    weight = head.weight
    if weight.device.type == "meta":  # weights that are not there cannot be tried
        return
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(1, 1, weight.shape[1], generator=generator).to(weight)
    raw = nn.functional.linear(hidden, weight)
    hidden = hidden * (40 / raw.abs().max().clamp_min(torch.finfo(raw.dtype).tiny))

    with _decoder_gives(decoder, hidden):
        ids = torch.zeros(1, 1, dtype=torch.long, device=model.device)
        theirs = model(input_ids=ids, use_cache=False).logits.flatten().double()
    ours = transform(nn.functional.linear(hidden, weight, head.bias).double()).flatten()
    if not torch.allclose(ours, theirs, rtol=0.02, atol=0.02 * float(ours.abs().max())):
        raise InvalidSetting(
            f"{type(model).__name__} turns hidden states into logits in a way this package does "
            "not know; take a model with a plain, scaled or soft-capped linear head"
        )


class _Output:
    """A decoder's output with nothing but hidden states."""

    def __init__(self, hidden: Tensor) -> None:
        self.last_hidden_state = hidden

    def __getattr__(self, name: str) -> None:
        return None

    def __getitem__(self, index: int) -> Tensor:
        return (self.last_hidden_state,)[index]


@contextmanager
def _decoder_gives(decoder: nn.Module, hidden: Tensor) -> Iterator[None]:
    """Let the head be tried alone: the layers do not run."""
    own = decoder.__dict__.get("forward")
    decoder.forward = lambda *args, **kwargs: _Output(hidden)
    try:
        yield
    finally:
        del decoder.forward
        if own is not None:
            decoder.forward = own
