"""How far judges agree: with each other, with themselves, and whatever the place and the length."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval, bootstrap_interval, mean_interval
from mnpo.errors import InvalidSetting

Level: TypeAlias = Literal["nominal", "ordinal", "interval"]

#: Fewer independent prompts than this give no bootstrap interval: over so few it is too narrow.
FEWEST_CLUSTERS = 10

COLUMNS = ("figure", "judge", "value", "low", "high", "n", "clusters")


@dataclass(frozen=True)
class Verdict:
    """One verdict of one judge.

    Attributes:
        judge: its name.
        item: the prompt; what is drawn independently, so intervals count these.
        model: whose answer is judged, e.g. "model-x" or "model-x/model-y".
        order: "AB" where that answer was shown first, "BA" where it was shown second, "" where
            it was graded alone.
        repeat: which of several times the same question was asked.
        value: of two answers, P(the model's answer is better), in [0, 1], whatever the order; of
            one answer its grade.
        first_length: length of the model's answer, in any unit; None where it is not known.
        second_length: length of the other answer.
    """

    judge: str
    item: str
    model: str
    order: str
    repeat: int
    value: float
    first_length: float | None = None
    second_length: float | None = None


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


@dataclass(frozen=True)
class Agreement:
    """Agreement of several judges and of each with itself.

    Attributes:
        alphas: by level; nominal looks at win, tie or loss (of grades: at the grade itself).
        pairs: share of common questions with the same winner (the same grade), by pair of judges.
        judges: by name.
    """

    alphas: Mapping[Level, Alpha]
    pairs: Mapping[tuple[str, str], Interval]
    judges: Mapping[str, OneJudge]

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "krippendorff_alpha": {level: asdict(a) for level, a in self.alphas.items()},
            "same_verdict": [
                {"judges": list(pair), **asdict(found)} for pair, found in self.pairs.items()
            ],
            "judges": {name: asdict(found) for name, found in self.judges.items()},
        }

    def rows(self) -> list[tuple[str | int | float | None, ...]]:
        """Rows of a table with `COLUMNS`; what is not known is None."""
        found: list[tuple[str | int | float | None, ...]] = [
            (f"krippendorff_alpha/{level}", "", a.value, a.low, a.high, a.units, a.clusters)
            for level, a in self.alphas.items()
        ]
        found += [_row("same_verdict", " = ".join(pair), i) for pair, i in self.pairs.items()]
        for name, own in self.judges.items():
            for figure, interval in vars(own).items():
                if isinstance(interval, Interval):
                    found.append(_row(figure, name, interval))
        return found


def agreement(verdicts: Iterable[Verdict], *, level: float = 0.95, seed: int = 0) -> Agreement:
    """All figures of a set of verdicts; missing ones are simply not there.

    A *question* is (item, model, order). A judge's verdict on it is the mean over repeats. Judges
    are compared question by question, position is read off pairs with both orders, and length is
    looked at after the two orders are averaged. Intervals count items.

    Args:
        verdicts: of any judges on any items; graded and compared ones must not be mixed.
        level: of confidence.
        seed: of the bootstraps (alpha, slope).

    Raises:
        InvalidSetting: no verdicts, the same one twice, a value that is not finite, a comparison's
            value outside [0, 1], an unknown order, or grades among comparisons.
    """
    table = _by_judge(verdicts)
    names = list(table)
    graded = any(order == "" for own in table.values() for _, _, order in own)
    means = {
        name: {unit: _mean([v.value for v in seen]) for unit, seen in own.items()}
        for name, own in table.items()
    }
    pairs = {}
    for a, b in combinations(names, 2):
        common = [unit for unit in means[a] if unit in means[b]]
        if common:
            same = [
                _category(means[a][u], graded) == _category(means[b][u], graded) for u in common
            ]
            pairs[a, b] = mean_interval(same, [u[0] for u in common], level, bounds=(0, 1))
    levels: tuple[Level, ...] = ("nominal", "ordinal", "interval")
    return Agreement(
        alphas={at: _alpha(means, at, graded, level, seed) for at in levels},
        pairs=pairs,
        judges={name: _one(own, means[name], graded, level, seed) for name, own in table.items()},
    )


#: (item, model, order): what a judge was shown.
_Unit: TypeAlias = tuple[str, str, str]


def _by_judge(verdicts: Iterable[Verdict]) -> dict[str, dict[_Unit, list[Verdict]]]:
    table: dict[str, dict[_Unit, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    seen = set()
    for v in verdicts:
        where = f"verdict of '{v.judge}' on {v.item}/{v.model}"
        if v.order not in ("AB", "BA", ""):
            raise InvalidSetting(f"{where}: the order is AB, BA or empty, got {v.order!r}")
        if not math.isfinite(v.value):
            raise InvalidSetting(f"{where}: {v.value!r} is no verdict; leave out what is missing")
        if v.order and not 0 <= v.value <= 1:
            raise InvalidSetting(f"{where}: a comparison's value is in [0, 1], got {v.value!r}")
        key = (v.judge, v.item, v.model, v.order, v.repeat)
        if key in seen:
            raise InvalidSetting(f"{where}: order {v.order!r}, repeat {v.repeat} is there twice")
        seen.add(key)
        table[v.judge][v.item, v.model, v.order].append(v)
    if not table:
        raise InvalidSetting("there are no verdicts")
    if len({order == "" for own in table.values() for _, _, order in own}) > 1:
        raise InvalidSetting("grades and comparisons cannot be mixed: look at each by itself")
    return {name: dict(own) for name, own in table.items()}


def _category(value: float, graded: bool) -> float:
    """Win, tie or loss of a comparison; of a grade the grade."""
    return value if graded else float(np.sign(value - 0.5))


def _alpha(
    means: Mapping[str, Mapping[_Unit, float]],
    at: Level,
    graded: bool,
    level: float,
    seed: int,
) -> Alpha:
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


def _one(
    own: Mapping[_Unit, Sequence[Verdict]],
    means: Mapping[_Unit, float],
    graded: bool,
    level: float,
    seed: int,
) -> OneJudge:
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
            [_category(ab, False) == _category(ba, False) for _, ab, ba in swapped],
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
    own: Mapping[_Unit, Sequence[Verdict]],
    means: Mapping[_Unit, float],
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
    known = [(pair[0], ratio[pair], _mean(by_pair[pair])) for pair in by_pair if pair in ratio]
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
    own: Mapping[_Unit, Sequence[Verdict]], level: float
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


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _row(figure: str, judge: str, i: Interval) -> tuple[str | int | float | None, ...]:
    return figure, judge, i.value, i.low, i.high, i.n, i.clusters
