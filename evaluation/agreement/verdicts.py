"""Verdicts of any judges, gathered by judge and question."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mnpo.errors import InvalidSetting

#: Fewer independent prompts than this give no bootstrap interval: over so few it is too narrow.
FEWEST_CLUSTERS = 10

#: (item, model, order): what a judge was shown.
Unit: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True)
class Verdict:
    """One verdict of one judge.

    Attributes:
        judge: its name.
        item: the prompt; what is drawn independently, so intervals count these.
        model: whose answer is judged, e.g. "model-x" or "model-x/model-y".
        order: "AB" where that answer was shown first, "BA" where it was shown second, "" where
            it was graded alone.
        repeat: which of several times the same question was asked.
        value: of two answers, P(the model's answer is better), in [0, 1], whatever the order; of
            one answer its grade.
        first_length: length of the model's answer, in any unit; None where it is not known.
        second_length: length of the other answer.
    """

    judge: str
    item: str
    model: str
    order: str
    repeat: int
    value: float
    first_length: float | None = None
    second_length: float | None = None


def by_judge(verdicts: Iterable[Verdict]) -> dict[str, dict[Unit, list[Verdict]]]:
    """Each judge's verdicts on each question.

    Raises:
        InvalidSetting: no verdicts, one twice, one that is none, or grades among comparisons.
    """
    table: dict[str, dict[Unit, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    seen = set()
    for v in verdicts:
        where = f"verdict of '{v.judge}' on {v.item}/{v.model}"
        if v.order not in ("AB", "BA", ""):
            raise InvalidSetting(f"{where}: the order is AB, BA or empty, got {v.order!r}")
        if not math.isfinite(v.value):
            raise InvalidSetting(f"{where}: {v.value!r} is no verdict; leave out what is missing")
        if v.order and not 0 <= v.value <= 1:
            raise InvalidSetting(f"{where}: a comparison's value is in [0, 1], got {v.value!r}")
        key = (v.judge, v.item, v.model, v.order, v.repeat)
        if key in seen:
            raise InvalidSetting(f"{where}: order {v.order!r}, repeat {v.repeat} is there twice")
        seen.add(key)
        table[v.judge][v.item, v.model, v.order].append(v)
    if not table:
        raise InvalidSetting("there are no verdicts")
    if len({order == "" for own in table.values() for _, _, order in own}) > 1:
        raise InvalidSetting("grades and comparisons cannot be mixed: look at each by itself")
    return {name: dict(own) for name, own in table.items()}


def category_of(value: float, graded: bool) -> float:
    """Win, tie or loss of a comparison; of a grade the grade."""
    return value if graded else float(np.sign(value - 0.5))


def mean_of(values: Sequence[float]) -> float:
    """Of at least one number."""
    return math.fsum(values) / len(values)
