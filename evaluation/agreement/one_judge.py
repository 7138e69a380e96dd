"""What a judge's own verdicts say of it: likings for a place and for length, and steadiness."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement.verdicts import (
    FEWEST_CLUSTERS,
    Unit,
    Verdict,
    category_of,
    mean_of,
)
from evaluation.statistics import Interval, bootstrap_interval, mean_interval
from mnpo.errors import InvalidSetting


@dataclass(frozen=True)
class OneJudge:
    """What one judge's verdicts say of the judge. Each figure is None where nothing shows it.

    Attributes:
        verdicts: how many.
        position: P(first-shown answer wins) - 1/2 over pairs that were judged in both orders: 0
            for a judge who looks at the answers alone, +1/2 for one who always takes the first.
        steadiness: share of those pairs with the same winner (or a tie) in both orders.
        longer_wins: share won by the longer answer, of decided pairs of different lengths.
        length_slope: change in P(win) for an answer e times as long as the other: the slope of a
            straight line. Better answers may be longer: it shows a relation, not its cause.
        repeat_variance: variance of a verdict that is asked again, the mean over questions.
        repeat_agreement: share of repeated questions with the same verdict every time.
    """

    verdicts: int
    position: Interval | None
    steadiness: Interval | None
    longer_wins: Interval | None
    length_slope: Interval | None
    repeat_variance: Interval | None
    repeat_agreement: Interval | None


def one_judge(
    own: Mapping[Unit, Sequence[Verdict]],
    means: Mapping[Unit, float],
    graded: bool,
    level: float,
    seed: int,
) -> OneJudge:
    """Of one judge's verdicts and their means over repeats.

    Args:
        own: verdicts by question.
        means: of each question's repeats.
        graded: grades rather than comparisons.
        level: of confidence.
        seed: of the bootstrap.
    """
    swapped = [
        (item, means[item, model, "AB"], means[item, model, "BA"])
        for item, model, order in own
        if order == "AB" and (item, model, "BA") in own
    ]
    items = [item for item, _, _ in swapped]
    longer, slope = (None, None) if graded else _length(own, means, level, seed)
    variance, agreed = _repeats(own, level)
    return OneJudge(
        verdicts=sum(map(len, own.values())),
        # Shown first in AB, second in BA: its mean chance in the first place is (ab + 1 - ba) / 2.
        position=_interval([(ab - ba) / 2 for _, ab, ba in swapped], items, level, (-0.5, 0.5)),
        steadiness=_interval(
            [category_of(ab, False) == category_of(ba, False) for _, ab, ba in swapped],
            items,
            level,
            (0, 1),
        ),
        longer_wins=longer,
        length_slope=slope,
        repeat_variance=variance,
        repeat_agreement=agreed,
    )


def _length(
    own: Mapping[Unit, Sequence[Verdict]],
    means: Mapping[Unit, float],
    level: float,
    seed: int,
) -> tuple[Interval | None, Interval | None]:
    """Share won by the longer answer, and the slope on the log ratio of lengths."""
    by_pair: dict[tuple[str, str], list[float]] = defaultdict(list)
    ratio: dict[tuple[str, str], float] = {}
    for (item, model, order), seen in own.items():
        by_pair[item, model].append(means[item, model, order])
        first, second = seen[0].first_length, seen[0].second_length
        if first is not None and second is not None and first > 0 and second > 0:
            ratio[item, model] = math.log(first / second)
    known = [(pair[0], ratio[pair], mean_of(by_pair[pair])) for pair in by_pair if pair in ratio]
    decided = [(item, (x > 0) == (y > 0.5)) for item, x, y in known if x != 0 and y != 0.5]
    longer = _interval([won for _, won in decided], [item for item, _ in decided], level, (0, 1))
    if len({x for _, x, _ in known}) < 2:
        return longer, None
    rows = np.array([(x, y) for _, x, y in known])
    clusters = [item for item, _, _ in known]
    count = len(set(clusters))
    plain = Interval(_slope(rows), None, None, len(rows), count)
    if count < FEWEST_CLUSTERS:
        return longer, plain
    try:
        return longer, bootstrap_interval(rows, _slope, clusters, seed=seed, level=level)
    except InvalidSetting:  # a draw in which all lengths agree has no slope
        return longer, plain


def _slope(rows: NDArray[np.float64]) -> float:
    """Of the least-squares line; NaN where x does not vary."""
    x = rows[:, 0] - rows[:, 0].mean()
    square = float(x @ x)
    return float(x @ rows[:, 1]) / square if square > 0 else math.nan


def _repeats(
    own: Mapping[Unit, Sequence[Verdict]], level: float
) -> tuple[Interval | None, Interval | None]:
    repeated = {unit: [v.value for v in seen] for unit, seen in own.items() if len(seen) > 1}
    items = [unit[0] for unit in repeated]
    variance = [float(np.var(values, ddof=1)) for values in repeated.values()]
    same = [len(set(values)) == 1 for values in repeated.values()]
    return _interval(variance, items, level, None), _interval(same, items, level, (0, 1))


def _interval(
    values: Sequence[float], items: Sequence[str], level: float, bounds: tuple[float, float] | None
) -> Interval | None:
    return mean_interval(values, items, level, bounds=bounds) if values else None
