"""Differences of models on the same questions, with Holm's correction over all of them."""

from collections.abc import Mapping

import numpy as np

from evaluation.compared import comparisons_of
from evaluation.mt_bench.completeness import Cell
from evaluation.scores import Comparison
from evaluation.statistics import Bounds, compare_all


def compare_models(
    values: Mapping[str, Mapping[Cell, float]], metric: str, bounds: Bounds | None
) -> tuple[Comparison, ...]:
    """Every pair of models, on the questions and turns that both have a value for.

    Both turns of a question are one cluster.

    Args:
        values: by model, then by question and turn.
        metric: what they are.
        bounds: of the values.
    """
    cells = list(dict.fromkeys(cell for own in values.values() for cell in own))
    table = np.array([[own.get(cell, np.nan) for cell in cells] for own in values.values()])
    found = compare_all(list(values), table, [question for question, _ in cells], bounds)
    return comparisons_of(metric, found)
