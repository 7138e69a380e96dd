"""Whether everything was judged, by one judge, and nothing else."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from evaluation import gaps
from evaluation.gaps import Gap
from evaluation.mt_bench.questions import QuestionSet
from mnpo.errors import UserError, suggest

#: Question and turn.
Cell: TypeAlias = tuple[str, int]
#: As many are named in a message.
NAMED = 5


def only_judge(judges: Iterable[str], wanted: str | None) -> str:
    """The one judge of the rows.

    Args:
        judges: of every row.
        wanted: the one to keep, None where there must be only one.

    Raises:
        UserError: there are several and none is wanted, or the wanted one is not among them.
    """
    counts = Counter(judges)
    if wanted is not None:
        if wanted not in counts:
            raise UserError(f"no row was judged by '{wanted}'{suggest(wanted, counts)}")
        return wanted
    if len(counts) > 1:
        found = ", ".join(f"{name} ({count} rows)" for name, count in counts.items())
        raise UserError(
            f"the judgements come from several judges: {found}; their figures are not comparable, "
            "score one with --judge NAME"
        )
    return next(iter(counts))


def require_known(cells: Iterable[Cell], questions: QuestionSet, whose: str) -> None:
    """Nothing, or a refusal of questions and turns that the benchmark does not have.

    Raises:
        UserError: which.
    """
    wrong = [cell for cell in dict.fromkeys(cells) if cell[1] > questions.turns.get(cell[0], 0)]
    if wrong:
        raise UserError(
            f"{whose}: {listed(wrong)} {'is' if len(wrong) == 1 else 'are'} not among "
            f"{questions.source}; give the file of other questions with --questions"
        )


def absent_cells(judged: Collection[Cell], questions: QuestionSet) -> list[Cell]:
    """What was not judged, in the benchmark's order."""
    seen = set(judged)
    return [cell for cell in questions.cells() if cell not in seen]


def require_whole(
    lacking: Mapping[str, Sequence[Cell]],
    wanted: int,
    allow_missing: bool,
    what: str = "judgements",
) -> None:
    """Nothing, or a refusal of models that lack judgements.

    Args:
        lacking: what each model lacks.
        wanted: judgements of a whole model.
        allow_missing: do not refuse.
        what: is missing.

    Raises:
        UserError: the first such models, what they lack, and how many others lack something.
    """
    gaps.require_whole(
        [Gap(model, what, {"": named(cells)}, wanted) for model, cells in lacking.items()],
        allow_missing,
    )


def named(cells: Sequence[Cell]) -> list[str]:
    """``question 81 turn 1``."""
    return [f"question {question} turn {turn}" for question, turn in cells]


def listed(cells: Sequence[Cell]) -> str:
    """``question 81 turn 1, question 81 turn 2 and 3 more``."""
    text = ", ".join(named(cells[:NAMED]))
    return text + (f" and {len(cells) - NAMED} more" if len(cells) > NAMED else "")
