"""How certain the game of a pool of policies is: intervals over whole prompts.

A maximum over opponents, an equilibrium and a sum of squares are not means. Their estimates lean:
a maximum and a sum of squares come out too high under noise, so neither may be given a bootstrap's
plain quantiles, which lean a second time.

* Exploitability, max_j P(j beats i) - 1/2: its upper end is the largest of the opponents' upper
  ends; its lower end is the largest of their lower ends, taken jointly over all opponents that may
  be the worst one (Chernozhukov, Lee and Rosen, Intersection bounds, 2013). Each end misses with
  at most half of 1 - level for many prompts.
* Cyclic share: both sums of squares are freed of what noise adds to them, once in the estimate,
  and twice in the draws, which are noisy twice over. Near 0 and 1 the interval covers too often
  rather than too seldom.
* Nash average, and the win rate against it: quantiles of the draws. Where the true equilibrium is
  unique and its support is the sample's the theory holds; near a change of support it does not,
  and there the interval is a statement of how far the average moves under other prompts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.pool.nash import nash_averages
from evaluation.pool.sample import PoolSample
from evaluation.statistics import Interval, mean_interval
from evaluation.statistics.bootstrap import cluster_draws
from evaluation.statistics.quantiles import percentile_ends
from evaluation.winmatrix import Array, WinMatrix, solve_pool
from mnpo.errors import InvalidSetting

#: Draws of prompts behind every interval.
REPLICATES = 1000
#: Of the draws, at least this share must have measured every pair.
MEASURED = 0.9


@dataclass(frozen=True)
class PoolIntervals:
    """Of a pool of N policies, each in the order of the win matrix.

    Attributes:
        exploitability: highest win rate of any policy against each, minus 1/2. The value is the
            estimate as it stands, which leans upwards; the interval allows for that.
        worst_opponent: win rate against the worst opponent, whichever that is.
        nash: share in the Nash average.
        nash_win_rate: win rate against the Nash average.
        cyclic_share: of the whole pool, freed of what noise adds.
    """

    exploitability: tuple[Interval, ...]
    worst_opponent: tuple[Interval, ...]
    nash: tuple[Interval, ...]
    nash_win_rate: tuple[Interval, ...]
    cyclic_share: Interval


def pool_intervals(
    wins: WinMatrix, *, seed: int = 0, level: float = 0.95, replicates: int = REPLICATES
) -> PoolIntervals:
    """The intervals of a pool's game over whole prompts; see the module.

    With fewer than two prompts, or where a tenth of the draws leave out some pair, there are
    estimates without intervals.

    Args:
        wins: complete.
        seed: of the draws.
        level: of confidence.
        replicates: draws.

    Raises:
        InvalidSetting: a pair was not measured at all.
    """
    return intervals_of_sample(sample_of_prompts(wins, seed, replicates), level)


def intervals_of_sample(sample: PoolSample, level: float = 0.95) -> PoolIntervals:
    """The intervals of any sampled win matrix, `pool_intervals` of prompts among them."""
    units = sample.units
    game = solve_pool(sample.mean)
    exploitability, worst_opponent = worst_cases(sample, level)
    averages = _split_over_clones(sample.clones, sample.drawn)
    rates = np.einsum("rij,rj->ri", sample.drawn, averages)
    return PoolIntervals(
        exploitability=exploitability,
        worst_opponent=worst_opponent,
        nash=_percentiles(game.nash, averages, units, level),
        nash_win_rate=_percentiles(game.nash_win_rate, rates, units, level),
        cyclic_share=_cyclic_share(sample.mean, sample.drawn, units, level),
    )


def worst_cases(
    sample: PoolSample, level: float = 0.95
) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    """Exploitability of every policy, and its win rate against the worst opponent."""
    losses = [_worst(sample, row, level) for row in range(len(sample.mean))]
    return tuple(map(_above_half, losses)), tuple(map(_seen_from_below, losses))


def sample_of_prompts(wins: WinMatrix, seed: int, replicates: int = REPLICATES) -> PoolSample:
    """Prompts drawn with replacement; without draws where they would leave out pairs.

    Raises:
        InvalidSetting: a pair was not measured at all.
    """
    if not wins.complete:
        raise InvalidSetting("a pool's game needs every pair of policies measured on some prompt")
    mean = (wins.mean + 1.0 - wins.mean.T) / 2.0
    prompts = len(wins.wins)
    drawn = np.empty((0, *mean.shape))
    if prompts > 1:
        drawn = drawn_matrices(wins.wins, seed, replicates)
        if len(drawn) < max(2, MEASURED * replicates):
            drawn = drawn[:0]

    def ends(row: int, column: int, level: float) -> tuple[float, float] | None:
        values = wins.wins[:, row, column]
        return _ends(values[~np.isnan(values)], level)

    return PoolSample(mean, drawn, ends, prompts, _clones(wins.wins))


def drawn_matrices(wins: Array, seed: int, replicates: int) -> Array:
    """Win matrices of prompts drawn with replacement; draws that miss a pair are left out.

    Args:
        wins: (C, N, N), NaN where a pair was not measured.
        seed: of the draws.
        replicates: how many.

    Returns:
        (R, N, N), R at most ``replicates``.
    """
    prompts, size, _ = wins.shape
    present = ~np.isnan(wins)
    times = np.array(list(cluster_draws(prompts, seed, replicates)), dtype=np.float64)
    total = times @ np.where(present, wins, 0.0).reshape(prompts, -1)
    count = times @ present.reshape(prompts, -1).astype(np.float64)
    whole = (count > 0).all(axis=1)
    means = (total[whole] / count[whole]).reshape(-1, size, size)
    return np.asarray((means + 1.0 - np.swapaxes(means, 1, 2)) / 2.0)


def _worst(sample: PoolSample, row: int, level: float) -> Interval:
    """Highest win rate of any other policy against one."""
    others = [column for column in range(len(sample.mean)) if column != row]
    rates = sample.mean[others, row]
    value = float(rates.max())
    plain = Interval(value, None, None, sample.units, sample.units)
    if not len(sample.drawn):
        return plain
    noise = sample.drawn[:, others, row] - rates
    spread = noise.std(axis=0)
    # Opponents that may be the worst one: within sqrt(log C) standard errors (Andrews, Soares).
    top = int(rates.argmax())
    apart = (noise - noise[:, [top]]).std(axis=0)
    close = rates >= value - np.sqrt(np.log(sample.units)) * apart
    tail = _joint_tail(noise[:, close], spread[close], level)
    lows, highs = [], []
    for place, column in enumerate(others):
        upper = sample.ends(column, row, level)
        if close[place]:
            lower = sample.ends(column, row, 1 - 2 * tail)
            if lower is None:
                return plain
            lows.append(lower[0])
        if upper is None:
            if close[place]:
                return plain
            continue
        highs.append(upper[1])
    low, high = min(max(lows), value), max(*highs, value)
    return Interval(value, low, high, sample.units, sample.units)


def _joint_tail(noise: Array, spread: Array, level: float) -> float:
    """One-sided tail for each of several ends that must hold together."""
    from scipy.special import ndtr

    tail = (1 - level) / 2
    varied = spread > 0
    if varied.sum() < 2:
        return tail
    largest = (noise[:, varied] / spread[varied]).max(axis=1)
    joint = float(ndtr(-np.quantile(largest, 1 - tail)))
    return min(max(joint, tail / int(varied.sum())), tail)  # Bonferroni's is always enough


def _ends(values: Array, level: float) -> tuple[float, float] | None:
    """Of a mean win rate; a policy against its clone ties for certain."""
    if (values == 0.5).all():
        return 0.5, 0.5
    found = mean_interval(values, level=level, bounds=(0.0, 1.0))
    return None if found.low is None or found.high is None else (found.low, found.high)


def _above_half(worst: Interval) -> Interval:
    """A policy draws with itself: nothing is exploitable by less than 0."""
    low = None if worst.low is None else max(worst.low - 0.5, 0.0)
    high = None if worst.high is None else max(worst.high - 0.5, 0.0)
    return Interval(max(worst.value - 0.5, 0.0), low, high, worst.n, worst.clusters)


def _seen_from_below(worst: Interval) -> Interval:
    low = None if worst.high is None else 1 - worst.high
    high = None if worst.low is None else 1 - worst.low
    return Interval(1 - worst.value, low, high, worst.n, worst.clusters)


def _clones(wins: Array) -> NDArray[np.intp]:
    """(N,) numbers, the same for policies with the very same win rates on all prompts."""
    own = np.where(np.isnan(wins), -1.0, wins).transpose(1, 0, 2).reshape(wins.shape[1], -1)
    return np.unique(own, axis=0, return_inverse=True)[1].reshape(-1)


def _split_over_clones(clones: NDArray[np.intp], drawn: Array) -> Array:
    """Nash averages of the draws; clones are solved as one policy."""
    _, first, which, size = np.unique(
        clones, return_index=True, return_inverse=True, return_counts=True
    )
    if len(first) == len(clones) or not len(drawn):
        return nash_averages(drawn)
    averages = nash_averages(drawn[:, first][:, :, first])
    return np.asarray(averages[:, which] / size[which])


def _percentiles(values: Array, drawn: Array, prompts: int, level: float) -> tuple[Interval, ...]:
    if not len(drawn):
        return tuple(Interval(float(v), None, None, prompts, prompts) for v in values)
    found = []
    for value, own in zip(values.tolist(), drawn.T, strict=True):
        low, high = percentile_ends(own, prompts, level)
        found.append(Interval(value, min(low, value), max(high, value), prompts, prompts))
    return tuple(found)


def _cyclic_share(mean: Array, drawn: Array, prompts: int, level: float) -> Interval:
    """Share of the squared advantages that is cyclic, freed of the squares of noise."""
    cyclic, whole = squared_norms(mean[None] - 0.5)
    raw = float(cyclic[0] / whole[0]) if whole[0] > 0 else 0.0
    if not len(drawn):
        return Interval(raw, None, None, prompts, prompts)
    noise_cyclic, noise_whole = (own.mean() for own in squared_norms(drawn - mean))
    if not noise_whole > 0:
        return Interval(raw, None, None, prompts, prompts)
    if whole[0] <= noise_whole:
        return Interval(raw, 0.0, 1.0, prompts, prompts)  # all advantages could be noise
    value = float((cyclic[0] - noise_cyclic) / (whole[0] - noise_whole))
    # A draw of the sample is noisy twice over: by the sample's own noise and by the draw's.
    again_cyclic, again_whole = squared_norms(drawn - 0.5)
    again = (again_cyclic - 2 * noise_cyclic) / np.maximum(
        again_whole - 2 * noise_whole, noise_whole
    )
    low, high = percentile_ends(again.clip(0.0, 1.0), prompts, level)
    value = min(max(value, 0.0), 1.0)
    return Interval(value, min(low, value), max(high, value), prompts, prompts)


def squared_norms(advantages: Array) -> tuple[Array, Array]:
    """Squared norms of the cyclic part and of the whole (Hodge, all pairs weighed alike).

    Args:
        advantages: (R, N, N) skew.

    Returns:
        (R,) and (R,).
    """
    ratings = advantages.mean(axis=2)
    cyclic = advantages - (ratings[:, :, None] - ratings[:, None, :])
    return (cyclic**2).sum(axis=(1, 2)), (advantages**2).sum(axis=(1, 2))
