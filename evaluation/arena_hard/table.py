"""Verdicts of one category as arrays: models down, questions across."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evaluation.arena_hard.judged import Between, Judged

Array: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]

#: What the last axis of `Table.battles` stands for.
POINTS = np.array([0.0, 0.5, 1.0])


@dataclass(frozen=True, eq=False)
class Table:
    """All verdicts of one category.

    Attributes:
        category: its name.
        baseline: whom everybody plays against.
        models: names, without the baseline's.
        questions: ids, in the benchmark's order.
        battles: (M, Q, 3) rows that the official formulas see: lost, tied, won; a strong verdict
            makes three.
        games: (M, Q, 3) verdicts, each once.
        between: battles of two of the models.
    """

    category: str
    baseline: str
    models: tuple[str, ...]
    questions: tuple[str, ...]
    battles: Counts
    games: Counts
    between: tuple[Between, ...] = ()

    @property
    def played(self) -> NDArray[np.bool_]:
        """(M, Q) whether there is a verdict at all."""
        return np.asarray(self.games.any(axis=2))

    @property
    def whole(self) -> NDArray[np.bool_]:
        """(M, Q) whether there is a verdict in both orders."""
        return np.asarray(self.games.sum(axis=2) == 2)

    def of_questions(self, keep: Sequence[str]) -> "Table":
        """The same for some of the questions."""
        wanted = set(keep)
        at = [i for i, question in enumerate(self.questions) if question in wanted]
        return Table(
            self.category,
            self.baseline,
            self.models,
            tuple(self.questions[i] for i in at),
            self.battles[:, at],
            self.games[:, at],
            tuple(own for own in self.between if own.question in wanted),
        )

    def of_whole_games(self) -> "Table":
        """Without the questions for which a model has one verdict of two."""
        whole = self.whole[:, :, None]
        return Table(
            self.category,
            self.baseline,
            self.models,
            self.questions,
            self.battles * whole,
            self.games * whole,
            self.between,
        )


def tabulate(
    judged: Sequence[Judged],
    *,
    category: str,
    baseline: str,
    models: Sequence[str],
    questions: Sequence[str],
    between: Sequence[Between] = (),
) -> Table:
    """The table of one category.

    Args:
        judged: its records, no model and question twice.
        category: of all of them.
        baseline: of all of them.
        models: in the order wanted; models without a record get an empty line.
        questions: in the order wanted, every one that has a record.
        between: battles of two of the models.
    """
    line = {model: i for i, model in enumerate(models)}
    column = {question: i for i, question in enumerate(questions)}
    battles = np.zeros((len(models), len(questions), 3), dtype=np.int64)
    games = np.zeros_like(battles)
    for own in judged:
        for verdict in own.grades:
            at = (line[own.model], column[own.question], round(2 * verdict.points))
            battles[at] += verdict.weight
            games[at] += 1
    return Table(
        category, baseline, tuple(models), tuple(questions), battles, games, tuple(between)
    )
