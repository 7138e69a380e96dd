"""Log-probabilities of several continuations of each of a batch of questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from evaluation.judges.reading import ChoiceIds
from mnpo.training.generation.cached_policy import CachedPolicy, left_padded


@dataclass(frozen=True)
class Scored:
    """What a model says of one question.

    Attributes:
        log_probs: (C,) nats, of each choice's tokens after what the choices share.
        first: (token id, nats) of the likeliest next tokens, likeliest first.
    """

    log_probs: NDArray[np.float64]
    first: tuple[tuple[int, float], ...]


@torch.inference_mode()
def score_choices(
    model: PreTrainedModel,
    questions: Sequence[Sequence[int]],
    choices: Sequence[ChoiceIds],
    *,
    pad_id: int,
    top: int = 20,
) -> list[Scored]:
    """Read every question once, then walk the tree of its choices token by token.

    log P(choice) = sum_s log p(token_s | question, shared, tokens before s). Where one choice's
    tokens begin another's, the mass of the longer one is taken out of the shorter one's: the two
    exclude each other, as "1" and "10" do.

    Args:
        model: ready to answer; it is read with its key-value cache.
        questions: B sequences of ids.
        choices: of each question; at least two.
        pad_id: fills up on the left, never attended to.
        top: likeliest next tokens to return.

    Returns:
        one result for each question; values that are not finite are the caller's to refuse.
    """
    policy = CachedPolicy(model)
    starts = [(*ids, *own.shared) for ids, own in zip(questions, choices, strict=True)]
    logits = policy.read(*left_padded(starts, pad_id, model.device))
    # A node is a question and the beginning of some of its choices; total: its log-probability.
    nodes: list[tuple[int, tuple[int, ...]]] = [(number, ()) for number in range(len(starts))]
    total = dict.fromkeys(nodes, 0.0)
    first: list[tuple[tuple[int, float], ...]] = []
    while nodes:
        log_probs = _log_softmax(logits)
        if not first:
            values, ids = log_probs.topk(min(top, log_probs.shape[-1]), dim=-1)
            first = [
                tuple(zip(row_ids, row, strict=True))
                for row_ids, row in zip(ids.tolist(), values.tolist(), strict=True)
            ]
        deeper: list[tuple[int, tuple[int, ...]]] = []
        parents: list[int] = []
        for row, (number, path) in enumerate(nodes):
            after = [r for r in choices[number].rests if r[: len(path)] == path and r != path]
            for token in sorted({r[len(path)] for r in after}):
                child = (number, (*path, token))
                total[child] = total[number, path] + float(log_probs[row, token])
                if any(len(r) > len(path) + 1 and r[len(path)] == token for r in after):
                    deeper.append(child)
                    parents.append(row)
        nodes = deeper
        if nodes:
            policy.select(torch.tensor(parents, device=logits.device))
            last = [path[-1] for _, path in nodes]
            logits = policy.step(torch.tensor(last, device=logits.device))
    return [
        Scored(_exclusive(own.rests, [total[number, rest] for rest in own.rests]), first[number])
        for number, own in enumerate(choices)
    ]


def _log_softmax(logits: torch.Tensor) -> torch.Tensor:
    # Apple's GPUs have no float64.
    wide = torch.float32 if logits.device.type == "mps" else torch.float64
    return torch.log_softmax(logits.to(wide), dim=-1).cpu()


def _exclusive(rests: Sequence[tuple[int, ...]], totals: Sequence[float]) -> NDArray[np.float64]:
    """Log-probabilities of beginning with each choice and with no longer one of the others."""
    own = np.array(totals, dtype=np.float64)
    found = own.copy()
    for i, rest in enumerate(rests):
        longer = [j for j, other in enumerate(rests) if j != i and other[: len(rest)] == rest]
        # of "1", "10" and "100" the mass of "100" is within that of "10"
        next_ones = [
            j
            for j in longer
            if not any(k != j and rests[j][: len(rests[k])] == rests[k] for k in longer)
        ]
        if next_ones:
            share = float(np.exp(own[next_ones] - own[i]).sum())
            found[i] += np.log(max(1.0 - share, np.finfo(np.float64).eps))
    return found
