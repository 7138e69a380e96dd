"""Answers that were made elsewhere, in the official formats of the benchmarks.

Read are AlpacaEval's model outputs (``instruction``, ``output``, ``generator``), FastChat's and
Arena-Hard's answers of 2024 (``question_id``, ``model_id``, ``choices[0].turns``) and Arena-Hard's
of 2025 (``uid``, ``model``, ``messages``), and the mini-benchmark's (``question_id``, ``answer``).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.records import Answer, ModelAnswers, Question
from evaluation.rows import Row, read_rows
from mnpo.errors import UserError
from mnpo.runs.files import sha256_file

_NAMES = ("generator", "model_id", "model")


def read_answers(
    path: Path, questions: Sequence[Question], *, name: str | None = None
) -> ModelAnswers:
    """One model's answers from a file; questions without one are left out.

    Args:
        path: json, jsonl or csv, gzipped or not.
        questions: of the benchmark; a row names its question by id, index or text.
        name: the model's; None takes the file's own.

    Raises:
        UserError: the file cannot be read; a row has no answer, is of no question of the
            benchmark, is there twice, or of another model than the others; its text is not the
            question's.
    """
    by_id = {question.id: question for question in questions}
    by_text = {question.turns[0]: question for question in questions}
    answers: dict[str, Answer] = {}
    places: dict[str, str] = {}
    models: dict[str, str] = {}
    for row in read_rows(path):
        question = _question(row, by_id, by_text)
        if question.id in answers:
            raise UserError(
                f"{row.where}: question {question.id} was answered before, in "
                f"{places[question.id]}; leave one of them"
            )
        answers[question.id] = _answer(row, question)
        places[question.id] = row.where
        found = next(
            (row.values[key] for key in _NAMES if isinstance(row.values.get(key), str)), ""
        )
        models.setdefault(found, row.where)
        if len(models) > 1:
            (first, _), (second, where) = models.items()
            raise UserError(f"{where}: is of model '{second}', those before of '{first}'")
    if not answers:
        raise UserError(f"{path}: holds no answers")
    own = name or next(iter(models)) or path.name.partition(".")[0]
    return ModelAnswers(own, answers, {"answers": sha256_file(path)})


def _question(row: Row, by_id: Mapping[str, Question], by_text: Mapping[str, Question]) -> Question:
    for key in ("question_id", "uid", "id", "index"):
        if key in row.values:
            found = by_id.get(str(row.values[key]))
            if found is None:
                raise UserError(
                    f"{row.where}: {key} {row.values[key]!r} is no question of the benchmark"
                )
            text = row.values.get("instruction")
            if isinstance(text, str) and text != found.turns[0]:
                raise UserError(f"{row.where}: its instruction is not the text of {key} {found.id}")
            return found
    text = row.text("instruction", "prompt")
    if text not in by_text:
        raise UserError(f"{row.where}: its instruction is no question of the benchmark")
    return by_text[text]


def _answer(row: Row, question: Question) -> Answer:
    turns = _turns(row)
    if len(turns) != len(question.turns):
        raise UserError(
            f"{row.where}: has {len(turns)} answers to {len(question.turns)} turns of question "
            f"{question.id}"
        )
    for text in turns:
        if not isinstance(text, str):
            raise UserError(f"{row.where}: its answer must be a text, got {text!r}")
    return Answer(turns=tuple(turns))


def _turns(row: Row) -> list[Any]:
    values = row.values
    try:
        for name in ("output", "answer"):
            if name in values:
                return [values[name]]
        if "choices" in values:
            return [_content(turn) for turn in values["choices"][0]["turns"]]
        if "messages" in values:
            own = [m["content"] for m in values["messages"] if m["role"] == "assistant"]
            return [text["answer"] if isinstance(text, dict) else text for text in own]
    except (KeyError, IndexError, TypeError):
        pass
    raise UserError(f"{row.where}: has no answer (output, choices[0].turns or messages)")


def _content(turn: Any) -> Any:
    return turn["content"] if isinstance(turn, dict) else turn
