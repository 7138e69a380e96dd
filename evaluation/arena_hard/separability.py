"""How many pairs of models a benchmark tells apart: those whose intervals do not overlap."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnpo.errors import InvalidSetting


@dataclass(frozen=True)
class Separability:
    """Pairs of intervals.

    Attributes:
        overlapping: pairs whose intervals overlap.
        pairs: all of them.
    """

    overlapping: int
    pairs: int

    @property
    def share(self) -> float:
        """Of pairs that are told apart; NaN without a pair."""
        return 1.0 - self.overlapping / self.pairs if self.pairs else math.nan

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""
        share = self.share if self.pairs else None
        return {"pairs": self.pairs, "overlapping": self.overlapping, "separated": share}


def separability(intervals: Sequence[tuple[float, float]]) -> Separability:
    """Count the pairs that overlap: the one with the higher lower end begins below the other's end.

    This is the rule of Arena-Hard's benchmark notebook. Touching intervals do not overlap.

    Args:
        intervals: (low, high) of each model.

    Raises:
        InvalidSetting: an interval that is not finite or ends before it begins.
    """
    for low, high in intervals:
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise InvalidSetting(f"an interval from {low} to {high} is none")
    ordered = sorted(intervals)
    overlapping = sum(
        later[0] < earlier[1] for i, earlier in enumerate(ordered) for later in ordered[i + 1 :]
    )
    return Separability(overlapping, len(ordered) * (len(ordered) - 1) // 2)


@dataclass(frozen=True)
class Agreement:
    """How a benchmark's certain verdicts on pairs agree with a ranking by people.

    Attributes:
        pairs: of models that both have.
        same: both tell the pair apart, and in the same order.
        opposite: both tell it apart, in opposite orders.
        open: one of them does not tell it apart.
    """

    pairs: int
    same: int
    opposite: int
    open: int

    @property
    def score(self) -> float:
        """(same - opposite) / pairs, the benchmark paper's agreement with confidence intervals."""
        return (self.same - self.opposite) / self.pairs if self.pairs else math.nan


def agreement(
    benchmark: Mapping[str, tuple[float, float]], people: Mapping[str, tuple[float, float]]
) -> Agreement:
    """Compare two sets of intervals over the models that both have.

    A pair that either does not tell apart counts 0, one in the same order 1, in opposite orders -1
    (Li et al. 2024, section 3).
    """
    models = [model for model in benchmark if model in people]
    signs = [
        _order(benchmark[a], benchmark[b]) * _order(people[a], people[b])
        for i, a in enumerate(models)
        for b in models[i + 1 :]
    ]
    same, opposite = signs.count(1), signs.count(-1)
    return Agreement(len(signs), same, opposite, len(signs) - same - opposite)


def _order(a: tuple[float, float], b: tuple[float, float]) -> int:
    """1 where a stands above b, -1 below, 0 where their intervals overlap."""
    if a[0] >= b[1] and a != b:
        return 1
    return -1 if b[0] >= a[1] and a != b else 0
