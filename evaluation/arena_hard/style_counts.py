"""Style counts of the answers behind a table, as arrays."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

import numpy as np

from evaluation.arena_hard.answers_file import StoredAnswer
from evaluation.arena_hard.style import measured, token_counter
from evaluation.arena_hard.table import Array, Table
from mnpo.errors import UserError


@dataclass(frozen=True, eq=False)
class StyleCounts:
    """What style control needs of the answers.

    Attributes:
        models: (M, Q, 4) counts; 0 where there is no verdict.
        baseline: (Q, 4) of the baseline's answers.
        counter: "" for the official token count, else what was counted instead.
    """

    models: Array
    baseline: Array
    counter: str


def count_styles(table: Table, answers: Mapping[str, Mapping[str, StoredAnswer]]) -> StyleCounts:
    """Counts for every verdict of a table.

    Where one of the answers has no stored token count, the tokens of all are counted anew and
    alike: a difference between two ways of counting would pass for a difference in length.

    Raises:
        UserError: an answer is not there.
    """
    played = table.played
    needed = {
        model: [q for q, own in zip(table.questions, played[i], strict=True) if own]
        for i, model in enumerate(table.models)
    }
    asked = np.asarray(played.any(axis=0))
    needed[table.baseline] = [q for q, own in zip(table.questions, asked, strict=True) if own]
    for model, questions in needed.items():
        own = answers.get(model, {})
        lacking = [question for question in questions if question not in own]
        if lacking:
            raise UserError(
                f"style control needs the answers of {model} to all judged questions, "
                f"{len(lacking)} of {len(questions)} are not in the --answers files, e.g. to "
                f"{lacking[0]}"
            )
    found = [answers[model][q] for model, questions in needed.items() for q in questions]
    stored = all(answer.style is not None for answer in found)
    rows, counter = _rows(found, stored)
    counts = np.zeros((len(table.models), len(table.questions), 4))
    baseline = np.zeros((len(table.questions), 4))
    sizes = int(played.sum())
    counts[played] = rows[:sizes]
    baseline[asked] = rows[sizes:]
    return StyleCounts(counts, baseline, counter)


def _rows(answers: Iterable[StoredAnswer], stored: bool) -> tuple[Array, str]:
    if stored:
        rows = [astuple(answer.style) for answer in answers if answer.style is not None]
        return np.array(rows, dtype=np.float64), ""
    count, name = token_counter()
    rows = [astuple(measured(answer.text, count)) for answer in answers]
    return np.array(rows, dtype=np.float64), name
