"""Paired differences between models on the same instructions."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.alpaca_eval.controlling import Controlled
from evaluation.alpaca_eval.sample import Sample
from evaluation.compared import comparisons_of
from evaluation.scores import Comparison, all_pairs
from evaluation.statistics import Interval, compare_all, holm_known
from evaluation.statistics.quantiles import expanded_quantile


def compare_win_rates(
    metric: str, samples: Sequence[Sample], places: NDArray[np.int64]
) -> tuple[Comparison, ...]:
    """Of preferences on the instructions that both models have, in points."""
    if len(samples) < 2:
        return ()
    values = np.full((len(samples), len(places)), np.nan)
    for row, own in zip(values, samples, strict=True):
        row[np.searchsorted(places, own.index)] = 100 * (own.preference - 1)
    names = [own.model for own in samples]
    return comparisons_of(metric, compare_all(names, values, bounds=(0.0, 100.0)))


def compare_controlled(
    metric: str, samples: Sequence[Sample], found: Mapping[str, Controlled]
) -> tuple[Comparison, ...]:
    """Of length-controlled win rates, all models refitted on the same draws of instructions.

    A t interval with the standard deviation of the difference over the draws: quantiles of a
    thousand draws say nothing of the small p-values that Holm's correction of many pairs needs.
    """
    from scipy.special import stdtr

    common = {own.model: {int(k) for k in own.index[own.judged]} for own in samples}
    rows: list[tuple[str, str, Interval, float | None]] = []
    for first, second in all_pairs([own.model for own in samples]):
        a, b = found[first], found[second]
        value = a.interval.value - b.interval.value
        n = len(common[first] & common[second])
        error = float(np.std(a.drawn - b.drawn, ddof=1))
        if n < 2 or not np.isfinite(error) or error <= 1e-9:
            rows.append((first, second, Interval(value, None, None, n, n), None))
            continue
        half = expanded_quantile(n, 0.95) * error
        scaled = error * np.sqrt(n / (n - 1))
        p = float(2 * stdtr(n - 1, -abs(value) / scaled))
        low, high = max(-100.0, value - half), min(100.0, value + half)
        rows.append((first, second, Interval(value, low, high, n, n), p))
    adjusted = holm_known([p for *_, p in rows])
    return tuple(Comparison(metric, *row, after) for row, after in zip(rows, adjusted, strict=True))
