"""The package's own files: ``model_outputs.json`` and ``annotations.json``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.alpaca_eval.reference import Prompt


@dataclass(frozen=True)
class Judged:
    """One answer and what the judge made of it.

    Attributes:
        prompt: the instruction and the baseline's answer.
        output: the model's answer.
        preference: 1 baseline, 2 model, or between; None where there is none.
        missing: why.
        replies: the judge's texts.
        read: what preferences were read from.
    """

    prompt: Prompt
    output: str
    preference: float | None
    missing: str
    replies: tuple[str, ...]
    read: frozenset[str]


def outputs_json(model: str, rows: Sequence[Judged]) -> str:
    """A model's answers."""
    return _text(
        [
            {
                "dataset": row.prompt.dataset,
                "instruction": row.prompt.instruction,
                "output": row.output,
                "generator": model,
            }
            for row in rows
        ]
    )


def annotations_json(model: str, baseline: str, judge: str, rows: Sequence[Judged]) -> str:
    """The preferences; null where there is none."""
    return _text(
        [
            {
                "instruction": row.prompt.instruction,
                "output_1": row.prompt.baseline,
                "generator_1": baseline,
                "dataset": row.prompt.dataset,
                "output_2": row.output,
                "generator_2": model,
                "annotator": judge,
                "preference": row.preference,
                "raw_completion": "\n".join(row.replies) or None,
            }
            for row in rows
        ]
    )


def _text(rows: list[dict[str, object]]) -> str:
    return json.dumps(rows, indent=1, allow_nan=False) + "\n"
