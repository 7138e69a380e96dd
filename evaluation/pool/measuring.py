"""From verdicts to a win matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.benchmark import Verdicts
from evaluation.pool.asking import by_model, calls_of, meetings
from evaluation.records import ModelAnswers, Question
from evaluation.winmatrix import WinMatrix
from mnpo.judging.calls import Contract


@dataclass(frozen=True, eq=False)
class Measured:
    """What the verdicts say.

    Attributes:
        wins: (questions, N, N); a pair is NaN on a question that either did not answer, or of
            which any verdict is missing.
        unanswered: by model, the questions without an answer.
        unjudged: meetings without all verdicts: question, first, second, why.
        alike: meetings of two answers of the same text, which tie.
    """

    wins: WinMatrix
    unanswered: dict[str, tuple[str, ...]]
    unjudged: tuple[tuple[str, str, str, str], ...]
    alike: int


def measure(
    questions: Sequence[Question],
    answers: Sequence[ModelAnswers],
    verdicts: Verdicts,
    *,
    template: str,
    contract: Contract,
    repeats: int,
) -> Measured:
    """Read all outcomes.

    On each question a pair's win rate is the mean over samples, repeats and both orders, so that a
    judge's liking for the first answer cancels. A meeting without all of its verdicts makes its
    pair and question missing: what is left of it would lean.

    Raises:
        UserError: from `meetings`.
    """
    pool = by_model(answers)
    place = {model: index for index, model in enumerate(pool)}
    row = {question.id: index for index, question in enumerate(questions)}
    sums = np.zeros((len(questions), len(pool), len(pool)))
    counts = np.zeros_like(sums)
    unjudged, alike = [], 0
    for meeting in meetings(questions, answers):
        where = row[meeting.question.id], place[meeting.first], place[meeting.second]
        if meeting.alike:
            alike += 1
            sums[where] += 0.5
            counts[where] += 1
            continue
        values, why = [], ""
        for pair in calls_of(meeting, template=template, contract=contract, repeats=repeats):
            for call in pair:
                outcome = verdicts(call)
                if outcome.value is None:
                    why = why or outcome.missing or "no verdict"
                else:
                    value = float(outcome.value)
                    values.append(value if call.order == "AB" else 1 - value)
        if why:
            unjudged.append((meeting.question.id, meeting.first, meeting.second, why))
            counts[where] = -np.inf  # whatever other samples say
        else:
            sums[where] += float(np.mean(values))
            counts[where] += 1
    wins = np.full_like(sums, np.nan)
    np.divide(sums, counts, out=wins, where=counts > 0)
    upper = np.triu_indices(len(pool), 1)
    wins[:, upper[1], upper[0]] = 1 - wins[:, upper[0], upper[1]]
    present = np.array(
        [[any(q.id in own.answers for own in pool[model]) for model in pool] for q in questions]
    )
    everyone = np.arange(len(pool))
    wins[:, everyone, everyone] = np.where(present, 0.5, np.nan)
    return Measured(
        wins=WinMatrix(tuple(pool), wins),
        unanswered={
            model: tuple(
                q.id for q, there in zip(questions, present[:, i], strict=True) if not there
            )
            for i, model in enumerate(pool)
        },
        unjudged=tuple(unjudged),
        alike=alike,
    )
