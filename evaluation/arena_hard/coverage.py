"""Which verdicts a model should have, and which it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.arena_hard.judged import Judged
from evaluation.arena_hard.versions import Version
from evaluation.gaps import Gap, require_whole
from mnpo.errors import UserError


@dataclass(frozen=True)
class Coverage:
    """How much of the benchmark one model's verdicts cover.

    Attributes:
        expected: questions.
        whole: with a verdict in both orders.
        halves: with one verdict of two.
    """

    expected: int
    whole: int
    halves: int

    @property
    def absent(self) -> int:
        """Questions without any verdict."""
        return self.expected - self.whole - self.halves


def measure(
    judged: Sequence[Judged],
    models: Sequence[str],
    expected: Mapping[str, int],
) -> dict[str, Coverage]:
    """Coverage by model, over all the categories that are expected."""
    whole = dict.fromkeys(models, 0)
    halves = dict.fromkeys(models, 0)
    for own in judged:
        whole[own.model] += len(own.grades) == 2
        halves[own.model] += len(own.grades) == 1
    total = sum(expected.values())
    return {model: Coverage(total, whole[model], halves[model]) for model in models}


def require_known(
    judged: Sequence[Judged], questions: Mapping[str, Sequence[str]] | None, version: Version
) -> None:
    """Refuse verdicts on questions that the benchmark has not.

    Args:
        judged: the records, each with its category.
        questions: ids by category; None where they are not known, and only counted.
        version: of the benchmark.

    Raises:
        UserError: an unknown question (which, where), or more questions than there are.
    """
    if questions is not None:
        known = {name: set(ids) for name, ids in questions.items()}
        for own in judged:
            if own.question not in known.get(own.category, ()):
                raise UserError(
                    f"{own.where}: question {own.question} is none of {version.benchmark}"
                    + (f", {own.category}" if len(version.categories) > 1 else "")
                )
        return
    for name, category in version.categories.items():
        found = {own.question for own in judged if own.category == name}
        if len(found) > category.questions:
            raise UserError(
                f"{name} has {category.questions} questions, the verdicts are on {len(found)}; are "
                "they of another benchmark? Give --questions F where the benchmark is your own"
            )


def require_complete(
    coverage: Mapping[str, Coverage], version: Version, *, allow_missing: bool
) -> None:
    """Refuse gaps that were not allowed.

    Raises:
        UserError: each model with a gap and its numbers.
    """
    require_whole(
        [
            Gap(
                f"{version.benchmark}, {model}",
                "whole verdicts",
                {"no verdict": own.absent, "in one order only": own.halves},
                own.expected,
            )
            for model, own in coverage.items()
        ],
        allow_missing,
    )
