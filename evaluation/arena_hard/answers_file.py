"""Model answers in both of the benchmark's formats, with their stored style counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.arena_hard.style import Style, markdown_counts
from evaluation.rows import Row, iterate_rows
from mnpo.errors import UserError

#: Beside the official fields: how token_len was counted, where it was not the official way.
COUNTER = "token_counter"


@dataclass(frozen=True)
class StoredAnswer:
    """One model's answer.

    Attributes:
        text: the answer.
        style: the stored counts; None where the file has no token count, or an approximate one.
    """

    text: str
    style: Style | None


def read_answers(paths: Sequence[Path]) -> dict[str, dict[str, StoredAnswer]]:
    """Answers by model and question.

    2024: {question_id, model_id, choices: [{turns: [{content, token_len}]}], conv_metadata}; now:
    {uid, model, messages, metadata}. Counts of markdown that the file lacks are made from the text;
    tokens are never.

    Raises:
        UserError: a row of another form, or a question twice for a model.
    """
    found: dict[str, dict[str, StoredAnswer]] = {}
    for path in paths:
        for row in iterate_rows(path):
            model, question = row.text("model", "model_id"), row.text("uid", "question_id")
            own = found.setdefault(model, {})
            if question in own:
                raise UserError(f"{row.where}: {model} answers question {question} twice")
            own[question] = _answer(row)
    return found


def _answer(row: Row) -> StoredAnswer:
    if "messages" in row.values:
        text, tokens = _current_text(row), None
        stored = row.values.get("metadata")
    else:
        turn = _turn_of_2024(row)
        text, tokens = turn["content"], turn.get("token_len")
        stored = row.values.get("conv_metadata")
    counts: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
    tokens = counts.get("token_len", tokens)
    if tokens is None or row.values.get(COUNTER):
        return StoredAnswer(text, None)
    own = markdown_counts(text)
    return StoredAnswer(
        text,
        Style(
            _total(row, "token_len", tokens),
            *(
                _total(row, name, counts[name]) if name in counts else made
                for name, made in zip(
                    ("header_count", "list_count", "bold_count"), own, strict=True
                )
            ),
        ),
    )


def _current_text(row: Row) -> str:
    messages = row.values["messages"]
    content = messages[-1].get("content") if _objects(messages) else None
    text = content.get("answer") if isinstance(content, dict) else content
    if not isinstance(text, str):
        raise UserError(f"{row.where}: the last message has no answer")
    return text


def _turn_of_2024(row: Row) -> dict[str, Any]:
    choices = row.values.get("choices")
    turns: Any = choices[0].get("turns") if isinstance(choices, list) and _objects(choices) else ()
    if not _objects(turns) or not isinstance(turns[0].get("content"), str):
        raise UserError(f"{row.where}: has neither messages nor choices with an answer")
    turn: dict[str, Any] = turns[0]
    return turn


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) for x in value)


def _total(row: Row, name: str, value: Any) -> int:
    """A count, which the files split by kind (h1, h2, ...)."""
    parts = list(value.values()) if isinstance(value, dict) else [value]
    if not all(isinstance(x, int) and not isinstance(x, bool) and x >= 0 for x in parts):
        raise UserError(f"{row.where}: {name} is no count: {str(value)[:60]}")
    return sum(parts)
