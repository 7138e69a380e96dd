"""What a benchmark asks, and what a model answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from mnpo.errors import InvalidSetting

Item = TypeVar("Item")


@dataclass(frozen=True)
class Question:
    """One question of a benchmark, of one or several turns.

    Attributes:
        id: the benchmark's own, unique within it.
        turns: texts of the user; each later one is asked after the answer to the one before.
        category: the benchmark's, "" where it has none.
        temperature: of the model's answer, where the benchmark prescribes one; 0 is greedy.
        max_tokens: longest answer to one turn, where the benchmark prescribes one.
        system: a system turn before all others, "" for none.
    """

    id: str
    turns: tuple[str, ...]
    category: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    system: str = ""


@dataclass(frozen=True)
class Answer:
    """A model's answer to a question.

    Attributes:
        turns: one text for each of the question's turns; an empty text is an answer.
        tokens: of each turn, as the model's own tokenizer counts; None where that is not known.
        finished: whether the model ended each turn itself; None where that is not known.
    """

    turns: tuple[str, ...]
    tokens: tuple[int, ...] | None = None
    finished: tuple[bool, ...] | None = None


@dataclass(frozen=True)
class ModelAnswers:
    """All answers of one model to one benchmark.

    Attributes:
        model: the name it is listed under.
        answers: by question id; a question without one is missing.
        hashes: of where they come from, by role: policy, file.
    """

    model: str
    answers: Mapping[str, Answer]
    hashes: Mapping[str, str] = field(default_factory=dict)


def spread(items: Sequence[Item], limit: int | None) -> tuple[Item, ...]:
    """Some of a benchmark's questions, evenly over its order, which often goes by category.

    Args:
        items: all of them.
        limit: how many; None, or more than there are, takes all.

    Raises:
        InvalidSetting: a limit below 1.
    """
    if limit is not None and limit < 1:
        raise InvalidSetting(f"limit must be at least 1, got {limit}")
    if limit is None or limit >= len(items):
        return tuple(items)
    return tuple(items[k * len(items) // limit] for k in range(limit))
