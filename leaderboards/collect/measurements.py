"""A figure before it stands on a board: whose, of what, under which conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leaderboards.collect.policies import Policy
from leaderboards.collect.rows import Row

#: Questions of a training run's cross-play: the prompts that its recipe sets aside.
HELD_OUT = "held-out"


@dataclass(frozen=True)
class Measurement:
    """One row, understood.

    Attributes:
        row: as read.
        policy: whose.
        judge: whose preferences; the row's, or "" where each row may have another one.
        conditions: all that the figure depends on but the policy.
        headline: whether the benchmark is known for this figure.
        probability: in [0, 1] where other runs have percent.
        model: the policy's name in its run, for comparisons.
        pool: of a figure that depends on who else was there, a hash of them, seeds and all: the
            same policy has another figure, equally valid, among policies of other seeds.
        flags: warnings.
        on: of a cross-play, whose questions were answered: `HELD_OUT`, or a benchmark's name.
    """

    row: Row
    policy: Policy
    judge: str
    conditions: Mapping[str, str]
    headline: bool = False
    probability: bool = False
    model: str = ""
    pool: str = ""
    flags: tuple[str, ...] = ()
    on: str = ""


@dataclass(frozen=True)
class Paired:
    """A paired comparison of two models within one run.

    Attributes:
        run: the run's key.
        benchmark, judge, metric: of what.
        first, second: models, by their names in the run.
        p_value, adjusted: None where there is none.
    """

    run: str
    benchmark: str
    judge: str
    metric: str
    first: str
    second: str
    p_value: float | None
    adjusted: float | None


@dataclass
class Material:
    """Everything that the runs of one kind found.

    Attributes:
        measurements: of all runs.
        paired: comparisons.
        spend: what judging cost, one line each.
    """

    measurements: list[Measurement] = field(default_factory=list)
    paired: list[Paired] = field(default_factory=list)
    spend: list[str] = field(default_factory=list)
