"""What a judged benchmark is to the harness: questions, calls to a judge, scores, artefacts."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from evaluation.records import ModelAnswers, Question
from evaluation.scores import Scores
from mnpo.judging.calls import Call, Outcome

#: Looks up what became of a call.
Verdicts: TypeAlias = Callable[[Call], Outcome]


class Benchmark(Protocol):
    """A benchmark whose answers a judge reads.

    The harness generates answers to `questions`, asks the judge `calls` of every model, and has
    `score` and `artefacts` read the outcomes. Calls are made twice, for asking and for reading:
    they must come out the same.
    """

    #: Name and version, e.g. "alpaca-eval-2".
    name: str

    def questions(self) -> tuple[Question, ...]:
        """What models are asked, in the benchmark's order."""
        ...

    def only(self, questions: Collection[str]) -> "Benchmark":
        """The same benchmark with these of its questions alone, by id."""
        ...

    def hashes(self) -> Mapping[str, str]:
        """sha256 of the files and templates that the scores depend on, by role."""
        ...

    def calls(self, answers: ModelAnswers) -> Iterator[Call]:
        """What a judge is asked about one model's answers.

        A question without an answer makes no call.
        """
        ...

    def score(
        self,
        answers: Sequence[ModelAnswers],
        verdicts: Verdicts,
        *,
        judge: str,
        allow_missing: bool = False,
    ) -> Scores:
        """The figures.

        Args:
            answers: of all models.
            verdicts: outcome of every call that `calls` makes.
            judge: its name.
            allow_missing: score although answers or verdicts are missing, and say how many.

        Raises:
            UserError: something is missing: which, and how many.
        """
        ...

    def artefacts(
        self, answers: Sequence[ModelAnswers], verdicts: Verdicts, *, judge: str
    ) -> Iterator[tuple[Path, str]]:
        """Files in the benchmark's official formats: relative path and text."""
        ...
