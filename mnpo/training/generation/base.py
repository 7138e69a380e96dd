"""What a generation backend does: continue prompts under a policy."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from mnpo.training.models.policy import PolicyCheckpoint

#: A policy, or a token-by-token geometric mixture of several: (policy, weight) with weights that
#: sum to one (Nash-MD's sampler). One entry of weight 1 is that policy itself.
Mixture: TypeAlias = tuple[tuple[PolicyCheckpoint, float], ...]


@dataclass(frozen=True)
class Completion:
    """One continuation as ids.

    Attributes:
        ids: generated tokens, the end token included where there is one.
        finished: whether the policy ended it; False when it was cut.
    """

    ids: tuple[int, ...]
    finished: bool


class Sampler(Protocol):
    """A policy that is loaded and answers."""

    def draw(
        self, prompts: Sequence[Sequence[int]], counts: Sequence[int], *, seed: int
    ) -> list[list[Completion]]:
        """Independent continuations of each prompt.

        Args:
            prompts: token ids of each prompt, generation prompt included.
            counts: how many continuations of each, 0 allowed.
            seed: the same seed, prompts and counts give the same ids on the same machine
                (backends that cannot promise it say so in their documentation).

        Returns:
            ``counts[i]`` completions for prompt i.

        Raises:
            UserError: the backend cannot answer; never an invented or empty completion instead.
        """
        ...


class Backend(Protocol):
    """Opens policies for sampling, one at a time."""

    def open(self, mixture: Mixture) -> AbstractContextManager[Sampler]:
        """Load the policy (or start a server with it) and release it at the end.

        Raises:
            InvalidSetting: the backend cannot sample from a geometric mixture.
        """
        ...
