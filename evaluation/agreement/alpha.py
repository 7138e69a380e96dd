"""Krippendorff's alpha: agreement of several judges beyond chance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement.verdicts import FEWEST_CLUSTERS, Unit
from evaluation.statistics import bootstrap_interval
from mnpo.errors import InvalidSetting

Level: TypeAlias = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha over several judges.

    Attributes:
        value: 1 for full agreement, 0 for what chance gives; None where there is nothing to
            compare: one judge, no unit seen by two, or one and the same verdict everywhere.
        low, high: ends of its bootstrap interval over items; None with too few of them.
        level: what distances between verdicts mean.
        judges: how many there are.
        units: questions with verdicts of two judges at least.
        clusters: items among them.
    """

    value: float | None
    low: float | None
    high: float | None
    level: Level
    judges: int
    units: int
    clusters: int


def alpha_of(
    means: Mapping[str, Mapping[Unit, float]],
    at: Level,
    graded: bool,
    level: float,
    seed: int,
) -> Alpha:
    """Of the judges' mean verdicts, with a bootstrap over items.

    Args:
        means: by judge and question.
        at: what distances mean.
        graded: grades rather than comparisons.
        level: of confidence.
        seed: of the bootstrap.
    """
    units = list(dict.fromkeys(unit for own in means.values() for unit in own))
    data = np.array([[own.get(unit, np.nan) for unit in units] for own in means.values()])
    if at == "nominal" and not graded:
        data = np.sign(data - 0.5)
    shared = np.flatnonzero((~np.isnan(data)).sum(axis=0) >= 2)
    items = [units[place][0] for place in shared]
    value = krippendorff_alpha(data, at)
    low = high = None
    if value is not None and len(set(items)) >= FEWEST_CLUSTERS:

        def of(places: NDArray[np.float64]) -> float:
            found = krippendorff_alpha(data[:, places.astype(int)], at)
            return math.nan if found is None else found

        try:
            ends = bootstrap_interval(shared, of, items, seed=seed, level=level, replicates=1000)
            low, high = ends.low, ends.high
        except InvalidSetting:  # a draw in which all verdicts agree has no alpha
            pass
    return Alpha(value, low, high, at, len(means), len(shared), len(set(items)))


def krippendorff_alpha(data: NDArray[np.float64], level: Level) -> float | None:
    """Krippendorff's alpha, 1 - observed / expected disagreement (Krippendorff 2011).

    With n verdicts in units of m_u >= 2 and d2 the level's squared distance,

        observed = sum_u sum_{i != j in u} d2(i, j) / (m_u - 1) / n
        expected = sum_{i != j} d2(i, j) / (n (n - 1))

    The ordinal distance is the difference of mid-ranks, so its sums are those of the interval
    level on the ranks; sums over pairs are had from sums over verdicts, in n log n steps.

    Args:
        data: (judges, units), NaN where a verdict is missing; units with fewer than two verdicts
            are left out.
        level: "nominal", "ordinal" or "interval".

    Returns:
        None where there is no pair, or all verdicts are the same: no disagreement to expect.
    """
    there = ~np.isnan(data)
    there &= there.sum(axis=0) >= 2
    unit = np.nonzero(there)[1]
    kinds, code = np.unique(data[there], return_inverse=True)
    if len(kinds) < 2:
        return None
    n, sizes = len(code), there.sum(axis=0)
    if level == "nominal":
        within = np.unique(np.stack([unit, code]), axis=1, return_counts=True)
        same = np.bincount(within[0][0], weights=within[1] ** 2, minlength=len(sizes))
        observed = sizes**2 - same
        expected = n**2 - (np.bincount(code) ** 2).sum()
    else:
        x = kinds[code]
        if level == "ordinal":
            counts = np.bincount(code)
            x = (np.cumsum(counts) - counts / 2)[code]
        x = x - x.mean()
        sums = np.bincount(unit, weights=x, minlength=len(sizes))
        squares = np.bincount(unit, weights=x**2, minlength=len(sizes))
        observed = 2 * (sizes * squares - sums**2)
        expected = 2 * (n * (x**2).sum() - x.sum() ** 2)
    pairs = sizes >= 2
    return float(1 - (n - 1) * (observed[pairs] / (sizes[pairs] - 1)).sum() / expected)
