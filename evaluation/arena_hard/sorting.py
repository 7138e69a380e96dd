"""From records to one table for each category: categories, baselines and questions agreed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluation.arena_hard.coverage import (
    Coverage,
    measure,
    require_complete,
    require_known,
)
from evaluation.arena_hard.judged import Collected, Judged
from evaluation.arena_hard.questions_file import ArenaQuestion, of_category
from evaluation.arena_hard.table import Table, tabulate
from evaluation.arena_hard.versions import Version
from mnpo.errors import UserError


@dataclass(frozen=True)
class Sorted:
    """The tables of the categories that were judged.

    Attributes:
        tables: by category, the headline's first.
        coverage: by model, over those categories.
        headline: by model, over the headline's category alone.
        notes: what a reader must know, one line each.
    """

    tables: dict[str, Table]
    coverage: dict[str, Coverage]
    headline: dict[str, Coverage]
    notes: tuple[str, ...]


def sort_verdicts(
    collected: Collected,
    version: Version,
    questions: Sequence[ArenaQuestion] | None,
    *,
    allow_missing: bool,
) -> Sorted:
    """Tables of a benchmark's verdicts, checked.

    A category on which there is no verdict at all was not judged: it is left out, and said.

    Args:
        collected: what was read.
        version: of the benchmark.
        questions: all that should be judged; None takes the version's number of questions.
        allow_missing: go on although verdicts are missing.

    Raises:
        UserError: a category cannot be told, two baselines in one, an unknown question, missing
            verdicts, or none.
    """
    judged = _with_categories(collected.judged, version, questions)
    models = tuple(dict.fromkeys(own.model for own in judged))
    models += tuple(
        dict.fromkeys(
            name
            for own in collected.between
            for name in (own.first, own.second)
            if name not in models
        )
    )
    alone = [model for model in models if all(own.model != model for own in judged)]
    if alone:
        raise UserError(f"{', '.join(alone)}: no battle against the baseline, so no win rate")
    if collected.between and len(version.categories) > 1:
        raise UserError(
            f"{version.benchmark} compares every model with the baseline only; "
            f"{collected.between[0].first} and {collected.between[0].second} meet in a battle"
        )
    ids = None
    if questions is not None:
        ids = {
            name: [own.id for own in of_category(questions, name)] for name in version.categories
        }
    require_known(judged, ids, version)
    present = [name for name in version.categories if any(own.category == name for own in judged)]
    expected = {
        name: version.categories[name].questions if ids is None else len(ids[name])
        for name in present
    }
    coverage = measure(judged, models, expected)
    require_complete(coverage, version, allow_missing=allow_missing)
    notes = [
        f"{name}: no verdicts, not scored"
        for name in version.categories
        if name not in present and (ids is None or ids[name])
    ]
    tables = {}
    for name in present:
        own = [record for record in judged if record.category == name]
        baseline = _baseline(own, name)
        if baseline != version.categories[name].baseline:
            notes.append(
                f"{name}: compared with {baseline}, the official baseline is "
                f"{version.categories[name].baseline}"
            )
        seen = list(dict.fromkeys(record.question for record in own))
        tables[name] = tabulate(
            own,
            category=name,
            baseline=baseline,
            models=tuple(m for m in models if any(record.model == m for record in own)),
            questions=ids[name] if ids is not None else _with_others(seen, collected),
            between=collected.between,
        )
    first = present[0]
    headline = measure(
        [own for own in judged if own.category == first], models, {first: expected[first]}
    )
    return Sorted(tables, coverage, headline, tuple(notes))


def _with_others(questions: list[str], collected: Collected) -> list[str]:
    return list(dict.fromkeys(questions + [own.question for own in collected.between]))


def _with_categories(
    judged: Sequence[Judged], version: Version, questions: Sequence[ArenaQuestion] | None
) -> list[Judged]:
    """Records whose file named no category get that of their question."""
    if all(own.category in version.categories for own in judged):
        return list(judged)
    if len(version.categories) == 1:
        return [replace(own, category=version.headline) for own in judged]
    if questions is None:
        raise UserError(
            f"{judged[0].where}: {version.benchmark} has several categories and the file names "
            "none; give --questions F"
        )
    known = {question.id: question.category for question in questions}
    found = []
    for own in judged:
        category = own.category if own.category in version.categories else known.get(own.question)
        if category is None:
            raise UserError(f"{own.where}: question {own.question} is none of {version.benchmark}")
        against = own.baseline or version.categories[category].baseline
        found.append(replace(own, category=category, baseline=against))
    return found


def _baseline(judged: Sequence[Judged], category: str) -> str:
    first = judged[0]
    for own in judged:
        if own.baseline != first.baseline:
            raise UserError(
                f"{own.where}: {category} has two baselines, '{first.baseline}' and "
                f"'{own.baseline}'; scores against different models cannot be compared"
            )
        if own.model == own.baseline:
            raise UserError(f"{own.where}: the baseline {own.model} is compared with itself")
    return first.baseline
