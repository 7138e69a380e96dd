"""The mini-benchmark's own files: a model's answers, and what the judge said of them.

An answer is ``{"question_id", "model", "answer"}``; a judgement ``{"benchmark", "question_id",
"model", "judge", "order", "repeat", "verdict", "missing", "reply"}`` with the verdict the points of
the answer shown first (1, 0.5, 0 or between), or null with the reason in ``missing``.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.mini.questions import NAME
from evaluation.mini.scoring import ORDERS, ModelPoints
from evaluation.points import POINTS
from evaluation.records import ModelAnswers, Question
from evaluation.rows import Row, iterate_rows
from mnpo.errors import UserError
from mnpo.judging.calls import Call, Outcome
from mnpo.printable import shown

#: More repeats than this are a mistake in the file.
MOST_REPEATS = 1000


@dataclass(frozen=True)
class StoredJudgements:
    """What files of judgements hold: of which judge, and each model's verdicts."""

    judge: str
    models: tuple[ModelPoints, ...]
    repeats: int


def answer_lines(answers: ModelAnswers, questions: Sequence[Question]) -> str:
    """The answers of a model as JSON lines, in the questions' order."""
    return _lines(
        {"question_id": q.id, "model": answers.model, "answer": answers.answers[q.id].turns[0]}
        for q in questions
        if q.id in answers.answers
    )


def judgement_lines(model: str, judge: str, asked: Iterable[tuple[str, Call, Outcome]]) -> str:
    """The verdicts on a model as JSON lines; (question id, call, outcome) each."""
    return _lines(
        {
            "benchmark": NAME,
            "question_id": question,
            "model": model,
            "judge": judge,
            "order": call.order,
            "repeat": call.repeat,
            "verdict": outcome.value,
            "missing": outcome.missing,
            "reply": outcome.reply,
        }
        for question, call, outcome in asked
    )


def read_judgements(paths: Sequence[Path], questions: Sequence[Question]) -> StoredJudgements:
    """The verdicts in files of judgements, of one judge and any number of models.

    A ``verdict`` may also be A, B or tie. A verdict that no row gives is missing.

    Args:
        paths: jsonl, json or csv, plain or gzipped.
        questions: that should have been asked.

    Raises:
        UserError: a row of another benchmark or judge, of an unknown question, order or repeat, a
            verdict that is none, the same verdict twice, or no row at all.
    """
    ids = {question.id: i for i, question in enumerate(questions)}
    judges: dict[str, str] = {}
    verdicts: dict[str, dict[tuple[int, int, int], tuple[float, str, str]]] = {}
    for path in paths:
        for row in iterate_rows(path):
            judges.setdefault(row.text("judge"), row.where)
            if len(judges) > 1:
                (first, _), (second, where) = judges.items()
                raise UserError(f"{where}: is of judge '{second}', rows before of '{first}'")
            benchmark = row.text("benchmark")
            if benchmark != NAME:
                raise UserError(f"{row.where}: is of {shown(benchmark)}, not of {NAME}")
            question = row.text("question_id")
            if question not in ids:
                raise UserError(f"{row.where}: {NAME} did not ask a question {shown(question)}")
            key = (ids[question], _order(row), _repeat(row))
            own = verdicts.setdefault(row.text("model"), {})
            if key in own:
                raise UserError(
                    f"{row.where}: this verdict on {question} stands in {own[key][2]} already"
                )
            own[key] = (*_verdict(row), row.where)
    if not verdicts:
        raise UserError(f"{', '.join(map(str, paths)) or 'no file'}: holds no judgements")
    repeats = 1 + max(repeat for own in verdicts.values() for _, _, repeat in own)
    return StoredJudgements(
        next(iter(judges)),
        tuple(_points(model, own, questions, repeats) for model, own in verdicts.items()),
        repeats,
    )


def _points(
    model: str,
    verdicts: Mapping[tuple[int, int, int], tuple[float, str, str]],
    questions: Sequence[Question],
    repeats: int,
) -> ModelPoints:
    points = np.full((len(questions), len(ORDERS), repeats), np.nan)
    reasons: dict[str, str] = {}
    for (question, order, repeat), (value, why, _) in verdicts.items():
        points[question, order, repeat] = 1 - value if ORDERS[order] == "BA" else value
        if why:
            reasons.setdefault(questions[question].id, why)
    for i, asked in enumerate(questions):
        if np.isnan(points[i]).any():
            reasons.setdefault(asked.id, "no row for every order and repeat")
    return ModelPoints(model, points, reasons)


def _order(row: Row) -> int:
    order = row.text("order")
    if order not in ORDERS:
        raise UserError(f"{row.where}: order must be {' or '.join(ORDERS)}, got {shown(order)}")
    return ORDERS.index(order)


def _repeat(row: Row) -> int:
    value = row.values.get("repeat", 0)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_REPEATS:
        raise UserError(
            f"{row.where}: repeat must be a whole number from 0 below {MOST_REPEATS}, got "
            f"{shown(value)}"
        )
    return value


def _verdict(row: Row) -> tuple[float, str]:
    """The points, and why there are none."""
    if "verdict" not in row.values:
        raise UserError(f"{row.where}: has no verdict")
    value = row.values["verdict"]
    if value is None or value == "":
        return math.nan, str(row.values.get("missing") or "no verdict")
    if isinstance(value, str):
        if value in POINTS:
            return POINTS[value], ""
        try:
            value = float(value)
        except ValueError:
            value = math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UserError(
            f"{row.where}: verdict must be a number from 0 to 1, A, B, tie or null, got "
            f"{shown(row.values['verdict'])}"
        )
    return float(value), ""


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
