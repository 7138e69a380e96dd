"""Stopping when the interval is narrow enough, with an interval that allows looking all the time.

A fixed-sample interval that is looked at after every prompt, and that ends the run once it looks
good, does not hold its level. A confidence sequence does: with probability at least the level it
holds the mean at *every* time at once, so also at the one where somebody stops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.statistics import Interval, prompts_needed
from mnpo.errors import InvalidSetting

#: c of the source: a bet never risks more than this share of what it has.
_LARGEST_BET = 0.5
#: The interval's ends are found to this share of the values' range, and rounded outwards.
_RESOLUTION = 1e-7


class SequentialMean:
    """A confidence sequence for the mean of bounded values: hedged betting.

    Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting"
    (JRSS B, arXiv 2010.09686), Theorem 3, with its predictable plug-in bets. With values X_i
    scaled to [0, 1] and 1 - alpha the level,

        K+_t(m) = prod_i (1 + lambda_i+(m) (X_i - m)),  lambda_i+(m) = min(lambda_i, c/m)
        K-_t(m) = prod_i (1 - lambda_i-(m) (X_i - m)),  lambda_i-(m) = min(lambda_i, c/(1 - m))
        lambda_i = sqrt(2 log(2/alpha) / (s2_{i-1} i log(i + 1)))
        s2_i = (1/4 + sum_{j<=i} (X_j - mu_j)^2) / (i + 1),  mu_i = (1/2 + sum_{j<=i} X_j) / (i + 1)

    and the interval at time t is {m : max(K+_t(m), K-_t(m)) / 2 < 1/alpha}, intersected with all
    earlier ones. At the true mean both products are non-negative martingales that start at 1, so
    by Ville's inequality either half exceeds 1/alpha, ever, with probability at most alpha/2.

    Any bets that look at earlier values only keep the guarantee. Where the wanted width is known,
    lambda_i = width / (2 s2_{i-1}) makes the interval narrowest about when it gets there: it
    minimises log(2/alpha) / (i lambda) + lambda s2 / 2, half the width for small bets, at the i
    where that is the wanted half.

    The guarantee: P(the mean is inside at all times) >= level, where the mean is that of the
    population the values are drawn from independently (more exactly: where each value's
    expectation, given those before it, is that mean). No normality, no smallest sample.

    Args:
        low, high: smallest and largest possible value.
        level: of confidence, in (0, 1).
        width: that the interval shall reach, end to end, in the values' unit; None bets for all
            times alike.

    Raises:
        InvalidSetting: bounds in the wrong order, a level outside (0, 1), or no positive width.
    """

    def __init__(
        self, low: float, high: float, level: float = 0.95, *, width: float | None = None
    ) -> None:
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise InvalidSetting(f"bounds must be two numbers low < high, got {low!r}, {high!r}")
        if not 0 < level < 1:
            raise InvalidSetting(f"level must be between 0 and 1, got {level!r}")
        if width is not None:
            _require_width(width)
        self._bounds = (float(low), float(high))
        self._width = None if width is None else width / (high - low)
        self._alpha = 1 - level
        self._values = np.empty(64)  # grows by doubling
        self._bets = np.empty(64)
        self._count = 0
        self._sum = 0.0
        self._squares = 0.25
        # The mean is above ends[0] and below 1 - ends[1], as far as is known: the upper end is the
        # lower end of 1 - X. log K at each.
        self._ends = [0.0, 0.0]
        self._logs = [0.0, 0.0]

    def __len__(self) -> int:
        return self._count

    def add(self, value: float) -> None:
        """Take one more value: the mean over one cluster, e.g. over the two orders of a prompt.

        Raises:
            InvalidSetting: it is outside the bounds or not a number.
        """
        low, high = self._bounds
        if not low <= value <= high:
            raise InvalidSetting(f"value {value!r} is outside the bounds {self._bounds}")
        x = (value - low) / (high - low)
        self._count += 1
        t = self._count
        # Bets are laid before the value is seen: they depend on earlier ones only.
        variance = self._squares / t
        bet = (
            np.sqrt(2 * np.log(2 / self._alpha) / (variance * t * np.log(t + 1)))
            if self._width is None
            else self._width / (2 * variance)
        )
        if t > len(self._values):
            self._values = np.concatenate([self._values, np.empty(t - 1)])
            self._bets = np.concatenate([self._bets, np.empty(t - 1)])
        self._values[t - 1], self._bets[t - 1] = x, bet
        self._sum += x
        self._squares += (x - (0.5 + self._sum) / (t + 1)) ** 2
        for side in (0, 1):
            self._move(side)

    @property
    def interval(self) -> Interval:
        """The mean so far and the confidence sequence's interval; no interval without a value.

        The mean at a time that was chosen by looking is itself slightly biased; the interval is
        not affected.
        """
        if self._count == 0:
            raise InvalidSetting("there are no values")
        low, high = self._bounds
        scale = high - low
        return Interval(
            value=low + scale * self._sum / self._count,
            low=low + scale * self._ends[0],
            high=high - scale * self._ends[1],
            n=self._count,
            clusters=self._count,
        )

    def enough(self, width: float) -> bool:
        """Whether the interval is at most that wide, from end to end, in the values' unit."""
        _require_width(width)
        if self._count == 0:
            return False
        found = self.interval
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low <= width

    def _move(self, side: int) -> None:
        """Raise one end while its product says that the mean is above it."""
        x = self._values[: self._count]
        x = x if side == 0 else 1 - x
        bets = self._bets[: self._count]
        limit = np.log(2 / self._alpha)
        end = self._ends[side]
        self._logs[side] += float(_log_factor(x[-1:], bets[-1:], end).sum())
        if self._logs[side] < limit:
            return
        # log K falls in m: bisect between the end that is excluded and 1, and keep the excluded
        # side, so that rounding widens the interval.
        top = 1.0
        while top - end > _RESOLUTION:
            middle = (end + top) / 2
            if float(_log_factor(x, bets, middle).sum()) >= limit:
                end = middle
            else:
                top = middle
        self._ends[side] = end
        self._logs[side] = float(_log_factor(x, bets, end).sum())


def random_order(items: Sequence[str], seed: int) -> tuple[str, ...]:
    """The items in an order that the seed alone decides, whatever order they are given in.

    Fix it before the first answer is seen: a random order makes the prompts met so far a fair
    sample, where a benchmark's own order may go by topic.
    """
    names = sorted(items)
    order = np.random.default_rng(seed).permutation(len(names))
    return tuple(names[i] for i in order)


@dataclass(frozen=True)
class Plan:
    """How many prompts a width is expected to take.

    Attributes:
        sequential: mean number of values, over the simulated runs that got there, until the
            confidence sequence is that narrow; None where more than one run in ten gave up.
        slowest: the 90th percentile over all runs; None likewise.
        fixed: values that a t interval of that width takes when their number is fixed before.
        limit: values at which a simulated run gave up.
    """

    sequential: float | None
    slowest: float | None
    fixed: int
    limit: int


def plan(
    width: float,
    *,
    mean: float,
    spread: float,
    low: float = 0.0,
    high: float = 1.0,
    level: float = 0.95,
    limit: int = 5000,
    runs: int = 20,
    seed: int = 0,
) -> Plan:
    """How many prompts to expect, by simulation with beta-distributed values.

    Args:
        width: of the interval, end to end.
        mean: expected of a prompt's value, e.g. a pilot's.
        spread: standard deviation of the same.
        low: smallest possible value.
        high: largest.
        level: of confidence.
        limit: values after which a simulated run gives up.
        runs: simulated runs.
        seed: of the simulation.

    Raises:
        InvalidSetting: a mean outside the bounds, or a spread that such values cannot have.
    """
    _require_width(width)
    if limit < 1 or runs < 1:
        raise InvalidSetting("limit and runs must be positive")
    m, s = (mean - low) / (high - low), spread / (high - low)
    if not 0 < m < 1 or not 0 < s <= np.sqrt(m * (1 - m)) + 1e-12:
        raise InvalidSetting(
            f"values between {low:g} and {high:g} cannot have mean {mean:g} and standard "
            f"deviation {spread:g}"
        )
    random = np.random.default_rng(seed)
    k = m * (1 - m) / s**2 - 1  # the beta distribution's a + b; 0 is a coin
    taken = []
    for _ in range(runs):
        draws = (
            random.beta(m * k, (1 - m) * k, size=limit)
            if k > 1e-6
            else (random.random(limit) < m).astype(float)
        )
        narrow = width / (high - low)
        sequence = SequentialMean(0.0, 1.0, level, width=narrow)
        for x in draws:
            sequence.add(float(x))
            if sequence.enough(narrow):
                break
        else:
            taken.append(np.inf)
            continue
        taken.append(float(len(sequence)))
    slowest = float(np.quantile(taken, 0.9, method="higher"))
    done = np.isfinite(slowest)
    finite = [x for x in taken if np.isfinite(x)]
    return Plan(
        sequential=float(np.mean(finite)) if done else None,
        slowest=slowest if done else None,
        fixed=prompts_needed(width, spread, level=level),
        limit=limit,
    )


def _require_width(width: float) -> None:
    if not 0 < width < np.inf:
        raise InvalidSetting(f"the width must be positive, got {width!r}")


def _log_factor(x: np.ndarray, bets: np.ndarray, m: float) -> np.ndarray:
    """(t,) logarithms of the factors of K+(m)."""
    bounded = bets if m == 0 else np.minimum(bets, _LARGEST_BET / m)
    found: np.ndarray = np.log1p(bounded * (x - m))
    return found
