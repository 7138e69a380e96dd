"""Whether everything was judged, by one judge, and nothing else."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

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
    gaps: Mapping[str, Sequence[Cell]], wanted: int, allow_missing: bool, what: str = "judgements"
) -> None:
    """Nothing, or a refusal of models that lack judgements.

    Args:
        gaps: what each model lacks.
        wanted: judgements of a whole model.
        allow_missing: do not refuse.
        what: is missing.

    Raises:
        UserError: the first such model, what it lacks, and how many other models lack something.
    """
    lacking = {model: cells for model, cells in gaps.items() if cells}
    if not lacking or allow_missing:
        return
    model, cells = next(iter(lacking.items()))
    others = f"; {len(lacking) - 1} other models lack some too" if len(lacking) > 1 else ""
    raise UserError(
        f"{model}: {wanted - len(cells)} of {wanted} {what} are there, missing: {listed(cells)}"
        f"{others}; --allow-missing scores what there is"
    )


def listed(cells: Sequence[Cell]) -> str:
    """``question 81 turn 1, question 81 turn 2 and 3 more``."""
    text = ", ".join(f"question {question} turn {turn}" for question, turn in cells[:NAMED])
    return text + (f" and {len(cells) - NAMED} more" if len(cells) > NAMED else "")
