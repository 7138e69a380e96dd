"""From examples to the padded tensors that an objective reads."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnpo.errors import InvalidSetting
from mnpo.training.examples import Example, GroupBatch

Array = NDArray[np.float64]


def collate(examples: Sequence[Example], *, like: Tensor) -> GroupBatch:
    """Pad examples to the same number of responses.

    Args:
        examples: B of them, with any numbers of responses.
        like: the log-probabilities, whose dtype and device the tensors take.

    Raises:
        InvalidSetting: some examples have values (or reference log-probs) and others do not.
    """
    responses = max(len(example.response_ids) for example in examples)

    def vector(arrays: Sequence[Array], fill: float = 0.0) -> Tensor:
        padded = np.full((len(arrays), responses), fill)
        for row, array in zip(padded, arrays, strict=True):
            row[: len(array)] = array
        return torch.as_tensor(padded, dtype=like.dtype, device=like.device)

    def matrix(arrays: Sequence[Array]) -> Tensor:
        padded = np.zeros((len(arrays), responses, responses))
        for page, array in zip(padded, arrays, strict=True):
            page[: len(array), : len(array)] = array
        return torch.as_tensor(padded, dtype=like.dtype, device=like.device)

    def optional(name: str, arrays: Sequence[Array | None]) -> Tensor | None:
        there = [array for array in arrays if array is not None]
        if 0 < len(there) < len(arrays):
            raise InvalidSetting(f"{len(there)} of {len(arrays)} examples have {name}, not all")
        return vector(there) if there else None

    lengths = [np.array([len(ids) for ids in e.response_ids], dtype=float) for e in examples]
    return GroupBatch(
        anchor_log_probs=vector([e.anchor_log_probs for e in examples]),
        weights=matrix([e.weights for e in examples]),
        preferences=matrix([e.preferences for e in examples]),
        lengths=vector(lengths, fill=1.0),
        present=vector([np.ones(len(e.response_ids)) for e in examples]).bool(),
        values=optional("values", [e.values for e in examples]),
    )
