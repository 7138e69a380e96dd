"""One simulated situation and how often intervals cover its truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from evaluation.statistics import Interval

Ends = tuple[float, float] | None
#: From a random stream to the ends of "ours" and of "usual", on one simulated data set.
Draw = Callable[[np.random.Generator], Mapping[str, Ends]]

NORMAL = 1.959963984540054
OURS, USUAL = "ours", "usual"


@dataclass(frozen=True)
class Case:
    """A generating model.

    Attributes:
        name: what is estimated, from what.
        usual: how the interval beside ours is made.
        truth: what both should cover.
        draw: one data set's intervals; None where a method gives none.
        share: of the replicates that this case gets; below 1 for slow ones.
    """

    name: str
    usual: str
    truth: float
    draw: Draw
    share: float = 1.0


@dataclass
class Tally:
    """How one method did.

    Attributes:
        below, above: data sets whose interval lies below or above the truth.
        absent: data sets without an interval, which count as no cover.
        widths: of the intervals that are there.
    """

    below: int = 0
    above: int = 0
    absent: int = 0
    widths: list[float] = field(default_factory=list)

    def add(self, ends: Ends, truth: float) -> None:
        if ends is None:
            self.absent += 1
            return
        slack = 1e-9 * max(1.0, abs(truth))
        self.below += ends[1] < truth - slack
        self.above += ends[0] > truth + slack
        self.widths.append(ends[1] - ends[0])

    @property
    def runs(self) -> int:
        return len(self.widths) + self.absent

    @property
    def coverage(self) -> float:
        return 1 - (self.below + self.above + self.absent) / self.runs

    @property
    def error(self) -> float:
        """Monte-Carlo standard error of the coverage; of one miss where there is none."""
        p = min(self.coverage, 1 - 1 / self.runs)
        return float(np.sqrt(p * (1 - p) / self.runs))


def ends(found: Interval) -> Ends:
    """Of an interval that may have none."""
    return None if found.low is None or found.high is None else (found.low, found.high)


def normal(values: np.ndarray) -> Ends:
    """Mean -+ 1.96 standard errors over the rows: what tables usually print."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - NORMAL * error, values.mean() + NORMAL * error


def run_case(case: Case, replicates: int, seed: int) -> dict[str, Tally]:
    """Simulate; replicate r of a case always sees the same random stream."""
    tallies = {OURS: Tally(), USUAL: Tally()}
    for replicate in range(max(2, round(replicates * case.share))):
        drawn = case.draw(np.random.default_rng([seed, replicate]))
        for name, tally in tallies.items():
            tally.add(drawn[name], case.truth)
    return tallies
