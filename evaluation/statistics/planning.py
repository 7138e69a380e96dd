"""How many prompts a question needs, before any of them is paid for."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from evaluation.statistics.inputs import checked, require_level, t_quantile
from evaluation.statistics.means import cluster_robust
from mnpo.errors import InvalidSetting

#: More prompts than anybody has: beyond, the answer is that this design cannot do it.
MOST = 1 << 40


def deviation(values: ArrayLike, clusters: Sequence[Hashable] | None = None) -> float:
    """Standard deviation of what one prompt tells: sqrt(G) times the mean's standard error.

    Swapped orders and repeats go in as they come, with their prompt as cluster: the figure is that
    of a prompt that is asked as often as these were. For a comparison take the differences.

    Raises:
        InvalidSetting: as for `mean_interval`, or nothing varies between clusters.
    """
    x, index, count = checked(values, clusters, 0.95)
    _, error, _ = cluster_robust(x, index, count)
    if error is None:
        raise InvalidSetting("the values do not vary between clusters: there is nothing to plan by")
    return error * float(np.sqrt(count))


def prompts_needed(width: float, deviation: float, *, level: float = 0.95) -> int:
    """Fewest prompts whose t interval is expected to be no wider than ``width``.

    Args:
        width: of the whole interval, high - low, in the unit of the values.
        deviation: of one prompt, see `deviation`; 0.5 is the largest for a win rate in [0, 1].
        level: of confidence.

    Raises:
        InvalidSetting: a width or deviation that is not positive and finite, a level outside
            (0, 1), or no number of prompts that would do.
    """
    _require(width=width, deviation=deviation)
    require_level(level)
    return _fewest(
        lambda n: bool(2 * t_quantile(0.5 + level / 2, n - 1) * deviation / np.sqrt(n) <= width)
    )


def detectable_difference(
    prompts: int, deviation: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """Smallest true difference that a two-sided paired test finds with the given power.

    (t_{1/2 + level/2} + t_{power}) deviation / sqrt(prompts), t with prompts - 1 degrees of
    freedom.

    Args:
        prompts: at least 2.
        deviation: of one prompt's difference between two models.
        power: probability of finding it, above 1/2.
        level: 1 - the test's size.

    Raises:
        InvalidSetting: an impossible argument.
    """
    _require(deviation=deviation)
    require_level(level)
    if prompts < 2:
        raise InvalidSetting(f"prompts must be at least 2, got {prompts}")
    if not 0.5 <= power < 1:
        raise InvalidSetting(f"power must be at least 0.5 and below 1, got {power!r}")
    quantiles = t_quantile(0.5 + level / 2, prompts - 1) + t_quantile(power, prompts - 1)
    return float(quantiles * deviation / np.sqrt(prompts))


def prompts_to_detect(
    difference: float, deviation: float, *, power: float = 0.8, level: float = 0.95
) -> int:
    """Fewest prompts with which `detectable_difference` is at most ``difference``.

    Raises:
        InvalidSetting: an impossible argument, or no number of prompts that would do.
    """
    _require(difference=difference, deviation=deviation)
    return _fewest(
        lambda n: detectable_difference(n, deviation, power=power, level=level) <= difference
    )


def _fewest(enough: Callable[[int], bool]) -> int:
    """Smallest n >= 2 that is enough, more being enough too."""
    high = 2
    while not enough(high):
        high *= 2
        if high > MOST:
            raise InvalidSetting("no number of prompts makes the interval that narrow")
    low = high // 2  # not enough, or below 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if middle >= 2 and enough(middle) else (middle, high)
    return high


def _require(**positive: float) -> None:
    for name, value in positive.items():
        if not 0 < value < np.inf:
            raise InvalidSetting(f"{name} must be positive and finite, got {value!r}")
