"""A fresh part of the prompts for every iteration."""

import hashlib
from collections.abc import Sequence
from typing import Protocol, TypeVar

from mnpo.errors import UserError


class HasKey(Protocol):
    """Whatever stands for a prompt."""

    @property
    def key(self) -> str:
        """Hash of the conversation."""
        ...


Item = TypeVar("Item", bound=HasKey)


def split_prompts(
    prompts: Sequence[Item], iterations: int, per_iteration: int, seed: int
) -> tuple[tuple[Item, ...], ...]:
    """Disjoint random parts, one for each iteration.

    The order is that of the hashes of seed and prompt: it depends on nothing else, neither on the
    order of the files nor on a random generator's version.

    Raises:
        UserError: there are too few.
    """
    needed = iterations * per_iteration
    if needed > len(prompts):
        raise UserError(
            f"{iterations} iterations of {per_iteration} prompts need {needed} training prompts, "
            f"there are {len(prompts)}; lower budget.prompts or budget.iterations, or add data"
        )

    def rank(item: Item) -> bytes:
        return hashlib.sha256(f"{seed}:{item.key}".encode()).digest()

    shuffled = sorted(prompts, key=rank)
    return tuple(
        tuple(shuffled[start : start + per_iteration]) for start in range(0, needed, per_iteration)
    )
