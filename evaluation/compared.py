"""Paired comparisons as a benchmark's scores list them."""

from collections.abc import Iterable

from evaluation.scores import Comparison
from evaluation.statistics import PairedComparison


def comparisons_of(metric: str, compared: Iterable[PairedComparison]) -> tuple[Comparison, ...]:
    """What `evaluation.statistics.compare_all` found, as comparisons of one metric."""
    return tuple(
        Comparison(metric, own.first, own.second, own.difference, own.p_value, own.adjusted)
        for own in compared
    )
