"""Answers and judgements in FastChat's formats, which `score` reads back to the same figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.mt_bench.rating import UNREADABLE, rating_in, verdict_in
from evaluation.naming import folder_name
from evaluation.records import ModelAnswers, Question
from mnpo.judging.calls import Call, Contract, Outcome
from mnpo.runs.files import digest

#: What FastChat writes where a judge gave no answer.
NO_JUDGEMENT = "$ERROR$"


def answer_file(answers: ModelAnswers, questions: Sequence[Question]) -> tuple[Path, str]:
    """``model_answer/MODEL.jsonl``: relative path and text."""
    rows = [
        {
            "question_id": _id(question.id),
            "answer_id": digest([answers.model, question.id, answers.answers[question.id].turns])[
                :22
            ],
            "model_id": answers.model,
            "choices": [{"index": 0, "turns": list(answers.answers[question.id].turns)}],
        }
        for question in questions
        if question.id in answers.answers
    ]
    return Path("model_answer") / f"{folder_name(answers.model)}.jsonl", _jsonl(rows)


def judgement_file(judge: str, mode: str, rows: Sequence[Mapping[str, Any]]) -> tuple[Path, str]:
    """``model_judgment/JUDGE_MODE.jsonl``: relative path and text."""
    return Path("model_judgment") / f"{folder_name(judge)}_{mode}.jsonl", _jsonl(rows)


def rating_row(
    model: str, question: str, turn: int, judge: tuple[str, str], call: Call, outcome: Outcome
) -> dict[str, Any]:
    """One rating.

    Where there is none the score is -1, as FastChat has it, and the judgement its mark of an
    error; what the judge wrote stands beside it.

    Args:
        model: whose answer.
        question: its id.
        turn: judged.
        judge: name and template.
        call: what was asked.
        outcome: what came of it.
    """
    return {
        "question_id": _id(question),
        "model": model,
        "judge": list(judge),
        "user_prompt": call.messages[-1].content,
        "judgment": _text(call.contract, outcome, rating_in(outcome.reply) == outcome.value),
        "score": UNREADABLE if outcome.value is None else outcome.value,
        "turn": turn,
        "repeat": call.repeat,
        **_why(outcome, ""),
    }


def match_row(
    models: tuple[str, str],
    question: str,
    turn: int,
    judge: tuple[str, str],
    games: Sequence[tuple[Call, Outcome, str]],
) -> dict[str, Any]:
    """One pair of games.

    Args:
        models: model_1 and model_2.
        question: its id.
        turn: judged.
        judge: name and template.
        games: call, outcome and winner of the game that shows model_1 first, and of the other.
    """
    row: dict[str, Any] = {
        "question_id": _id(question),
        "model_1": models[0],
        "model_2": models[1],
        "judge": list(judge),
        "turn": turn,
        "repeat": games[0][0].repeat,
    }
    for number, (call, outcome, winner) in enumerate(games, 1):
        same = outcome.value is not None and verdict_in(outcome.reply) == outcome.value
        row |= {
            f"g{number}_winner": winner,
            f"g{number}_user_prompt": call.messages[-1].content,
            f"g{number}_judgment": _text(call.contract, outcome, same),
            **_why(outcome, f"g{number}_"),
        }
    return row


def _text(contract: Contract, outcome: Outcome, same: bool) -> str:
    """What the judge wrote, from which the value is read again.

    A judge that scored the contract's choices wrote nothing: the likeliest continuation of the
    contract's lead stands for it.
    """
    if outcome.value is None:
        return NO_JUDGEMENT
    return outcome.reply if same else f"{contract.lead}[[{outcome.value}]]"


def _why(outcome: Outcome, prefix: str) -> dict[str, str]:
    if outcome.value is not None:
        return {}
    return {f"{prefix}missing": outcome.missing, f"{prefix}reply": outcome.reply}


def _id(question: str) -> int | str:
    """FastChat's ids are numbers."""
    return int(question) if question.isascii() and question.isdigit() else question


def _jsonl(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
