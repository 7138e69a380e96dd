"""The batch plan of one iteration: which groups make which step, and who computes what.

A plan is a pure function of a few numbers, so that every process computes the same one without
talking, and a killed run finds its place again by the number of its step.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnpo.errors import InvalidSetting


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
    ``seed`` alone, and which of them share a pass on ``micro_batch_tokens`` too. ``world_size``
    only decides who computes which pass. The last step of an epoch may be smaller; nothing is
    dropped.

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


def idle_processes(plan: Sequence[Step]) -> int:
    """How many processes have nothing to do in some step that has groups enough for them."""
    return max(
        min(len(step.micro_batches), step.size)
        - sum(any(m.counts for m in rank) for rank in step.micro_batches)
        for step in plan
    )


def _split(
    chosen: Sequence[int], token_counts: Sequence[int], max_tokens: int, world_size: int
) -> Step:
    """Cut a step's groups into passes, then share the passes out to the processes."""
    rows = _rows(chosen, token_counts, max_tokens)
    loads = [sum(token_counts[i] for i in row) for row in rows]
    fullest_first = sorted(range(len(rows)), key=lambda r: (-loads[r], rows[r]))
    shares = _balance(fullest_first, loads, world_size)
    shortest = min(chosen, key=lambda i: (token_counts[i], i))
    filler = MicroBatch((shortest,), counts=False)
    most = max(map(len, shares))
    return Step(
        size=len(chosen),
        micro_batches=tuple(
            tuple(MicroBatch(rows[r]) for r in share) + (filler,) * (most - len(share))
            for share in shares
        ),
    )


def _rows(
    chosen: Sequence[int], token_counts: Sequence[int], max_tokens: int
) -> list[tuple[int, ...]]:
    """Groups of each pass: about as many tokens in each, whatever the number of processes.

    What shares a row is rounded together, so who computes a row must not decide what is in it.
    There are 1, 2, 4, 8, 16, 24, ... rows, so that 2, 4 or 8 processes are equally busy.
    """
    longest_first = sorted(chosen, key=lambda i: (-token_counts[i], i))
    total = 1
    while True:
        rows = [row for row in _balance(longest_first, token_counts, total) if row]
        if all(len(row) == 1 or sum(token_counts[i] for i in row) <= max_tokens for row in rows):
            return [tuple(sorted(row)) for row in rows]
        total += min(total, 8)


def _balance(longest_first: Sequence[int], loads: Sequence[int], parts: int) -> list[list[int]]:
    """Each item to the part with the smallest load so far (LPT scheduling)."""
    shares: list[list[int]] = [[] for _ in range(parts)]
    sums = [(0, part) for part in range(parts)]
    for i in longest_first:
        load, part = heapq.heappop(sums)
        shares[part].append(i)
        heapq.heappush(sums, (load + loads[i], part))
    return shares
