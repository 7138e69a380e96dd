"""How a recipe names a model."""

from typing import Literal

from pydantic import Field

from mnpo.validation import Settings


class LoraSettings(Settings):
    """A low-rank adapter instead of full fine-tuning.

    Attributes:
        rank, alpha, dropout: as in peft; dropout must be 0 for exact resumption.
        target_modules: names of the layers, or "all-linear".
    """

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: Literal["all-linear"] | tuple[str, ...] = "all-linear"


class ModelSettings(Settings):
    """The start of every method, which is also the reference policy.

    Attributes:
        name: "tiny" (the embedded model, made on the spot), "smollm2-135m" (see ``mnpo-bench
            models fetch``), a local directory, or a hub id.
        revision: commit or tag of a hub id.
        precision: of weights and arithmetic; training in bfloat16 keeps float32 master weights.
        attention: "auto" takes flex on a GPU and sdpa elsewhere.
        trust_remote_code: run code that comes with the model. Off unless asked for.
        lora: an adapter; None trains all weights.
        gradient_checkpointing: recompute activations in the backward pass: slower, less memory.
    """

    name: str = "tiny"
    revision: str | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    attention: Literal["auto", "sdpa", "flex", "eager"] = "auto"
    trust_remote_code: bool = False
    lora: LoraSettings | None = None
    gradient_checkpointing: bool = False
