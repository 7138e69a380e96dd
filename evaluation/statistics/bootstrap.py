"""Bootstrap over whole clusters, for statistics that are no means: ratings, refitted models."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from evaluation.statistics.inputs import Array, Index, cluster_index, require_level
from evaluation.statistics.interval import Interval
from evaluation.statistics.quantiles import bca_ends, percentile_ends
from mnpo.errors import InvalidSetting

Method: TypeAlias = Literal["bca", "percentile"]
#: Parts that the jackknife behind BCa's acceleration leaves out one at a time, at most.
PARTS = 200


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[Array], float],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int,
    level: float = 0.95,
    replicates: int = 2000,
    method: Method = "bca",
) -> Interval:
    """A statistic with its interval over whole clusters drawn with replacement.

    Both methods take quantiles of the statistic over the draws, at levels that make up for
    what a bootstrap over G clusters lacks: it spreads by sqrt((G - 1)/G) too little, and normal
    quantiles are not those of t (Hesterberg 2015). "bca" moves the levels for the median bias
    of the statistic and for its skewness (Efron 1987), the latter from a jackknife over
    clusters, or over 200 parts of them where there are more. Use "percentile" where the
    statistic is not smooth. Neither is right for a maximum over near ties.

    Args:
        values: (n, ...) rows.
        statistic: of rows, such as it gets them: (m, ...).
        clusters: (n,) what each row belongs to; None takes every row as its own cluster.
        seed: of the draws; the same seed gives the same interval.
        level: of confidence.
        replicates: draws.
        method: how the interval is read off the draws.

    Returns:
        the statistic of all rows; no interval with fewer than two clusters, nor where no draw
        changes the statistic.

    Raises:
        InvalidSetting: as for `mean_interval`, or the statistic is not finite on a replicate.
    """
    rows = np.asarray(values, dtype=np.float64)
    index, count = cluster_index(clusters, len(rows))
    members = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])

    def of_draws(times: Index) -> Array:
        chosen = np.repeat(np.arange(count), times[0])
        return np.array([[statistic(rows[np.concatenate([members[c] for c in chosen])])]])

    value = np.array([float(statistic(rows))])
    return _intervals(of_draws, value, len(rows), count, 1, seed, level, replicates, method)[0]


def weighted_bootstrap_interval(
    statistic: Callable[[Array], ArrayLike],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    level: float = 0.95,
    replicates: int = 2000,
    method: Method = "bca",
    at_once: int | None = None,
) -> Interval:
    """`bootstrap_interval` of a statistic that takes multiplicities instead of copied rows.

    The draws are those of `bootstrap_interval` with the same clusters and seed, and so is the
    interval, without a copy of the rows for each draw.

    Args:
        statistic: of (n,) how often each row is there: whole numbers, many of them 0. With
            ``at_once`` it gets up to so many draws together, (B, n), and returns (B,).
        clusters: (n,) what each row belongs to.
        seed: of the draws.
        level: of confidence.
        replicates: draws.
        method: as there.
        at_once: draws in one call of the statistic, for one that is fast on many.

    Raises:
        InvalidSetting: as there.
    """
    return weighted_bootstrap_intervals(
        lambda weights: np.asarray(statistic(weights), dtype=np.float64)[..., None],
        clusters,
        seed=seed,
        level=level,
        replicates=replicates,
        method=method,
        at_once=at_once,
    )[0]


def weighted_bootstrap_intervals(
    statistics: Callable[[Array], ArrayLike],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    level: float = 0.95,
    replicates: int = 2000,
    method: Method = "bca",
    at_once: int | None = None,
) -> tuple[Interval, ...]:
    """Several statistics on the same draws, e.g. all that one refit gives.

    Args:
        statistics: (K,) of (n,) multiplicities; with ``at_once``, (B, K) of (B, n).
        clusters: (n,) what each row belongs to.
        seed: of the draws.
        level: of confidence.
        replicates: draws.
        method: as for `bootstrap_interval`.
        at_once: as for `weighted_bootstrap_interval`.

    Returns:
        K intervals, each of its own; they do not hold jointly at the level.

    Raises:
        InvalidSetting: as for `bootstrap_interval`.
    """
    index, count = cluster_index(clusters, len(clusters))
    if at_once is not None and at_once < 1:
        raise InvalidSetting(f"at_once must be at least 1, got {at_once}")

    def of_draws(times: Index) -> Array:
        weights = times[:, index].astype(np.float64)
        given = weights[0] if at_once is None else weights
        found = np.asarray(statistics(given), dtype=np.float64)
        return found[None] if at_once is None else found

    value = of_draws(np.ones((1, count), dtype=np.intp))[0]
    block = at_once or 1
    return _intervals(of_draws, value, len(index), count, block, seed, level, replicates, method)


def cluster_draws(count: int, seed: int, replicates: int) -> Iterator[Index]:
    """How often each of ``count`` clusters was drawn, (count,), for every replicate."""
    random = np.random.default_rng(seed)
    for _ in range(replicates):
        yield np.bincount(random.integers(count, size=count), minlength=count)


def _intervals(
    of_draws: Callable[[Index], Array],
    value: Array,
    rows: int,
    count: int,
    block: int,
    seed: int,
    level: float,
    replicates: int,
    method: Method,
) -> tuple[Interval, ...]:
    """Intervals of K statistics; ``of_draws`` takes (B, G) multiplicities and gives (B, K)."""
    if replicates < 1:
        raise InvalidSetting(f"replicates must be at least 1, got {replicates}")
    if method not in ("bca", "percentile"):
        raise InvalidSetting(f"method must be 'bca' or 'percentile', got {method!r}")
    require_level(level)
    if count < 2:
        return tuple(Interval(float(v), None, None, rows, count) for v in value)
    drawn = _in_blocks(of_draws, cluster_draws(count, seed, replicates), block)
    if not np.isfinite(drawn).all():
        raise InvalidSetting("the statistic is not finite on every draw of the bootstrap")
    if method == "bca":
        left_out = _in_blocks(of_draws, _parts_left_out(count, seed), block)
        ends = [
            bca_ends(own, float(v), parts, count, level)
            for own, v, parts in zip(drawn.T, value, left_out.T, strict=True)
        ]
    else:
        ends = [percentile_ends(own, count, level) for own in drawn.T]
    found = []
    for v, own, (low, high) in zip(value, drawn.T, ends, strict=True):
        varied = own.min() < own.max()
        found.append(
            Interval(float(v), low if varied else None, high if varied else None, rows, count)
        )
    return tuple(found)


def _in_blocks(of_draws: Callable[[Index], Array], draws: Iterator[Index], block: int) -> Array:
    found = []
    while some := list(islice(draws, block)):
        found.append(of_draws(np.array(some)))
    return np.concatenate(found)


def _parts_left_out(count: int, seed: int) -> Iterator[Index]:
    """Every cluster once but those of one part, for each part of the jackknife."""
    parts = np.arange(count) % PARTS
    if count > PARTS:
        np.random.default_rng([seed, 1]).shuffle(parts)
    for part in range(min(count, PARTS)):
        yield (parts != part).astype(np.intp)
