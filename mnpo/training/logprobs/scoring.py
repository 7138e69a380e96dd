"""Summed log-probs of the responses of a packed row, for training and for the anchors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnpo.errors import UserError
from mnpo.training.logprobs.attention import attention_mask, config_entry, row_multiple
from mnpo.training.logprobs.forward import causal_lm, is_enabled
from mnpo.training.logprobs.packing import (
    PackedGroups,
    TokenGroup,
    pack,
    packed_tokens,
    plan_micro_batches,
)


def completion_log_probs(model: nn.Module, packed: PackedGroups) -> Tensor:
    """Log pi(y | x) of every response, summed over its tokens.

    Args:
        model: one that `enable_completion_scoring` has seen, however wrapped since (DDP, FSDP,
            peft, accelerate): its own forward runs, hooks and all.
        packed: on the model's device.

    Returns:
        (B, K) nats, float32 (float64 for a float64 model), differentiable; 0 where padded.

    Raises:
        UserError: the row is longer than the model's positions, or the model was not enabled.
    """
    return _sum_by_response(token_log_probs(model, packed), packed)


def token_log_probs(model: nn.Module, packed: PackedGroups) -> Tensor:
    """(N,) log-probs of the response tokens, in the order of ``packed.targets``.

    Args, errors: as `completion_log_probs`.
    """
    base = causal_lm(model)
    if not is_enabled(base):
        raise UserError(
            "this model has no completion scoring; call enable_completion_scoring first"
        )
    limit = config_entry(base.config.get_text_config(), "max_position_embeddings")
    if limit is not None and packed.longest > limit:
        raise UserError(
            f"a prompt with its response takes {packed.longest} tokens and the model has {limit} "
            "positions; lower data.max_prompt_tokens or sampling.max_new_tokens"
        )
    log_probs = model(
        input_ids=packed.input_ids,
        attention_mask=attention_mask(packed, base),
        position_ids=packed.position_ids,
        use_cache=False,
        completion_positions=packed.positions,
        completion_targets=packed.targets,
    )
    return cast(Tensor, log_probs)


@torch.no_grad()
def score_groups(
    model: nn.Module,
    groups: Sequence[TokenGroup],
    *,
    max_tokens: int,
    pad_id: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[NDArray[np.float64]]:
    """Log-probs of responses that stay constants: of anchors and references.

    Args:
        model: as for `completion_log_probs`; it runs in evaluation mode, its attention is its own.
        groups: prompt ids and response ids of each.
        max_tokens: tokens in one forward; a longer group runs alone.
        pad_id: the token that fills up rows.
        progress: called with the groups done and their number, after each forward.

    Returns:
        (K,) nats for each group, in order, summed in float64.

    Raises:
        UserError: as `pack` and `completion_log_probs`.
    """
    base = causal_lm(model)
    sums: dict[int, NDArray[np.float64]] = {}
    with _evaluation(model):
        for row in plan_micro_batches([packed_tokens(group) for group in groups], max_tokens):
            batch = pack(
                [groups[i] for i in row], pad_to_multiple=row_multiple(base), pad_id=pad_id
            ).to(base.device)
            totals = _sum_by_response(token_log_probs(model, batch).double(), batch).cpu().numpy()
            for i, total in zip(row, totals, strict=True):
                sums[i] = total[: len(groups[i][1])].copy()
            if progress is not None:
                progress(len(sums), len(groups))
    return [sums[i] for i in range(len(groups))]


def _sum_by_response(log_probs: Tensor, packed: PackedGroups) -> Tensor:
    """(N,) -> (B, K). A table with a row a response: unlike index_add, its sums are repeatable."""
    lengths = packed.lengths.flatten()
    starts = lengths.cumsum(0) - lengths
    column = torch.arange(len(log_probs), device=log_probs.device) - starts[packed.owner]
    table = log_probs.new_zeros(len(lengths), packed.longest)
    table[packed.owner, column] = log_probs
    return table.sum(dim=1).view(packed.shape)


@contextmanager
def _evaluation(model: nn.Module) -> Iterator[None]:
    """No dropout for a while; each module's own mode afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
