"""How a recipe names its data."""

from typing import Any, Literal

from pydantic import Field, field_validator

from mnpo.validation import Settings


class DataSettings(Settings):
    """Prompts, and what the data knows about them.

    Attributes:
        prompts: "embedded" (the project's own), or files of prompts or preference pairs in TRL's
            forms (json, jsonl, csv, parquet; plain or gzipped).
        held_out: likewise, for the held-out win rate; None takes the last ``held_out_size`` of
            ``prompts``. A prompt that stands in both is refused.
            With the embedded prompts None takes their own held-out part.
        held_out_size: number of held-out prompts; a file with fewer is used whole.
        limit: take only the first so many usable training prompts.
        max_prompt_tokens: longer prompts are dropped and counted, or refused.
        over_long: what happens to them.
        use_completions: take the data's own responses (chosen, rejected) in place of sampled
            ones: the classical offline setting.
    """

    prompts: Literal["embedded"] | tuple[str, ...] = "embedded"
    held_out: Literal["embedded"] | tuple[str, ...] | None = None
    held_out_size: int = Field(default=32, ge=1)
    limit: int | None = Field(default=None, ge=1)
    max_prompt_tokens: int = Field(default=512, ge=1)
    over_long: Literal["drop", "refuse"] = "drop"
    use_completions: bool = False

    @field_validator("prompts", "held_out", mode="before")
    @classmethod
    def _one_path_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) and value != "embedded" else value
