"""Several groups in one row of tokens: every prompt once, then its K responses.

The forward of a prompt is shared by its responses. Positions restart after the prompt for every
response, so that a token stands where it would stand if prompt and response were alone in the row;
`mnpo.training.logprobs.attention` keeps the responses from seeing each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from mnpo.errors import UserError

#: Token ids of a prompt, and of its K responses.
TokenGroup: TypeAlias = tuple[Sequence[int], Sequence[Sequence[int]]]


@dataclass(frozen=True, eq=False)
class PackedGroups:
    """B groups in one row of L tokens, with N response tokens to predict.

    Nothing is predicted from a response's last token, so it is a target but no input.

    Attributes:
        input_ids: (1, L).
        position_ids: (1, L) place of the token in its own prompt and response, from 0.
        group: (1, L) the token's group, -1 where padded.
        segment: (1, L) 0 in the prompt, k + 1 in response k.
        positions: (N,) place in the row of the hidden state that predicts the token.
        targets: (N,) the token ids that are predicted, response after response.
        owner: (N,) flat index b * K + k of the response the token belongs to, ascending.
        lengths: (B, K) tokens of each response, 0 where a group has fewer than K.
        longest: number of positions that the longest prompt with response takes up.
    """

    input_ids: Tensor
    position_ids: Tensor
    group: Tensor
    segment: Tensor
    positions: Tensor
    targets: Tensor
    owner: Tensor
    lengths: Tensor
    longest: int

    @property
    def shape(self) -> tuple[int, int]:
        """(B, K): groups, and the largest number of responses."""
        groups, responses = self.lengths.shape
        return groups, responses

    def to(self, device: torch.device | str) -> "PackedGroups":
        """The same row on another device."""
        names = [field.name for field in fields(self) if field.name != "longest"]
        moved: dict[str, Any] = {name: getattr(self, name).to(device) for name in names}
        return replace(self, **moved)


def pack(groups: Sequence[TokenGroup], *, pad_to_multiple: int = 1, pad_id: int) -> PackedGroups:
    """Lay groups out in one row.

    Args:
        groups: prompt ids and response ids of each; K may differ between groups.
        pad_to_multiple: L is rounded up to a multiple of this. Padding sees only padding.
        pad_id: the token that fills up.

    Returns:
        Tensors on the CPU.

    Raises:
        UserError: there is no group, or a prompt or response is empty.
    """
    _require_tokens(groups)
    ids: list[int] = []
    places: list[int] = []
    owners: list[int] = []
    segments: list[int] = []
    positions: list[int] = []
    targets: list[int] = []
    most = max(len(responses) for _, responses in groups)
    lengths = torch.zeros(len(groups), most, dtype=torch.long)
    counts: list[int] = []
    longest = 0
    for b, (prompt, responses) in enumerate(groups):
        start = len(ids)
        ids.extend(prompt)
        places.extend(range(len(prompt)))
        segments.extend([0] * len(prompt))
        for k, response in enumerate(responses):
            first, inputs = len(ids), len(response) - 1
            ids.extend(response[:-1])
            places.extend(range(len(prompt), len(prompt) + inputs))
            segments.extend([k + 1] * inputs)
            positions.append(start + len(prompt) - 1)
            positions.extend(range(first, first + inputs))
            targets.extend(response)
            owners.extend([b * most + k] * len(response))
            lengths[b, k] = len(response)
            longest = max(longest, len(prompt) + inputs)
        counts.append(len(ids) - start)
    padding = -len(ids) % pad_to_multiple
    members = torch.repeat_interleave(torch.arange(len(groups)), torch.tensor(counts))
    return PackedGroups(
        input_ids=torch.tensor([ids + [pad_id] * padding]),
        position_ids=torch.tensor([places + [0] * padding]),
        group=torch.cat([members, torch.full((padding,), -1)]).unsqueeze(0),
        segment=torch.tensor([segments + [0] * padding]),
        positions=torch.tensor(positions),
        targets=torch.tensor(targets),
        owner=torch.tensor(owners),
        lengths=lengths,
        longest=longest,
    )


def packed_tokens(group: TokenGroup) -> int:
    """Places that a group takes up in a row, padding apart."""
    prompt, responses = group
    return len(prompt) + sum(len(response) - 1 for response in responses)


def plan_micro_batches(token_counts: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Share groups out to rows: the longest first, each into the first row with room.

    Args:
        token_counts: tokens of each group.
        max_tokens: of one row. A longer group gets a row of its own.

    Returns:
        Rows of indices into ``token_counts``, every index once; the same for the same counts.
    """
    rows: list[list[int]] = []
    room: list[int] = []
    for index in sorted(range(len(token_counts)), key=lambda i: (-token_counts[i], i)):
        count = token_counts[index]
        row = next((r for r, free in enumerate(room) if count <= free), None)
        if row is None:
            rows.append([index])
            room.append(max_tokens - count)
        else:
            rows[row].append(index)
            room[row] -= count
    return rows


def _require_tokens(groups: Sequence[TokenGroup]) -> None:
    if not groups:
        raise UserError("no group to pack; give at least one prompt with its responses")
    for b, (prompt, responses) in enumerate(groups):
        if len(prompt) == 0:
            raise UserError(
                f"group {b} has an empty prompt; drop it, nothing predicts from nothing"
            )
        if len(responses) == 0:
            raise UserError(f"group {b} has no response; drop it")
        for k, response in enumerate(responses):
            if len(response) == 0:
                raise UserError(
                    f"response {k} of group {b} is empty; drop it, or end it with the end token"
                )
