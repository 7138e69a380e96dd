"""Means and paired differences with cluster-robust intervals."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from evaluation.statistics.inputs import (
    Array,
    Bounds,
    Index,
    checked,
    require_bounds,
    t_quantile,
)
from evaluation.statistics.interval import Interval
from mnpo.errors import InvalidSetting

#: A standard error below this share of the values' size is rounding.
ROUNDING = 1e-12
#: A mean near a bound that fewer clusters than this make up is taken to be as uncertain as a
#: mean of that size can be; see `mean_interval`.
FEW = 8.0


def mean_interval(
    values: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    bounds: Bounds | None = None,
) -> Interval:
    """The mean with a cluster-robust interval.

    The standard error s is CR2 (Bell and McCaffrey 2002), the sum over clusters g of
    (sum of its residuals)^2 / (1 - n_g/n), divided by n^2; the degrees of freedom are
    Satterthwaite's for it, G - 1 for G clusters of one size and fewer where sizes differ. Values
    without bounds get the Student-t interval, mean +- t s.

    Bounded values, scaled to [0, 1], get the score interval (Wilson 1927) of an effective sample
    size n' = m (1 - m) / s^2 for the mean m (Korn and Graubard 1998; here with the t quantile):
    all p with |m - p| <= t sqrt(p (1 - p) / n'). It stays inside the bounds and is longer towards
    the middle, as a skewed mean needs; far from the bounds it is the t interval.

    Where a mean near a bound is made up by very few clusters, the sample does not show how large
    a value it might have met: with y_g the distance of cluster g from that bound, if
    (sum y)^2 / sum y^2 is below 8 and below G/2, s^2 is taken as many times larger as values of 0
    and 1 of this mean would vary more: theirs is the largest variance there is.

    There is no interval with fewer than two clusters, nor where clusters do not differ at all: a
    sample without variation says nothing of how much there is. The exception are bounded values
    that all stand at one bound, e.g. a judge who preferred the policy every time: the mean is then
    at least ((1 - level)/2)^(1/G) of the way to it, which is exact.

    Args:
        values: (n,) finite numbers.
        clusters: (n,) what each value belongs to; None takes every value as its own cluster.
        level: of confidence, in (0, 1).
        bounds: smallest and largest possible value.

    Raises:
        InvalidSetting: no values, a value that is not finite or out of bounds, another number of
            clusters than values, or a level outside (0, 1).
    """
    x, index, count = checked(values, clusters, level)
    require_bounds(x, bounds)
    value, error, freedom = cluster_robust(x, index, count)
    if error is None or freedom is None:
        low, high = _at_the_bound(x, count, level, bounds)
        return Interval(value, low, high, len(x), count)
    quantile = t_quantile(0.5 + level / 2, freedom)
    if bounds is None:
        return Interval(value, value - quantile * error, value + quantile * error, len(x), count)
    size = _effective_size(x, index, count, error, bounds)
    low, high = _score_interval(value, size, quantile, bounds)
    return Interval(value, low, high, len(x), count)


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    bounds: Bounds | None = None,
) -> Interval:
    """Mean of ``first - second``, measured on the same items, with its Student-t interval.

    The interval leaves out zero exactly where ``p_value(first - second)`` is below 1 - level.

    Args:
        first: (n,) values of n items.
        second: (n,) of the same items in the same order.
        clusters: (n,) of the items.
        level: of confidence.
        bounds: of the values themselves; the difference is then within +-(high - low).

    Raises:
        InvalidSetting: different lengths, or as for `mean_interval`.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise InvalidSetting(f"a paired difference needs pairs, got {a.shape} and {b.shape} values")
    for values in (a, b):
        require_bounds(values, bounds)
    found = mean_interval(a - b, clusters, level)
    if bounds is None:
        return found
    width = bounds[1] - bounds[0]
    if found.low is None or found.high is None:
        return mean_interval(a - b, clusters, level, bounds=(-width, width))
    low, high = max(found.low, -width), min(found.high, width)
    return Interval(found.value, low, high, found.n, found.clusters)


def p_value(
    values: ArrayLike,
    null: float = 0.0,
    clusters: Sequence[Hashable] | None = None,
    *,
    bounds: Bounds | None = None,
) -> float | None:
    """Two-sided p-value of ``mean == null`` under the statistic that `mean_interval` inverts.

    None where `mean_interval` has no standard error. For differences take
    ``p_value(first - second)``, without bounds.

    Raises:
        InvalidSetting: as for `mean_interval`, or a null at or outside the bounds.
    """
    from scipy.special import stdtr

    x, index, count = checked(values, clusters, 0.95)
    require_bounds(x, bounds)
    if bounds is not None and not bounds[0] < null < bounds[1]:
        raise InvalidSetting(f"the mean under test, {null:g}, must lie between {bounds}")
    value, error, freedom = cluster_robust(x, index, count)
    if error is None or freedom is None:
        return None
    if bounds is not None:
        share = (null - bounds[0]) / (bounds[1] - bounds[0])
        size = _effective_size(x, index, count, error, bounds)
        error = (bounds[1] - bounds[0]) * float(np.sqrt(share * (1 - share) / size))
    return float(2 * stdtr(freedom, -abs(value - null) / error))


def cluster_robust(x: Array, index: Index, count: int) -> tuple[float, float | None, float | None]:
    """Mean, standard error, degrees of freedom; None without variation between clusters."""
    value = float(x.mean())
    if count < 2:
        return value, None, None
    total = np.bincount(index, weights=x - value, minlength=count)
    share = np.bincount(index, minlength=count) / len(x)
    error = float(np.sqrt((total**2 / (1 - share)).sum())) / len(x)
    if error <= ROUNDING * max(float(np.abs(x).max()), np.finfo(np.float64).tiny):
        return value, None, None
    return value, error, float(satterthwaite(share))


def satterthwaite(share: Array) -> Array:
    """Degrees of freedom of CR2 from the clusters' shares of the values.

    tr(C)^2 / tr(C C), C being the covariance of the scaled sums of residuals under independent
    values of one variance.

    Args:
        share: (..., G), each row sums to one; clusters of share 0 are absent.
    """
    off = share**2 / (1 - share)
    squares = (share**2).sum(axis=-1)
    return np.asarray(1.0 / (squares + off.sum(axis=-1) ** 2 - (off**2).sum(axis=-1)))


def _effective_size(x: Array, index: Index, count: int, error: float, bounds: Bounds) -> float:
    """n', how many independent values of 0 and 1 would know as much."""
    width = bounds[1] - bounds[0]
    mean = (float(x.mean()) - bounds[0]) / width
    size = mean * (1 - mean) / (error / width) ** 2
    near = x - bounds[0] if mean <= 0.5 else bounds[1] - x
    sums = np.bincount(index, weights=near, minlength=count)
    carriers = float(sums.sum() ** 2 / (sums**2).sum())
    if carriers < min(FEW, count / 2):
        # The values' own variance, brought up to that of 0 and 1; what clusters do to it stays.
        size *= float(x.var()) / (width**2 * mean * (1 - mean))
    return size


def _score_interval(
    value: float, size: float, quantile: float, bounds: Bounds
) -> tuple[float, float]:
    width = bounds[1] - bounds[0]
    mean = (value - bounds[0]) / width
    square = quantile**2 / size
    centre = (mean + square / 2) / (1 + square)
    half = float(np.sqrt(square * mean * (1 - mean) + square**2 / 4)) / (1 + square)
    # Rounding must not move an end across the mean or the bound.
    low = min(max(centre - half, 0.0), mean)
    high = max(min(centre + half, 1.0), mean)
    return min(bounds[0] + width * low, value), max(bounds[0] + width * high, value)


def _at_the_bound(
    x: Array, count: int, level: float, bounds: Bounds | None
) -> tuple[float | None, float | None]:
    """Exact ends for values that all stand at one bound."""
    if bounds is None or x.min() != x.max() or x[0] not in bounds:
        return None, None
    # All G clusters hit the bound with probability at most (share of the mean's way to it)^G.
    way = (bounds[1] - bounds[0]) * (1 - ((1 - level) / 2) ** (1 / count))
    return (bounds[0], bounds[0] + way) if x[0] == bounds[0] else (bounds[1] - way, bounds[1])
