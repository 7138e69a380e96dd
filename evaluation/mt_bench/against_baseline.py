"""Pairwise comparison: a judge sees each answer beside the baseline's, in both orders."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from evaluation.benchmark import Verdicts
from evaluation.mt_bench.artefacts import answer_file, judgement_file, match_row
from evaluation.mt_bench.context import context_of
from evaluation.mt_bench.contracts import VerdictContract
from evaluation.mt_bench.games import ERROR, Match, meaning
from evaluation.mt_bench.materials import PARAMETERS, Materials, answered_turns
from evaluation.mt_bench.missing import missing_notes
from evaluation.mt_bench.pairwise import NAME, score_matches
from evaluation.mt_bench.questions import question_set
from evaluation.records import Answer, ModelAnswers, Question
from evaluation.scores import Scores
from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.judging.calls import Call, Comparison, Outcome


@dataclass(frozen=True)
class _Asked:
    """Two calls about one turn: the model shown first, and second."""

    question: Question
    turn: int
    template: str
    calls: tuple[Call, Call]

    def winners(self, outcomes: Sequence[Outcome]) -> tuple[str | None, str | None]:
        found = [
            None if outcome.value is None else meaning(outcome.value, game)
            for game, outcome in enumerate(outcomes)
        ]
        return found[0], found[1]


class AgainstBaseline:
    """See `evaluation.benchmark.Benchmark`.

    Args:
        materials: the benchmark's files.
        baseline: its name and its answers' texts, by question id.
        repeats: how often each pair is judged in each order.
    """

    name = NAME

    def __init__(
        self,
        materials: Materials,
        baseline: tuple[str, Mapping[str, tuple[str, ...]]],
        repeats: int = 1,
    ) -> None:
        self._materials = materials
        self._baseline, texts = baseline
        self._answers = {key: Answer(turns) for key, turns in texts.items()}
        self._repeats = repeats
        self._contract = VerdictContract()
        for question in materials.questions:
            if answered_turns(question, self._answers.get(question.id)) < len(question.turns):
                raise UserError(
                    f"{NAME}: the baseline {self._baseline} has not answered both turns of "
                    f"question {question.id}"
                )

    def questions(self) -> tuple[Question, ...]:
        """With FastChat's temperature of each category."""
        return self._materials.questions

    def only(self, questions: Collection[str]) -> "AgainstBaseline":
        """With these questions alone."""
        own = copy(self)
        own._materials = self._materials.only(questions)
        return own

    def hashes(self) -> Mapping[str, str]:
        """Of the files read and of each template."""
        return self._materials.hashes

    def calls(self, answers: ModelAnswers) -> Iterator[Call]:
        """Two for each turn and repeat.

        Raises:
            UserError: the model is the baseline.
        """
        for asked in self._asked(answers):
            yield from asked.calls

    def score(
        self,
        answers: Sequence[ModelAnswers],
        verdicts: Verdicts,
        *,
        judge: str,
        allow_missing: bool = False,
    ) -> Scores:
        """See `evaluation.mt_bench.pairwise.score_matches`.

        Raises:
            UserError: answers or verdicts are missing.
        """
        matches: list[Match] = []
        outcomes: list[tuple[Call, Outcome]] = []
        for own in answers:
            before = len(matches)
            for asked in self._asked(own):
                found = [verdicts(call) for call in asked.calls]
                outcomes += zip(asked.calls, found, strict=True)
                matches.append(
                    Match(
                        own.model,
                        self._baseline,
                        asked.question.id,
                        asked.turn,
                        judge,
                        asked.template,
                        asked.winners(found),
                    )
                )
            if len(matches) == before:
                raise UserError(f"{NAME}: no answers to score of {own.model}")
        if not matches:
            raise UserError(f"{NAME}: no answers to score")
        notes = missing_notes(outcomes, allow_missing, NAME)
        return score_matches(
            matches,
            question_set(self._materials.questions, "the benchmark's questions"),
            baseline=self._baseline,
            allow_missing=allow_missing,
            context=context_of(self._materials, self.hashes(), answers, self._repeats, notes),
        )

    def artefacts(
        self, answers: Sequence[ModelAnswers], verdicts: Verdicts, *, judge: str
    ) -> Iterator[tuple[Path, str]]:
        """FastChat's ``model_answer/MODEL.jsonl`` and ``model_judgment/JUDGE_pair.jsonl``."""
        rows = []
        for own in answers:
            yield answer_file(own, self._materials.questions)
            for asked in self._asked(own):
                found = [verdicts(call) for call in asked.calls]
                one, other = (winner or ERROR for winner in asked.winners(found))
                rows.append(
                    match_row(
                        (own.model, self._baseline),
                        asked.question.id,
                        asked.turn,
                        (judge, asked.template),
                        list(zip(asked.calls, found, (one, other), strict=True)),
                    )
                )
        yield judgement_file(judge, "pair", rows)

    def _asked(self, answers: ModelAnswers) -> Iterator[_Asked]:
        if answers.model == self._baseline:
            raise UserError(
                f"{NAME}: {answers.model} is the baseline that all models are compared with; give "
                "the model another name or leave it out"
            )
        for question in self._materials.questions:
            answer = answers.answers.get(question.id)
            if answer is None:
                continue
            base = self._answers[question.id]
            for turn in range(1, answered_turns(question, answer) + 1):
                template = self._materials.template(question, turn)
                for repeat in range(self._repeats):
                    one, other = (
                        Call(
                            item=f"{question.id}/turn-{turn}/{answers.model}/{order}",
                            question=question.id,
                            messages=template.messages(
                                self._materials.values(
                                    question, turn, {"answer_a": a, "answer_b": b}
                                )
                            ),
                            contract=self._contract,
                            template=template.label,
                            parameters=PARAMETERS,
                            order=order,
                            repeat=repeat,
                            comparison=_comparison(question, turn, a, b),
                        )
                        for order, a, b in (("AB", answer, base), ("BA", base, answer))
                    )
                    yield _Asked(question, turn, template.name, (one, other))


def _comparison(question: Question, turn: int, first: Answer, second: Answer) -> Comparison | None:
    """For judges that read no template; a second turn has two different histories and so none."""
    if turn > 1:
        return None
    return Comparison((Message("user", question.turns[0]),), first.turns[0], second.turns[0])
