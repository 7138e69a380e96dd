"""Measurements that may stand in one column: the same in everything but the policy."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from leaderboards.board import Column
from leaderboards.collect.measurements import HELD_OUT, Measurement
from leaderboards.collect.metrics import (
    Metric,
    benchmark_place,
    benchmark_title,
    metric_of,
    metric_place,
)
from mnpo.runs.files import digest

Conditions = tuple[tuple[str, str], ...]
#: Answers that were all given; they go with answers that were generated in one way.
_ANSWERS, GIVEN = "answers", "given"


@dataclass(frozen=True)
class Group:
    """A column and what stands in it.

    Attributes:
        column: the column.
        metric: what its figures are.
        members: its figures, one for each policy and seed, or several that were measured twice.
    """

    column: Column
    metric: Metric
    members: tuple[Measurement, ...]


@dataclass(frozen=True)
class _Place:
    benchmark: str
    metric: str
    on: str
    judge: str
    probability: bool


def make_columns(
    measurements: Iterable[Measurement], taken: Callable[[Measurement], bool] = lambda own: True
) -> tuple[list[Group], list[str]]:
    """Columns in their order, and a line for every benchmark whose figures do not go together.

    Args:
        measurements: all that the runs hold, so that a column is called the same whatever is
            asked for.
        taken: which of them are asked for.
    """
    found: dict[_Place, dict[Conditions, list[Measurement]]] = {}
    for own in measurements:
        place = _Place(own.row.benchmark, own.row.metric, own.on, own.judge, own.probability)
        conditions = tuple(sorted(own.conditions.items()))
        found.setdefault(place, {}).setdefault(conditions, []).append(own)
    found = {place: _with_given(own) for place, own in found.items()}
    questions: dict[tuple[str, str], set[str]] = {}
    judges: dict[tuple[str, str, str], set[str]] = {}
    count: dict[tuple[str, str, str, str], int] = {}
    for place, variants in found.items():
        of_metric = (place.benchmark, place.metric)
        questions.setdefault(of_metric, set()).add(place.on)
        judges.setdefault((*of_metric, place.on), set()).add(place.judge)
        whole = (*of_metric, place.on, place.judge)
        count[whole] = count.get(whole, 0) + len(variants)
    groups, shown = [], {}
    for place, variants in found.items():
        of_metric = (place.benchmark, place.metric)
        key = "/".join(of_metric)
        if len(questions[of_metric]) > 1:
            key += f":{place.on}"
        if len(judges[(*of_metric, place.on)]) > 1 and place.judge:
            key += f"@{place.judge}"
        alone = count[(*of_metric, place.on, place.judge)] == 1
        left = {
            conditions: kept
            for conditions, members in variants.items()
            if (kept := [own for own in members if taken(own)])
        }
        shown[place] = left
        for conditions, members in left.items():
            differing = _differing(variants, conditions)
            groups.append(_group(place, key, conditions, members, alone, differing))
    return sorted(groups, key=_order), _notes(shown)


def _with_given(
    variants: dict[Conditions, list[Measurement]],
) -> dict[Conditions, list[Measurement]]:
    """Given answers stand beside generated ones, where those were generated in one way."""
    merged = dict(variants)
    for conditions in variants:
        own = dict(conditions)
        if own.get(_ANSWERS) != GIVEN:
            continue
        like = [
            other
            for other in variants
            if other != conditions
            and {**dict(other), _ANSWERS: GIVEN} == own
            and _ANSWERS in dict(other)
        ]
        if len(like) == 1:
            merged[like[0]] = [*merged[like[0]], *merged.pop(conditions)]
    return merged


def _group(
    place: _Place,
    key: str,
    conditions: Conditions,
    members: Sequence[Measurement],
    alone: bool,
    differing: Mapping[str, str],
) -> Group:
    metric = metric_of(place.benchmark, place.metric, probability=place.probability)
    title = f"{benchmark_title(place.benchmark)}{_on(place.on)}: {metric.title}"
    if not alone:
        key += f"#{digest([list(conditions), place.probability])[:6]}"
        title += "".join(f" ({role} {_brief(value)})" for role, value in differing.items())
    column = Column(
        key=key,
        title=title,
        benchmark=place.benchmark,
        metric=place.metric,
        judge=place.judge,
        unit=metric.unit or "",
        better=metric.better,
        headline=any(own.headline for own in members),
        conditions=dict(conditions),
        explanation=metric.explanation,
    )
    return Group(column, metric, tuple(members))


def title_of(own: Measurement) -> str:
    """A figure's benchmark, for people; of a cross-play, with whose questions it took."""
    return f"{benchmark_title(own.row.benchmark)}{_on(own.on)}"


def _on(questions: str) -> str:
    if not questions:
        return ""
    return f" on {'held-out prompts' if questions == HELD_OUT else benchmark_title(questions)}"


def _differing(variants: Mapping[Conditions, object], conditions: Conditions) -> dict[str, str]:
    """Of a column's conditions, those in which other columns of the same name differ."""
    own = dict(conditions)
    roles = sorted({role for other in variants for role, _ in other})
    return {
        role: own.get(role, "none")
        for role in roles
        if len({dict(other).get(role) for other in variants}) > 1
    }


def _brief(value: str) -> str:
    """A hash by its beginning."""
    is_hash = len(value) >= 32 and all(c in "0123456789abcdef" for c in value)
    return value[:4] if is_hash else value


def _order(group: Group) -> tuple[object, ...]:
    own = group.column
    percent_first = group.members[0].probability
    return (
        benchmark_place(own.benchmark),
        not percent_first,
        not own.headline,
        own.judge != "",
        metric_place(own.metric),
        own.judge,
        own.key,
    )


def _notes(found: Mapping[_Place, Mapping[Conditions, object]]) -> list[str]:
    """One line for each benchmark under a judge, about the figures that differ most."""
    roles: dict[tuple[str, str], set[str]] = {}
    most: dict[tuple[str, str], int] = {}
    for place, variants in found.items():
        if len(variants) < 2 or place.benchmark == "training":
            continue
        where = (place.benchmark, place.judge)
        most[where] = max(most.get(where, 0), len(variants))
        roles.setdefault(where, set()).update(
            *(_differing(variants, conditions) for conditions in variants)
        )
    notes = []
    for (benchmark, judge), differing in sorted(roles.items()):
        under = f" under {judge}" if judge else ""
        notes.append(
            f"{benchmark}{under}: figures of the runs are not comparable, and stand in "
            f"{most[benchmark, judge]} columns: they differ in {', '.join(sorted(differing))}"
        )
    return notes


def without_flags(own: Measurement) -> Measurement:
    """The figure alone, to see whether two are the same."""
    return replace(own, flags=())
