"""One figure of several training seeds: their mean, and an interval that counts both chances.

A seed's figure y_s is a mean over prompts, so it varies with the seed and with the prompts drawn,
and the prompts are the same for all S seeds. With s^2 the variance of the y_s and v_s the squared
standard error that the interval of y_s implies,

    V = s^2 / S + mean_s v_s

is at least the variance of their mean in expectation: s^2 / S holds the seeds' own variance and
what seeds and prompts do together, the second term what is common to all seeds, the prompts, and
what seeds and prompts do together once more. The quantile is Student's with the degrees of freedom
of Satterthwaite (1946) for a sum of two mean squares, S - 1 and G - 1 of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.statistics import Interval
from evaluation.statistics.inputs import t_quantile
from leaderboards.board import Basis

Bounds = tuple[float, float] | None
#: A spread below this share of the values is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Mean:
    """A figure over seeds.

    Attributes:
        interval: mean and interval.
        basis: what the interval counts.
        spread: standard deviation over the seeds; None below two.
        freedom: degrees of freedom of the interval; None where there is none.
    """

    interval: Interval
    basis: Basis
    spread: float | None
    freedom: float | None


def over_seeds(parts: Sequence[Interval], bounds: Bounds = None, level: float = 0.95) -> Mean:
    """The mean of the seeds' figures.

    Args:
        parts: one for each seed, of the same prompts.
        bounds: that no figure can leave; the interval is cut there.
        level: of confidence, of the parts' intervals too.
    """
    if len(parts) == 1:
        own = parts[0]
        known = own.low is not None and own.clusters > 1
        basis: Basis = "none" if own.low is None else "prompts"
        return Mean(own, basis, None, float(own.clusters - 1) if known else None)
    values = np.array([own.value for own in parts])
    count, mean = len(parts), float(values.mean())
    n, clusters = sum(own.n for own in parts), min(own.clusters for own in parts)
    spread = float(values.std(ddof=1))
    if spread <= _ROUNDING * max(1.0, float(np.abs(values).max())):
        spread = 0.0
    of_seeds = spread**2 / count
    errors = [error for own in parts if (error := standard_error(own, level)) is not None]
    of_prompts = float(np.mean(np.square(errors))) if errors else 0.0
    if 0 < len(errors) < count:  # a seed without an interval is not a certain one
        of_prompts = float(np.max(np.square(errors)))
    variance = of_seeds + of_prompts
    if variance == 0:
        return Mean(Interval(mean, None, None, n, clusters), "none", spread, None)
    freedom = variance**2 / (
        of_seeds**2 / (count - 1) + (of_prompts**2 / (clusters - 1) if of_prompts else 0.0)
    )
    half = t_quantile(0.5 + level / 2, freedom) * float(np.sqrt(variance))
    low, high = mean - half, mean + half
    if bounds is not None:
        low, high = min(max(low, bounds[0]), mean), max(min(high, bounds[1]), mean)
    basis = "seeds and prompts" if errors else "seeds"
    return Mean(Interval(mean, low, high, n, clusters), basis, spread, freedom)


def within_seed(parts: Sequence[Interval]) -> Interval:
    """The mean of one policy's figures among several sets of opponents, on the same prompts.

    A policy that stood in several pools is still one seed. The figures share their prompts, so the
    half-width is the mean of theirs, the most that it can be.

    Args:
        parts: of one policy; without an interval where one of them has none.
    """
    if len(parts) == 1:
        return parts[0]
    value = float(np.mean([own.value for own in parts]))
    lows = [own.low for own in parts if own.low is not None]
    highs = [own.high for own in parts if own.high is not None]
    n, clusters = sum(own.n for own in parts), min(own.clusters for own in parts)
    if min(len(lows), len(highs)) < len(parts):
        return Interval(value, None, None, n, clusters)
    low, high = float(np.mean(lows)), float(np.mean(highs))
    return Interval(value, min(low, value), max(high, value), n, clusters)


def standard_error(own: Interval, level: float = 0.95) -> float | None:
    """That an interval over prompts implies: half its width over Student's quantile."""
    if own.low is None or own.high is None or own.clusters < 2:
        return None
    return (own.high - own.low) / 2 / t_quantile(0.5 + level / 2, own.clusters - 1)
