"""What one gradient step sees: a prompt, its responses, and what the loss compares."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Example:
    """One group of K responses, ready for training. Everything but the ids is a constant.

    Attributes:
        prompt_ids: (P,) tokens of the prompt.
        response_ids: K tuples of tokens, none empty.
        anchor_log_probs: (K,) sum_j lambda_j log pi_j(y), nats, summed over tokens.
        weights: (K, K) share of the comparisons that are (i, j); sums to one.
        preferences: (K, K) probability or label with which i beats j.
        values: (K,) rewards or advantages, where the loss regresses on values; else None.
    """

    prompt_ids: tuple[int, ...]
    response_ids: tuple[tuple[int, ...], ...]
    anchor_log_probs: Array
    weights: Array
    preferences: Array
    values: Array | None = None

    @property
    def tokens(self) -> int:
        """Tokens of the group with its prompt counted once."""
        return len(self.prompt_ids) + sum(len(ids) for ids in self.response_ids)


def digest_examples(examples: Sequence[Example]) -> str:
    """Hex sha256 over every number of the examples: what a training stage is known by."""
    whole = hashlib.sha256()
    for example in examples:
        ids = [list(example.prompt_ids), [list(own) for own in example.response_ids]]
        whole.update(json.dumps(ids).encode())
        for array in (
            example.anchor_log_probs,
            example.weights,
            example.preferences,
            example.values,
        ):
            whole.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


@dataclass(frozen=True, eq=False)
class GroupBatch:
    """B examples padded to the same number of responses K. Padding has weight zero everywhere.

    Attributes:
        anchor_log_probs: (B, K) nats, 0 where padded.
        weights, preferences: (B, K, K), 0 where padded.
        values: (B, K) or None.
        lengths: (B, K) tokens of each response, 1 where padded (so that averages stay finite).
        present: (B, K) whether there is a response.
    """

    anchor_log_probs: Tensor
    weights: Tensor
    preferences: Tensor
    lengths: Tensor
    present: Tensor
    values: Tensor | None = None


#: The loss of each example, (B,), from the policy's summed log-probs, (B, K), and the batch.
Objective: TypeAlias = Callable[[Tensor, GroupBatch], Tensor]
