"""The mini-benchmark for the harness: questions, calls in both orders, scores, files."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.benchmark import Verdicts
from evaluation.data.files import BenchmarkFiles
from evaluation.mini.judgements_file import (
    answer_lines,
    judgement_lines,
    read_judgements,
)
from evaluation.mini.questions import (
    NAME,
    TEMPLATE,
    MiniQuestion,
    mini_questions,
    packaged,
)
from evaluation.mini.scoring import ORDERS, ModelPoints, score_points
from evaluation.mini.template import judge_question
from evaluation.naming import folder_name
from evaluation.points import PointsContract
from evaluation.records import ModelAnswers, Question, spread
from evaluation.scores import Scores
from mnpo.conversation import Message
from mnpo.errors import InvalidSetting
from mnpo.judging.calls import Call, Comparison, Outcome
from mnpo.judging.verdict_tag import INSTRUCTION
from mnpo.runs.files import digest

#: Longest reply of a judge that writes, tokens.
REPLY_TOKENS = 512
#: Of a judge that is asked the same several times: greedy replies would be copies of one another.
REPEAT_TEMPERATURE = 0.7


def open_benchmark(
    files: BenchmarkFiles | None = None, *, limit: int | None = None, repeats: int = 1
) -> "Mini":
    """The benchmark; it is part of the package and needs no files.

    Args:
        files: ignored, for the same call as of other benchmarks.
        limit: so many questions, evenly spread; None takes all 40.
        repeats: how often the judge is asked each question in each order.

    Raises:
        InvalidSetting: an impossible limit or number of repeats.
    """
    for name, value in (("limit", limit), ("repeats", repeats)):
        if value is not None and value < 1:
            raise InvalidSetting(f"{name} must be at least 1, got {value}")
    return Mini(spread(mini_questions(), limit), repeats)


def score_files(
    judgements: Sequence[Path], *, limit: int | None = None, allow_missing: bool = False
) -> Scores:
    """Scores from stored judgements; nobody is asked.

    Args:
        judgements: files, see `evaluation.mini.judgements_file`.
        limit: how many questions were asked; None takes all.
        allow_missing: score although verdicts are missing.

    Raises:
        UserError: as for `read_judgements` and `score_points`.
    """
    benchmark = open_benchmark(limit=limit)
    stored = read_judgements(judgements, benchmark.questions())
    return benchmark.scores(
        stored.models, judge=stored.judge, allow_missing=allow_missing, repeats=stored.repeats
    )


class Mini:
    """See `evaluation.benchmark.Benchmark`.

    Attributes:
        name: and version.
    """

    name = NAME

    def __init__(self, questions: Sequence[MiniQuestion], repeats: int) -> None:
        self._questions = tuple(questions)
        self._repeats = repeats
        self._contract = PointsContract()
        self._template = f"{NAME}/{digest([packaged(TEMPLATE), INSTRUCTION])[:12]}"

    def questions(self) -> tuple[Question, ...]:
        """What models are asked."""
        return tuple(own.question for own in self._questions)

    def only(self, questions: Collection[str]) -> "Mini":
        """With these questions alone."""
        chosen = [own for own in self._questions if own.question.id in questions]
        return Mini(chosen, self._repeats)

    def hashes(self) -> Mapping[str, str]:
        """Of what is asked, compared with and shown to the judge."""
        return {
            "questions": digest([[q.question.id, *q.question.turns] for q in self._questions]),
            "reference_answers": digest([[q.question.id, q.reference] for q in self._questions]),
            "judge_template": digest([packaged(TEMPLATE), INSTRUCTION]),
        }

    def calls(self, answers: ModelAnswers) -> Iterator[Call]:
        """Both orders of each question, as often as the benchmark repeats."""
        for own in self._questions:
            for _, call in self._calls_of(own, answers):
                yield call

    def score(
        self,
        answers: Sequence[ModelAnswers],
        verdicts: Verdicts,
        *,
        judge: str,
        allow_missing: bool = False,
    ) -> Scores:
        """Win rates against the reference answers, in percent.

        Raises:
            UserError: an answer or a verdict is missing.
        """
        return self.scores(
            [self._points(own, verdicts) for own in answers],
            judge=judge,
            allow_missing=allow_missing,
            repeats=self._repeats,
        )

    def scores(
        self, models: Sequence[ModelPoints], *, judge: str, allow_missing: bool, repeats: int
    ) -> Scores:
        """Figures of verdicts that are already points."""
        notes = [
            f"{NAME} has {len(mini_questions())} questions: it tells a broken model from a working "
            "one, not a good one from a better one"
        ]
        if len(self._questions) < len(mini_questions()):
            notes.append(f"only {len(self._questions)} of them were asked")
        return score_points(
            self.questions(),
            models,
            judge=judge,
            allow_missing=allow_missing,
            hashes=self.hashes(),
            settings=self._parameters(repeats)
            | {
                "repeats": repeats,
                "orders": list(ORDERS),
                "questions": len(self._questions),
                "contract": self._contract.name,
                "template": self._template,
            },
            notes=notes,
        )

    def artefacts(
        self, answers: Sequence[ModelAnswers], verdicts: Verdicts, *, judge: str
    ) -> Iterator[tuple[Path, str]]:
        """``answers/MODEL.jsonl`` and ``judgements/MODEL.jsonl``."""
        for own in answers:
            name = f"{folder_name(own.model)}.jsonl"
            yield Path("answers") / name, answer_lines(own, self.questions())
            asked = [
                (question.question.id, call, verdicts(call))
                for question in self._questions
                for _, call in self._calls_of(question, own)
            ]
            yield Path("judgements") / name, judgement_lines(own.model, judge, asked)

    def _calls_of(
        self, own: MiniQuestion, answers: ModelAnswers
    ) -> Iterator[tuple[tuple[int, int], Call]]:
        """Each call with the numbers of its order and repeat."""
        given = answers.answers.get(own.question.id)
        if given is None:
            return
        (prompt,), (text,) = own.question.turns, given.turns
        for place, order in enumerate(ORDERS):
            first, second = (text, own.reference) if order == "AB" else (own.reference, text)
            messages = judge_question(prompt, first, second)
            for repeat in range(self._repeats):
                yield (
                    (place, repeat),
                    Call(
                        item=f"{NAME}/{own.question.id}/{order}/{answers.model}",
                        question=own.question.id,
                        messages=messages,
                        contract=self._contract,
                        template=self._template,
                        parameters=self._parameters(self._repeats),
                        order=order,
                        repeat=repeat,
                        comparison=Comparison((Message("user", prompt),), first, second),
                    ),
                )

    def _points(self, answers: ModelAnswers, verdicts: Verdicts) -> ModelPoints:
        points = np.full((len(self._questions), len(ORDERS), self._repeats), np.nan)
        reasons: dict[str, str] = {}
        for i, own in enumerate(self._questions):
            if own.question.id not in answers.answers:
                reasons[own.question.id] = "no answer"
            for (place, repeat), call in self._calls_of(own, answers):
                outcome: Outcome = verdicts(call)
                if outcome.value is None:
                    reasons.setdefault(own.question.id, outcome.missing or "no verdict")
                else:
                    value = float(outcome.value)
                    points[i, place, repeat] = 1 - value if call.order == "BA" else value
        return ModelPoints(answers.model, points, reasons, self._lengths(answers))

    def _lengths(self, answers: ModelAnswers) -> dict[str, Any]:
        """Words of the answers and of the references to the same questions."""
        both = [
            (len(answers.answers[q.question.id].turns[0].split()), len(q.reference.split()))
            for q in self._questions
            if q.question.id in answers.answers
        ]
        if not both:
            return {}
        own, theirs = np.mean(both, axis=0)
        return {"mean_words": float(own), "mean_words_of_references": float(theirs)}

    def _parameters(self, repeats: int) -> dict[str, Any]:
        temperature = 0.0 if repeats == 1 else REPEAT_TEMPERATURE
        return {"temperature": temperature, "max_tokens": REPLY_TOKENS}
