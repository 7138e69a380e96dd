"""The batch plan of one iteration: which groups make which step, and who computes what.

A plan is a pure function of a few numbers, so that every process computes the same one without
talking, and a killed run finds its place again by the number of its step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnpo.errors import InvalidSetting
from mnpo.training.logprobs.packing import plan_micro_batches


@dataclass(frozen=True)
class MicroBatch:
    """Groups of one forward and backward pass on one process.

    Attributes:
        groups: indices of the examples.
        counts: False for a filler, whose loss has weight zero: all processes must take part in
            the same number of passes, or those that wait for gradients wait for ever.
    """

    groups: tuple[int, ...]
    counts: bool = True


@dataclass(frozen=True)
class Step:
    """One optimizer step. Its loss is the mean over its groups, however they are split.

    Attributes:
        size: number of groups, over all processes.
        micro_batches: for each process the passes it makes; the same number for each.
    """

    size: int
    micro_batches: tuple[tuple[MicroBatch, ...], ...]

    @property
    def groups(self) -> tuple[int, ...]:
        """Indices of the step's groups, sorted."""
        return tuple(
            sorted(i for rank in self.micro_batches for m in rank if m.counts for i in m.groups)
        )


def plan_batches(
    token_counts: Sequence[int],
    *,
    batch_size: int,
    micro_batch_tokens: int,
    epochs: int,
    seed: int,
    world_size: int = 1,
) -> tuple[Step, ...]:
    """Shuffle the groups once an epoch and cut them into steps and micro-batches.

    Which groups a step has depends on the number of groups, ``batch_size``, ``epochs`` and
    ``seed`` alone; the other arguments only decide who computes them in how many passes. The
    last step of an epoch may be smaller; nothing is dropped.

    Args:
        token_counts: packed tokens of each group, its prompt counted once.
        batch_size: groups in one step.
        micro_batch_tokens: most packed tokens in one pass. A group that is longer by itself gets
            a pass of its own, as a group is never split.
        epochs: passes over all groups.
        seed: of the shuffles.
        world_size: number of processes.

    Raises:
        InvalidSetting: there is no group, or a number is below one.
    """
    if not len(token_counts):
        raise InvalidSetting("there is no group of responses to train on")
    for name, value in (
        ("batch_size", batch_size),
        ("micro_batch_tokens", micro_batch_tokens),
        ("epochs", epochs),
        ("world_size", world_size),
    ):
        if value < 1:
            raise InvalidSetting(f"{name} must be at least 1, got {value}")
    steps = []
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(token_counts)).tolist()
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            steps.append(_split(chosen, token_counts, micro_batch_tokens, world_size))
    return tuple(steps)


def _split(
    chosen: Sequence[int], token_counts: Sequence[int], max_tokens: int, world_size: int
) -> Step:
    """Share a step's groups out to the processes, each share cut into passes."""
    longest_first = sorted(chosen, key=lambda i: (-token_counts[i], i))
    shares = _balance(longest_first, token_counts, world_size)
    passes = [
        [[share[place] for place in row] for row in plan_micro_batches(counts, max_tokens)]
        for share in shares
        for counts in [[token_counts[i] for i in share]]
    ]
    filler = MicroBatch((longest_first[-1],), counts=False)
    most = max(map(len, passes))
    return Step(
        size=len(chosen),
        micro_batches=tuple(
            tuple(MicroBatch(tuple(groups)) for groups in rank) + (filler,) * (most - len(rank))
            for rank in passes
        ),
    )


def _balance(
    longest_first: Sequence[int], token_counts: Sequence[int], world_size: int
) -> list[list[int]]:
    """Each group to the process with the fewest tokens so far (LPT scheduling)."""
    shares: list[list[int]] = [[] for _ in range(world_size)]
    loads = [0] * world_size
    for i in longest_first:
        rank = loads.index(min(loads))
        shares[rank].append(i)
        loads[rank] += token_counts[i]
    return shares
