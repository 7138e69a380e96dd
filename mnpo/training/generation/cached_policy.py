"""A causal model with its key-value cache over a batch of rows."""

import inspect
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel


class CachedPolicy:
    """Reads left-padded prompts once and then one token a row at a time.

    Works for every causal model whose ``forward`` takes a cache; position ids count real tokens
    only, so padding moves no position.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        accepted = inspect.signature(model.forward).parameters
        self._takes_positions = "position_ids" in accepted  # ALiBi models read the mask instead
        self._keeps_logits = "logits_to_keep" in accepted
        self._cache = DynamicCache(config=model.config)
        self._mask = torch.empty(0)

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Read the prompts.

        Args:
            ids: (B, L) token ids, padded on the left.
            mask: (B, L) 1 for tokens, 0 for padding.

        Returns:
            (B, V) logits of each row's next token.
        """
        self._mask = mask
        positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
        return self._forward(ids, positions)

    def step(self, tokens: Tensor) -> Tensor:
        """Append one token a row.

        Args:
            tokens: (B,) ids.

        Returns:
            (B, V) logits of each row's next token.
        """
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=-1)
        positions = self._mask.sum(dim=-1, keepdim=True) - 1
        return self._forward(tokens[:, None], positions)

    def select(self, rows: Tensor) -> None:
        """Make the batch consist of these of its rows, which may be repeated.

        Args:
            rows: (B',) indices into the present batch.
        """
        self._mask = self._mask[rows]
        # named for beam search, but any choice of rows will do, and every kind of cache has it
        self._cache.reorder_cache(cast(torch.LongTensor, rows))

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        extra: dict[str, Any] = {}
        if self._takes_positions:
            extra["position_ids"] = positions
        if self._keeps_logits:
            extra["logits_to_keep"] = 1
        output = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            past_key_values=self._cache,
            use_cache=True,
            **extra,
        )
        logits: Tensor = output.logits[:, -1]
        return logits


def left_padded(
    prompts: Sequence[Sequence[int]], pad_id: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Prompts of different lengths as one batch.

    Returns:
        (B, L) token ids with ``pad_id`` on the left, and the (B, L) mask of the real ones.
    """
    width = max(len(ids) for ids in prompts)
    padded = [[pad_id] * (width - len(ids)) + list(ids) for ids in prompts]
    mask = [[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts]
    return torch.tensor(padded, device=device), torch.tensor(mask, device=device)
