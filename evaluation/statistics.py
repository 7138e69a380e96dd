"""Intervals that know what is independent of what: the one place where statistics are done.

Prompts are drawn independently; several responses, opponents or judgements of one prompt are not.
So the prompt (or whatever else was drawn as a whole) is a *cluster*, an interval counts clusters,
and where too little varies to estimate an uncertainty there is no interval rather than a narrow
one.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidSetting

Array: TypeAlias = NDArray[np.float64]
Bounds: TypeAlias = tuple[float, float]

#: A standard error below this share of the values' size is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        value: the estimate.
        low, high: ends of the interval; None where none can be given.
        n: values behind it.
        clusters: independent groups of values behind it.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int


def mean_interval(
    values: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    bounds: Bounds | None = None,
) -> Interval:
    """The mean with a cluster-robust Student-t interval.

    The standard error is CR2 (Bell and McCaffrey 2002), the sum over clusters g of
    (sum of its residuals)^2 / (1 - n_g/n), divided by n^2; the degrees of freedom are
    Satterthwaite's for it, G - 1 for G clusters of one size and fewer where sizes differ.

    There is no interval with fewer than two clusters, nor where clusters do not differ at all: a
    sample without variation says nothing of how much there is. The exception are bounded values
    that all stand at one bound, e.g. a judge who preferred the policy every time: the mean is then
    at least ((1 - level)/2)^(1/G) of the way to it, which is exact.

    Args:
        values: (n,) finite numbers.
        clusters: (n,) what each value belongs to; None takes every value as its own cluster.
        level: of confidence, in (0, 1).
        bounds: smallest and largest possible value; the interval ends there.

    Raises:
        InvalidSetting: no values, a value that is not finite or out of bounds, another number of
            clusters than values, or a level outside (0, 1).
    """
    x, index, count = _checked(values, clusters, level)
    if bounds is not None and not bounds[0] <= x.min() <= x.max() <= bounds[1]:
        raise InvalidSetting(
            f"values from {x.min():g} to {x.max():g} are outside their bounds {bounds}"
        )
    value, error, freedom = _cluster_robust(x, index, count)
    if error is None or freedom is None:
        low, high = _at_the_bound(x, count, level, bounds)
        return Interval(value, low, high, len(x), count)
    half = _t_quantile(0.5 + level / 2, freedom) * error
    low, high = value - half, value + half
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(value, low, high, len(x), count)


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    bounds: Bounds | None = None,
) -> Interval:
    """Mean of ``first - second``, measured on the same items, with its interval.

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
    width = None if bounds is None else bounds[1] - bounds[0]
    return mean_interval(a - b, clusters, level, bounds=None if width is None else (-width, width))


def p_value(
    values: ArrayLike, null: float = 0.0, clusters: Sequence[Hashable] | None = None
) -> float | None:
    """Two-sided p-value of ``mean == null`` under the same cluster-robust t statistic.

    None where `mean_interval` has no standard error. For differences take
    ``p_value(first - second)``.
    """
    from scipy.special import stdtr

    x, index, count = _checked(values, clusters, 0.95)
    value, error, freedom = _cluster_robust(x, index, count)
    if error is None or freedom is None:
        return None
    return float(2 * stdtr(freedom, -abs(value - null) / error))


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[Array], float],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int,
    level: float = 0.95,
    replicates: int = 2000,
) -> Interval:
    """A statistic with its percentile interval over whole clusters drawn with replacement.

    For statistics that are no means. The percentile interval does not remove a bias that noise
    gives a statistic: that of a maximum, for example, is too high as the estimate itself is.

    Args:
        values: (n, ...) rows.
        statistic: of rows, such as it gets them: (m, ...).
        clusters: (n,) what each row belongs to; None takes every row as its own cluster.
        seed: of the draws; the same seed gives the same interval.
        level: of confidence.
        replicates: draws.

    Returns:
        the statistic of all rows; no interval with fewer than two clusters.

    Raises:
        InvalidSetting: as for `mean_interval`, or the statistic is not finite on a replicate.
    """
    rows = np.asarray(values, dtype=np.float64)
    if replicates < 1:
        raise InvalidSetting(f"replicates must be at least 1, got {replicates}")
    _require_level(level)
    index, count = _cluster_index(clusters, len(rows))
    value = float(statistic(rows))
    if count < 2:
        return Interval(value, None, None, len(rows), count)
    members = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    random = np.random.default_rng(seed)
    drawn = np.empty(replicates)
    for i in range(replicates):
        chosen = random.integers(count, size=count)
        drawn[i] = statistic(rows[np.concatenate([members[c] for c in chosen])])
    if not np.isfinite(drawn).all():
        raise InvalidSetting("the statistic is not finite on every draw of the bootstrap")
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(value, float(low), float(high), len(rows), count)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the order given (Holm 1979).

    Rejecting those at or below a level keeps the probability of any false rejection below it,
    whatever the dependence between the tests.

    Raises:
        InvalidSetting: a value outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():  # NaN fails both
        raise InvalidSetting(f"p-values must be in [0, 1], got {list(p_values)}")
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1.0)
    return tuple(float(x) for x in result)


def _cluster_robust(
    x: Array, index: NDArray[np.intp], count: int
) -> tuple[float, float | None, float | None]:
    """Mean, standard error, degrees of freedom; None without variation between clusters."""
    value = float(x.mean())
    if count < 2:
        return value, None, None
    total = np.bincount(index, weights=x - value, minlength=count)
    share = np.bincount(index, minlength=count) / len(x)
    error = float(np.sqrt((total**2 / (1 - share)).sum())) / len(x)
    if error <= ROUNDING * max(float(np.abs(x).max()), np.finfo(np.float64).tiny):
        return value, None, None
    # The squares' covariance under independent values of one variance: tr(C)^2 / tr(C C).
    off = share**2 / (1 - share)
    freedom = 1.0 / float((share**2).sum() + off.sum() ** 2 - (off**2).sum())
    return value, error, freedom


def _at_the_bound(
    x: Array, count: int, level: float, bounds: Bounds | None
) -> tuple[float | None, float | None]:
    """Exact ends for values that all stand at one bound."""
    if bounds is None or x.min() != x.max() or x[0] not in bounds:
        return None, None
    # All G clusters hit the bound with probability at most (share of the mean's way to it)^G.
    way = (bounds[1] - bounds[0]) * (1 - ((1 - level) / 2) ** (1 / count))
    return (bounds[0], bounds[0] + way) if x[0] == bounds[0] else (bounds[1] - way, bounds[1])


def _t_quantile(probability: float, freedom: float) -> float:
    from scipy.special import stdtrit  # scipy.stats has the same and takes half a second to load

    return float(stdtrit(freedom, probability))


def _checked(
    values: ArrayLike, clusters: Sequence[Hashable] | None, level: float
) -> tuple[Array, NDArray[np.intp], int]:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1:
        raise InvalidSetting(f"values must be a list of numbers, got shape {x.shape}")
    _require_level(level)
    index, count = _cluster_index(clusters, len(x))
    if not np.isfinite(x).all():
        bad = int(np.flatnonzero(~np.isfinite(x))[0])
        raise InvalidSetting(f"value {bad} is {x[bad]}; leave out what is missing before a mean")
    return x, index, count


def _cluster_index(clusters: Sequence[Hashable] | None, size: int) -> tuple[NDArray[np.intp], int]:
    """(n,) number of each value's cluster, and how many there are."""
    if size == 0:
        raise InvalidSetting("there are no values")
    if clusters is None:
        return np.arange(size), size
    if len(clusters) != size:
        raise InvalidSetting(f"{size} values need as many clusters, got {len(clusters)}")
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    return np.array(index, dtype=np.intp), len(numbers)


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise InvalidSetting(f"level must be between 0 and 1, got {level!r}")
