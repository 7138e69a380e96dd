"""Ratings of single answers, read from FastChat's ``JUDGE_single.jsonl`` and files like it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evaluation.mt_bench.fields import (
    Stored,
    check_stored,
    judge_of,
    name_of,
    turn_of,
    without_copies,
)
from evaluation.mt_bench.questions import identity
from evaluation.mt_bench.rating import UNREADABLE, rating_in
from evaluation.rows import Row
from mnpo.errors import UserError


@dataclass(frozen=True)
class Judgement:
    """One rating of one answer.

    Attributes:
        model: whose answer.
        question: its id.
        turn: 1 or 2.
        judge: the judge's name.
        template: what it was asked with, "" where that is not known.
        rating: None where the judgement holds none (-1 in the file).
        text: what the judge wrote; None where the file does not say.
    """

    model: str
    question: str
    turn: int
    judge: str
    template: str
    rating: float | None
    text: str | None = None

    @property
    def cell(self) -> tuple[str, int]:
        """Question and turn."""
        return self.question, self.turn


@dataclass(frozen=True)
class ReadJudgements:
    """The content of judgement files.

    Attributes:
        judgements: in the order of the files.
        flags: about copied rows, by model.
    """

    judgements: tuple[Judgement, ...]
    flags: Mapping[str, tuple[str, ...]]


def read_judgements(
    rows: Iterable[Row], *, reread: bool = False, allow_copies: bool = False
) -> ReadJudgements:
    """Ratings, each read again from the judge's own text by the official rule.

    A model may be judged several times: rows of the same question and turn are repeats, unless
    they agree in every field, texts and time stamps included: see `fields.without_copies`.

    Args:
        rows: of the files.
        reread: take what the text says where the stored score says something else.
        allow_copies: count copies once instead of refusing them.

    Raises:
        UserError: a field that is absent or impossible, a score that is no number, a stored score
            that the judgement's text contradicts, or a copied row.
    """
    kept = without_copies(rows, allow_copies, lambda row: name_of(row, "model"))
    stored: list[Stored] = []
    found: list[Judgement] = []
    for row in kept.rows:
        judge, template = judge_of(row)
        text = row.text("judgment") if row.values.get("judgment") is not None else None
        score = _score(row)
        rating = score
        if text is not None:
            says = rating_in(text)
            rating = UNREADABLE if says is None else says
            if score is not None:
                stored.append(Stored(row.where, "score", f"{score:g}", f"{rating:g}"))
        if rating is None:
            raise UserError(f"{row.where}: has neither a score nor a judgment")
        found.append(
            Judgement(
                name_of(row, "model"),
                identity(row),
                turn_of(row),
                judge,
                template,
                None if rating == UNREADABLE else rating,
                text,
            )
        )
    if not reread:
        check_stored(stored)
    if not found:
        raise UserError("the judgement files hold no rows")
    return ReadJudgements(tuple(found), kept.flags())


def _score(row: Row) -> float | None:
    """The stored score; None where there is none."""
    value = row.values.get("score")
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise UserError(
            f"{row.where}: score must be a number, got {value!r}; an unreadable judgement has -1"
        )
    if number < 0 and number != UNREADABLE:
        raise UserError(f"{row.where}: score must be a rating or -1, got {value!r}")
    return number
