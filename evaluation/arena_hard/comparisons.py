"""Differences of models on the same questions, with Holm's correction over all of them."""

from collections.abc import Sequence
from dataclasses import replace

from evaluation.arena_hard.table import POINTS, Array, Table
from evaluation.scores import Comparison, all_pairs
from evaluation.statistics import holm_known, p_value, paired_difference


def compare(table: Table, metric: str) -> list[Comparison]:
    """All pairs of models, on the questions on which both have a verdict.

    A weighted win rate is a ratio: points over battles, and strong verdicts make the number of
    battles differ between questions. The difference is that of the two ratios; its interval is
    that of their linearisation, one value for each question (see `linearised`).

    Returns:
        comparisons without Holm's correction; `corrected` makes it.
    """
    count, points = table.battles.sum(axis=2), table.battles @ POINTS
    played = table.played
    complete = bool(played.all())
    values = [linearised(points[i], count[i]) for i in range(len(count))] if complete else []
    line = {model: i for i, model in enumerate(table.models)}
    found = []
    for first, second in all_pairs(table.models):
        a, b = line[first], line[second]
        if complete:
            own, other = values[a], values[b]
        else:
            both = played[a] & played[b]
            if not both.any():
                continue
            own, other = (linearised(points[i, both], count[i, both]) for i in (a, b))
        difference = paired_difference(100 * own, 100 * other)
        found.append(
            Comparison(metric, first, second, difference, p_value(100 * (own - other)), None)
        )
    return found


def linearised(points: Array, count: Array) -> Array:
    """(Q,) values whose mean is sum(points) / sum(count), and whose variance is the ratio's.

    r + (points_q - r count_q) / mean(count), r being the ratio (first-order expansion).
    """
    ratio = points.sum() / count.sum()
    result: Array = ratio + (points - ratio * count) / count.mean()
    return result


def corrected(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """With Holm's adjusted p-values over all that have one."""
    adjusted = holm_known([own.p_value for own in comparisons])
    return tuple(
        replace(own, adjusted=after) for own, after in zip(comparisons, adjusted, strict=True)
    )
