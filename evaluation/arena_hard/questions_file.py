"""The benchmark's questions, in both of its formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.arena_hard.versions import Version
from evaluation.rows import Row, iterate_rows
from mnpo.errors import UserError


@dataclass(frozen=True)
class ArenaQuestion:
    """One question.

    Attributes:
        id: question_id of 2024, uid now.
        category: one of the version's.
        part: its subcategory or topic cluster, "" where the file names none.
        text: what the models are asked.
        current: whether the row has the current format.
    """

    id: str
    category: str
    part: str
    text: str
    current: bool


def read_questions(path: Path, version: Version) -> tuple[ArenaQuestion, ...]:
    """The questions, in the file's order.

    Raises:
        UserError: a row of another form or category, an id twice, or no rows.
    """
    found: dict[str, ArenaQuestion] = {}
    for row in iterate_rows(path):
        question = _question(row, version)
        if question.id in found:
            raise UserError(f"{row.where}: question {question.id} is there twice")
        found[question.id] = question
    if not found:
        raise UserError(f"{path}: no questions")
    return tuple(found.values())


def of_category(questions: Sequence[ArenaQuestion], category: str) -> tuple[ArenaQuestion, ...]:
    """Those of one category."""
    return tuple(question for question in questions if question.category == category)


def _question(row: Row, version: Version) -> ArenaQuestion:
    current = "uid" in row.values
    category = row.text("category")
    if category not in version.categories:
        raise UserError(
            f"{row.where}: category '{category}' is none of {version.benchmark} "
            f"({', '.join(version.categories)})"
        )
    part = str(row.values.get("subcategory") or "")
    if current:
        return ArenaQuestion(row.text("uid"), category, part, row.text("prompt"), True)
    turns = row.values.get("turns")
    if not isinstance(turns, list) or len(turns) != 1 or not isinstance(turns[0], dict):
        raise UserError(f"{row.where}: needs one turn")
    text = turns[0].get("content")
    if not isinstance(text, str):
        raise UserError(f"{row.where}: its turn has no text")
    return ArenaQuestion(row.text("question_id"), category, part, text, False)
