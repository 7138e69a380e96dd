"""Every model against every other on the items that both have."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.statistics.inputs import (
    Array,
    Bounds,
    Index,
    cluster_index,
    require_bounds,
    require_level,
)
from evaluation.statistics.interval import Interval
from evaluation.statistics.means import ROUNDING, paired_difference, satterthwaite
from evaluation.statistics.multiplicity import holm_known
from mnpo.errors import InvalidSetting


@dataclass(frozen=True)
class PairedComparison:
    """The difference of two models on their common items.

    Attributes:
        first, second: models; the difference is first minus second.
        difference: its mean, with its interval, common items and their clusters.
        p_value: two-sided, None where the differences do not vary.
        adjusted: Holm's, over all comparisons that have a p-value.
    """

    first: str
    second: str
    difference: Interval
    p_value: float | None
    adjusted: float | None


def compare_all(
    names: Sequence[str],
    values: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    bounds: Bounds | None = None,
    level: float = 0.95,
) -> tuple[PairedComparison, ...]:
    """All pairs of models, in the order given; `paired_difference` of each, computed together.

    Each pair is compared on the items that both have, and its ``n`` says how many. A pair without
    a common item is left out.

    Args:
        names: of M models.
        values: (M, n) one per model and item; NaN where a model has none.
        clusters: (n,) of the items.
        bounds: of the values.
        level: of confidence, of each single interval.

    Raises:
        InvalidSetting: shapes that do not fit, an infinite value or one out of bounds, a level
            outside (0, 1).
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or len(x) != len(names):
        raise InvalidSetting(f"{len(names)} models need as many rows, got shape {x.shape}")
    require_level(level)
    if np.isinf(x).any():
        model, item = np.argwhere(np.isinf(x))[0]
        raise InvalidSetting(f"{names[model]}, item {item}: the value is {x[model, item]}")
    require_bounds(x, bounds)
    index, count = cluster_index(clusters, x.shape[1])
    found = [
        (names[row], names[row + 1 + other], interval, p)
        for row in range(len(names) - 1)
        for other, (interval, p) in enumerate(
            _against_later(x, row, index, count, bounds, level, clusters)
        )
        if interval is not None
    ]
    adjusted = holm_known([p for *_, p in found])
    return tuple(PairedComparison(*own, after) for own, after in zip(found, adjusted, strict=True))


def _against_later(
    x: Array,
    row: int,
    index: Index,
    count: int,
    bounds: Bounds | None,
    level: float,
    clusters: Sequence[Hashable] | None,
) -> list[tuple[Interval | None, float | None]]:
    """One model against all that follow: intervals and p-values."""
    from scipy.special import stdtr, stdtrit

    differences = x[row] - x[row + 1 :]
    common = ~np.isnan(differences)
    n = common.sum(axis=1)
    filled = np.where(common, differences, 0.0)
    mean = filled.sum(axis=1) / np.maximum(n, 1)
    residuals = np.where(common, filled - mean[:, None], 0.0)
    totals, sizes = _per_cluster(residuals, index, count), _per_cluster(common, index, count)
    share = sizes / np.maximum(n, 1)[:, None]
    groups = (sizes > 0).sum(axis=1)
    varied = groups > 1
    share_of_varied = np.where(varied[:, None], share, 0.0)  # a lone cluster would divide by 0
    error = np.sqrt((totals**2 / (1 - share_of_varied)).sum(axis=1)) / np.maximum(n, 1)
    largest = np.maximum(np.abs(filled).max(axis=1), np.finfo(np.float64).tiny)
    varied &= error > ROUNDING * largest
    freedom = np.where(varied, 1.0, np.nan)
    freedom[varied] = satterthwaite(share[varied])
    half = stdtrit(freedom, 0.5 + level / 2) * error
    p = np.full(len(n), np.nan)
    p[varied] = 2 * stdtr(freedom[varied], -np.abs(mean[varied]) / error[varied])
    width = np.inf if bounds is None else bounds[1] - bounds[0]
    result: list[tuple[Interval | None, float | None]] = []
    for k in range(len(n)):
        if not n[k]:
            result.append((None, None))
        elif varied[k]:
            value = float(mean[k])
            low, high = max(value - float(half[k]), -width), min(value + float(half[k]), width)
            result.append((Interval(value, low, high, int(n[k]), int(groups[k])), float(p[k])))
        else:
            both = common[k]
            own = None if clusters is None else [clusters[int(i)] for i in np.flatnonzero(both)]
            exact = paired_difference(x[row, both], x[row + 1 + k, both], own, level, bounds=bounds)
            result.append((exact, None))
    return result


def _per_cluster(values: Array, index: Index, count: int) -> Array:
    """(m, n) summed over the items of each cluster, (m, G)."""
    if count == len(index):
        return np.asarray(values, dtype=np.float64)  # every item is its own; their order is theirs
    order = np.argsort(index, kind="stable")
    starts = np.flatnonzero(np.diff(index[order], prepend=-1))
    return np.add.reduceat(np.asarray(values, dtype=np.float64)[:, order], starts, axis=1)
