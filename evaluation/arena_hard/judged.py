"""What all files of verdicts are read into: one record for each model and question."""

from dataclasses import dataclass

from evaluation.arena_hard.verdicts import Grade


@dataclass(frozen=True)
class Judged:
    """The verdicts on one model's answer to one question.

    Attributes:
        model: who answered.
        question: its id.
        category: of the question; "" where the file does not say.
        baseline: whom it was compared with.
        games: of both orders (the baseline first, the model first); None where there is no
            verdict. A battle file does not tell the orders apart.
        where: file and row, for messages.
    """

    model: str
    question: str
    category: str
    baseline: str
    games: tuple[Grade | None, Grade | None]
    where: str

    @property
    def grades(self) -> tuple[Grade, ...]:
        """The verdicts that are there."""
        return tuple(game for game in self.games if game is not None)


@dataclass(frozen=True)
class Between:
    """A battle of two models neither of which is the baseline; only Bradley-Terry uses it.

    Attributes:
        first, second: the models.
        question: its id.
        points: 1 the first won, 0.5 a tie, 0 it lost.
    """

    first: str
    second: str
    question: str
    points: float


@dataclass(frozen=True)
class Collected:
    """Everything that was read from the files of one benchmark.

    Attributes:
        judged: no model and question twice.
        between: battles without the baseline.
        judge: who judged, "" where the files do not say.
        notes: what a reader must know of the reading, one line each.
    """

    judged: tuple[Judged, ...]
    between: tuple[Between, ...] = ()
    judge: str = ""
    notes: tuple[str, ...] = ()
