"""Means over families of games: families are fixed, games within each are drawn."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.statistics import Interval, holm_known, mean_interval
from evaluation.statistics.inputs import t_quantile
from leaderboards.collect.ranks import Uncertain
from leaderboards.collect.seeds import standard_error


def mean_of_families(families: Sequence[Sequence[float]]) -> Uncertain:
    """Of the families' means; their games are independent, families are fixed.

    Families without variation add none; without any there is no interval.
    """
    parts = [mean_interval(own) for own in families]
    value = float(np.mean([own.value for own in parts]))
    n, clusters = sum(own.n for own in parts), sum(own.clusters for own in parts)
    known = [(e, own.clusters - 1) for own in parts if (e := standard_error(own)) is not None]
    if not known or any(own.clusters < 2 for own in parts):
        return Uncertain(Interval(value, None, None, n, clusters), None)
    squares = np.array([error**2 for error, _ in known]) / len(parts) ** 2
    freedoms = np.array([freedom for _, freedom in known])
    freedom = float(squares.sum() ** 2 / (squares**2 / freedoms).sum())
    half = t_quantile(0.975, freedom) * float(np.sqrt(squares.sum()))
    return Uncertain(Interval(value, value - half, value + half, n, clusters), freedom)


def compare_means(
    games: Sequence[Sequence[Mapping[str, float]]],
) -> dict[tuple[int, int], tuple[float | None, float | None]]:
    """All pairs of algorithms on the games that both played, Holm's p-values over all pairs."""
    from scipy.special import stdtr

    pairs = [(i, j) for i in range(len(games)) for j in range(i + 1, len(games))]
    p: list[float | None] = []
    for i, j in pairs:
        families = [
            [one[seed] - other[seed] for seed in one if seed in other] or [0.0]
            for one, other in zip(games[i], games[j], strict=True)
        ]
        own = mean_of_families(families)
        if own.freedom is None or own.interval.high is None:
            p.append(None)
            continue
        half = own.interval.high - own.interval.value
        t = own.interval.value * t_quantile(0.975, own.freedom) / half
        p.append(float(2 * stdtr(own.freedom, -abs(t))))
    return dict(zip(pairs, zip(p, holm_known(p), strict=True), strict=True))
