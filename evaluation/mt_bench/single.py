"""Single-answer grading: a judge rates each turn of each answer from 1 to 10."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path

from evaluation.benchmark import Verdicts
from evaluation.mt_bench.artefacts import answer_file, judgement_file, rating_row
from evaluation.mt_bench.context import context_of
from evaluation.mt_bench.contracts import RatingContract
from evaluation.mt_bench.judgements import Judgement
from evaluation.mt_bench.materials import PARAMETERS, Materials, answered_turns
from evaluation.mt_bench.missing import missing_notes
from evaluation.mt_bench.questions import question_set
from evaluation.mt_bench.scoring import NAME, score_ratings
from evaluation.records import ModelAnswers, Question
from evaluation.scores import Scores
from mnpo.errors import UserError
from mnpo.judging.calls import Call


class SingleGrading:
    """See `evaluation.benchmark.Benchmark`.

    Args:
        materials: the benchmark's files.
        repeats: how often each answer is judged.
    """

    name = NAME

    def __init__(self, materials: Materials, repeats: int = 1) -> None:
        self._materials = materials
        self._repeats = repeats
        self._contract = RatingContract()

    def questions(self) -> tuple[Question, ...]:
        """With FastChat's temperature of each category."""
        return self._materials.questions

    def only(self, questions: Collection[str]) -> "SingleGrading":
        """With these questions alone."""
        own = copy(self)
        own._materials = self._materials.only(questions)
        return own

    def hashes(self) -> Mapping[str, str]:
        """Of the files read and of each template."""
        return self._materials.hashes

    def calls(self, answers: ModelAnswers) -> Iterator[Call]:
        """One for each turn and repeat."""
        for *_, call in self._asked(answers):
            yield call

    def score(
        self,
        answers: Sequence[ModelAnswers],
        verdicts: Verdicts,
        *,
        judge: str,
        allow_missing: bool = False,
    ) -> Scores:
        """See `evaluation.mt_bench.scoring.score_ratings`.

        Raises:
            UserError: answers or ratings are missing.
        """
        judgements = []
        asked = []
        for own in answers:
            for question, turn, call in self._asked(own):
                outcome = verdicts(call)
                asked.append((call, outcome))
                judgements.append(
                    Judgement(
                        own.model,
                        question.id,
                        turn,
                        judge,
                        self._materials.template(question, turn).name,
                        outcome.value,
                        outcome.reply,
                    )
                )
        lacking = [own.model for own in answers if next(self._asked(own), None) is None]
        if lacking or not answers:
            raise UserError(f"{NAME}: no answers to score of {', '.join(lacking) or 'any model'}")
        notes = missing_notes(asked, allow_missing, NAME)
        return score_ratings(
            judgements,
            question_set(self._materials.questions, "the benchmark's questions"),
            allow_missing=allow_missing,
            context=context_of(self._materials, self.hashes(), answers, self._repeats, notes),
        )

    def artefacts(
        self, answers: Sequence[ModelAnswers], verdicts: Verdicts, *, judge: str
    ) -> Iterator[tuple[Path, str]]:
        """FastChat's ``model_answer/MODEL.jsonl`` and ``model_judgment/JUDGE_single.jsonl``."""
        rows = []
        for own in answers:
            yield answer_file(own, self._materials.questions)
            rows += [
                rating_row(
                    own.model,
                    question.id,
                    turn,
                    (judge, self._materials.template(question, turn).name),
                    call,
                    verdicts(call),
                )
                for question, turn, call in self._asked(own)
            ]
        yield judgement_file(judge, "single", rows)

    def _asked(self, answers: ModelAnswers) -> Iterator[tuple[Question, int, Call]]:
        for question in self._materials.questions:
            answer = answers.answers.get(question.id)
            if answer is None:
                continue
            for turn in range(1, answered_turns(question, answer) + 1):
                template = self._materials.template(question, turn)
                values = self._materials.values(question, turn, {"answer": answer})
                for repeat in range(self._repeats):
                    yield (
                        question,
                        turn,
                        Call(
                            item=f"{question.id}/turn-{turn}/{answers.model}",
                            question=question.id,
                            messages=template.messages(values),
                            contract=self._contract,
                            template=template.label,
                            parameters=PARAMETERS,
                            repeat=repeat,
                        ),
                    )
