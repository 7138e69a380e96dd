"""Who sees whom in a packed row: a response sees its prompt and itself, nothing else.

transformers hands a ready four-dimensional mask, or a flex BlockMask, to the layers as it is, and
where a model's layers differ it takes one mask for each kind of layer.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from transformers import PretrainedConfig, PreTrainedModel

from mnpo.errors import InvalidSetting
from mnpo.training.logprobs.packing import PackedGroups

Mask: TypeAlias = Tensor | BlockMask
_Rule: TypeAlias = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

#: flex works on blocks of this many tokens.
FLEX_BLOCK = 128
_IMPLEMENTATIONS = ("sdpa", "eager", "flex_attention")
_LAYERS = ("full_attention", "sliding_attention")


def require_packable(model: PreTrainedModel) -> None:
    """Refuse a model that would mix up the responses of a packed row.

    Raises:
        InvalidSetting: its layers carry a state along the row, or are of a kind whose mask we do
            not know, or its attention cannot take a mask.
    """
    config, name = model.config, type(model).__name__
    kinds = set(_layer_types(config)) - set(_LAYERS)
    if model._is_stateful or kinds:
        recurrent = model._is_stateful
        what = "recurrent layers" if recurrent else f"layers of kind {', '.join(sorted(kinds))}"
        raise InvalidSetting(
            f"{name} has {what}, in which responses that share a prompt would see each other; "
            "take a model with full or sliding-window attention"
        )
    if not model._supports_attention_backend:
        raise InvalidSetting(
            f"{name} makes masks of its own inside its layers, so responses cannot share a prompt; "
            "take a model on transformers' common attention interface (Llama, Qwen, Gemma, ...)"
        )
    if attention_kind(model) not in _IMPLEMENTATIONS:
        raise InvalidSetting(
            f"attention '{attention_kind(model)}' of {name} takes no mask for a shared prompt; "
            "set model.attention to sdpa, flex or eager"
        )


def attention_kind(model: PreTrainedModel) -> str:
    """The attention implementation that the model's layers run."""
    return str(model.config.get_text_config()._attn_implementation)


def row_multiple(model: PreTrainedModel) -> int:
    """What the length of a row should be a multiple of, for speed."""
    if attention_kind(model) == "flex_attention":
        return FLEX_BLOCK
    return 1 if model.device.type == "cpu" else 8


def attention_mask(packed: PackedGroups, model: PreTrainedModel) -> Mask | dict[str, Mask]:
    """The mask of a packed row in the form that the model's attention takes.

    Args:
        packed: on the device of the model.
        model: decides on the form, and on the sliding window where it has one.

    Returns:
        (1, 1, L, L) booleans for sdpa; zeros and the lowest finite number, to be added to the
        scores, for eager; a BlockMask for flex. A dictionary of those when layers differ.
    """
    config = model.config.get_text_config()
    kinds = sorted(set(_layer_types(config)))
    if "sliding_attention" in kinds:
        return {kind: _mask(packed, model, _window(config, kind)) for kind in kinds}
    if kinds:
        return _mask(packed, model, None)
    return _mask(packed, model, _window(config, "sliding_attention"))


def config_entry(config: PretrainedConfig, key: str) -> Any:
    """An entry that only some families of models have; None says there is no such thing."""
    return getattr(config, key) if hasattr(config, key) else None


def _layer_types(config: PretrainedConfig) -> list[str]:
    return config_entry(config.get_text_config(), "layer_types") or []


def _window(config: PretrainedConfig, kind: str) -> int | None:
    if kind != "sliding_attention":
        return None
    window: int | None = config_entry(config, "sliding_window")
    return window


def _mask(packed: PackedGroups, model: PreTrainedModel, window: int | None) -> Mask:
    rule = _rule(packed, window)
    length, device = packed.input_ids.shape[1], packed.input_ids.device
    kind = attention_kind(model)
    if kind == "flex_attention":
        compiled = device.type == "cuda"  # else all L x L entries are formed on the way
        return create_block_mask(rule, None, None, length, length, device, _compile=compiled)
    index = torch.arange(length, device=device)
    seen = rule(index, index, index.unsqueeze(1), index.unsqueeze(0))[None, None]
    if kind == "sdpa":
        return seen
    hidden = torch.zeros(seen.shape, dtype=model.dtype, device=device)
    return hidden.masked_fill_(~seen, torch.finfo(model.dtype).min)


def _rule(packed: PackedGroups, window: int | None) -> _Rule:
    """Whether query q sees key kv, for indices of any shape."""
    group, segment, position = packed.group[0], packed.segment[0], packed.position_ids[0]

    def sees(batch: Tensor, head: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        del batch, head
        shared = (segment[kv] == 0) | (segment[kv] == segment[q])
        seen = (kv <= q) & (group[kv] == group[q]) & shared
        if window is not None:
            # The window counts places in prompt and response, not in the row.
            seen = seen & (position[q] - position[kv] < window)
        return seen

    return sees
