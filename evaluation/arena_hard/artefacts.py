"""Answers and judgements in the benchmark's official formats, of 2024 or of today."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.arena_hard.answers_file import COUNTER
from evaluation.arena_hard.questions_file import ArenaQuestion
from evaluation.arena_hard.style import markdown_kinds, token_counter
from evaluation.naming import folder_name
from mnpo.judging.calls import Call, Outcome


@dataclass(frozen=True)
class JudgedAnswer:
    """One answer with what became of its two calls.

    Attributes:
        question: answered.
        baseline: the model compared with.
        text: the answer.
        games: call and outcome, the baseline first and then the model first.
    """

    question: ArenaQuestion
    baseline: str
    text: str
    games: tuple[tuple[Call, Outcome], tuple[Call, Outcome]]


def answer_lines(model: str, rows: Sequence[JudgedAnswer], *, current: bool) -> str:
    """The content of ``model_answer/MODEL.jsonl``.

    Style counts stand where the official code looks for them. Where the official token count could
    not be made, a field beside them says so, and `read_answers` will not take them for tokens.
    """
    count, counter = token_counter()
    lines = []
    for row in rows:
        counts: dict[str, Any] = {"token_len": count(row.text), **markdown_kinds(row.text)}
        own = hashlib.sha256(f"{model}\n{row.question.id}\n{row.text}".encode()).hexdigest()[:22]
        if current:
            line: dict[str, Any] = {
                "uid": row.question.id,
                "ans_id": own,
                "model": model,
                "messages": [
                    {"role": "user", "content": row.question.text},
                    {"role": "assistant", "content": {"answer": row.text}},
                ],
                "metadata": counts,
            }
        else:
            turn = {"content": row.text, "token_len": counts["token_len"]}
            line = {
                "question_id": row.question.id,
                "answer_id": own,
                "model_id": model,
                "choices": [{"index": 0, "turns": [turn]}],
                "conv_metadata": counts,
            }
        lines.append(line | ({COUNTER: counter} if counter else {}))
    return _jsonl(lines)


def judgment_lines(model: str, judge: str, rows: Sequence[JudgedAnswer], *, current: bool) -> str:
    """The content of ``model_judgment/JUDGE/MODEL.jsonl``; a game without a verdict scores null."""
    lines = []
    for row in rows:
        if current:
            line = {
                "uid": row.question.id,
                "category": row.question.category,
                "judge": judge,
                "model": model,
                "baseline": row.baseline,
                "games": [
                    {
                        "score": outcome.value,
                        "judgment": {"answer": outcome.reply},
                        "prompt": [
                            {"role": message.role, "content": message.content}
                            for message in call.messages
                        ],
                    }
                    for call, outcome in row.games
                ],
            }
        else:
            line = {
                "question_id": row.question.id,
                "model": model,
                "judge": judge,
                "games": [
                    {
                        "user_prompt": call.messages[-1].content,
                        "judgment": outcome.reply,
                        "score": outcome.value,
                    }
                    for call, outcome in row.games
                ],
            }
        lines.append(line)
    return _jsonl(lines)


def official_files(
    model: str, judge: str, rows: Sequence[JudgedAnswer], *, current: bool
) -> Iterator[tuple[Path, str]]:
    """Both files of one model, where the official code looks for them."""
    name = f"{folder_name(model)}.jsonl"
    yield Path("model_answer") / name, answer_lines(model, rows, current=current)
    yield (
        Path("model_judgment") / folder_name(judge) / name,
        judgment_lines(model, judge, rows, current=current),
    )


def _jsonl(lines: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
