"""All figures of agreement, and their table."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from evaluation.agreement.alpha import Alpha, Level, alpha_of
from evaluation.agreement.one_judge import OneJudge, one_judge
from evaluation.agreement.verdicts import Verdict, by_judge, category_of, mean_of
from evaluation.statistics import Interval, mean_interval

COLUMNS = ("figure", "judge", "value", "low", "high", "n", "clusters")


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
    table = by_judge(verdicts)
    names = list(table)
    graded = any(order == "" for own in table.values() for _, _, order in own)
    means = {
        name: {unit: mean_of([v.value for v in seen]) for unit, seen in own.items()}
        for name, own in table.items()
    }
    pairs = {}
    for a, b in combinations(names, 2):
        common = [unit for unit in means[a] if unit in means[b]]
        if common:
            same = [
                category_of(means[a][u], graded) == category_of(means[b][u], graded) for u in common
            ]
            pairs[a, b] = mean_interval(same, [u[0] for u in common], level, bounds=(0, 1))
    levels: tuple[Level, ...] = ("nominal", "ordinal", "interval")
    return Agreement(
        alphas={at: alpha_of(means, at, graded, level, seed) for at in levels},
        pairs=pairs,
        judges={
            name: one_judge(own, means[name], graded, level, seed) for name, own in table.items()
        },
    )


def _row(figure: str, judge: str, i: Interval) -> tuple[str | int | float | None, ...]:
    return figure, judge, i.value, i.low, i.high, i.n, i.clusters
