"""How models are asked."""

from typing import Literal

from pydantic import Field

from mnpo.training.recipe import SamplingSettings, ServerSettings
from mnpo.validation import Settings


class AnswerSettings(Settings):
    """How answers are generated.

    Attributes:
        backend: "transformers" in process, "vllm" in process, or "server"; as for training.
        max_new_tokens: longest answer to one turn. A benchmark's own limit goes before it where it
            is lower.
        temperature: 0 is greedy; None takes the benchmark's own, and greedy where it has none.
        top_p: of sampling, when not greedy.
        batch_size: prompts that are continued together.
        shard_size: prompts in one restartable piece of work.
        server: for the server backend.
        seed: of the samples.
    """

    backend: Literal["transformers", "vllm", "server"] = "transformers"
    max_new_tokens: int = Field(default=1024, ge=1)
    temperature: float | None = Field(default=None, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    batch_size: int = Field(default=16, ge=1)
    shard_size: int = Field(default=32, ge=1)
    server: ServerSettings | None = None
    seed: int = Field(default=0, ge=0)

    def sampling(self, temperature: float, max_new_tokens: int) -> SamplingSettings:
        """The trainer's sampling settings for one kind of question.

        Greedy is written as the likeliest token alone: backends take no temperature of 0.
        """
        greedy = temperature == 0
        return SamplingSettings(
            backend=self.backend,
            max_new_tokens=max_new_tokens,
            temperature=1.0 if greedy else temperature,
            top_k=1 if greedy else 0,
            top_p=1.0 if greedy else self.top_p,
            batch_size=self.batch_size,
            shard_size=self.shard_size,
            server=self.server,
        )
