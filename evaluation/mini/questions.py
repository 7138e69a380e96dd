"""The questions of the mini-benchmark and the answers that models are compared with."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from evaluation.records import Question

#: Another set of questions or answers, another template or another reading needs another name.
NAME = "mini-v1"
#: Longest answer in tokens: the questions ask for a few sentences.
MAX_TOKENS = 256
QUESTIONS = "questions.jsonl"
REFERENCES = "reference_answers.jsonl"
TEMPLATE = "judge.jinja"


@dataclass(frozen=True)
class MiniQuestion:
    """One question, and the project's answer to it."""

    question: Question
    reference: str


@lru_cache(maxsize=1)
def mini_questions() -> tuple[MiniQuestion, ...]:
    """All of them; eight in a row are of eight categories, so that a first part is a fair one."""
    references = {str(row["id"]): str(row["answer"]) for row in _rows(REFERENCES)}
    return tuple(
        MiniQuestion(
            Question(
                id=str(row["id"]),
                turns=(str(row["prompt"]),),
                category=str(row["category"]),
                temperature=0.0,
                max_tokens=MAX_TOKENS,
            ),
            references[str(row["id"])],
        )
        for row in _rows(QUESTIONS)
    )


def packaged(name: str) -> str:
    """The text of one of the benchmark's files."""
    return files(__package__).joinpath(name).read_text("utf-8")


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in packaged(name).splitlines()]
