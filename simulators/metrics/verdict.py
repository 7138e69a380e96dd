"""A plain verdict on a run, by a stated rule.

With g_t the duality gap of the game the method plays (regularised or not), E1 and E2 its largest
value in the last but one and the last quarter of the run, the first line that applies holds:

1. *converges (last iterate)*: E2 <= 1e-6, or E2 <= 0.9 E1. In a noisy run (sampled preferences,
   or a network's optimiser) instead: the mean gap of the last quarter is at most a quarter of
   the starting gap and no more than 1.25 times the mean of the quarter before (the run has
   reached its noise floor).
2. *settles elsewhere*: the log-odds come to rest (their largest change an iteration is below
   1e-9, or halves from one quarter to the next; in a noisy run, is below 0.02) while the gap
   does not close: a biased fixed point.
3. *converges on average only*: the gap of the running average is at most 1e-6, or its largest
   value in the last quarter is at most 0.75 times that in the second (a 1/sqrt(T) decay gives
   0.58, a plateau 1).
4. *diverges*: the spread of the log-odds at least doubles from one quarter to the next, or grows
   by a tenth while the leading action no longer changes. A spread beyond 1e50 nats, which only
   exponential growth reaches, is this verdict before lines 2 and 3 are asked.
5. *cycles*: everything else: bounded, or rotating along the boundary, without closing the gap.

In a noisy run "cycles" also needs a mean gap in the last quarter of at least half the largest
and two changes of the leading action in the second half; otherwise the noise hides what it is.
That, and a run of fewer than 8 iterations, is *undecided*.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_ITERATIONS = 8
CLOSED = 1e-6
AT_REST = 1e-9
AT_REST_NOISY = 0.02
RUNAWAY = 1e50


class Verdict(StrEnum):
    """What a run did."""

    CONVERGES = "converges (last iterate)"
    AVERAGE = "converges on average only"
    SETTLES = "settles elsewhere"
    CYCLES = "cycles"
    DIVERGES = "diverges"
    UNDECIDED = "undecided"


@dataclass(frozen=True, eq=False)
class Evidence:
    """The series of one run that the verdict is read from, each of length T + 1.

    Attributes:
        gap: duality gap of the current policy, in the game the method plays.
        average_gap: the same of the running average of the policies.
        movement: largest change of a log-probability in the iteration; 0 at t = 0.
        spread: largest minus smallest log-probability.
        leader: index of the most likely action.
        noisy: whether the run sampled its preferences or trained a network.
    """

    gap: Array
    average_gap: Array
    movement: Array
    spread: Array
    leader: NDArray[np.intp]
    noisy: bool = False


def judge(evidence: Evidence) -> Verdict:
    """The verdict of one run, by the rule at the head of this module."""
    iterations = len(evidence.gap) - 1
    if iterations < MIN_ITERATIONS:
        return Verdict.UNDECIDED
    quarter = max(iterations // 4, 1)
    last = slice(-quarter, None)
    before = slice(-2 * quarter, -quarter)
    second = slice(quarter, 2 * quarter)

    if _converges(evidence, before, last):
        return Verdict.CONVERGES
    if evidence.spread[last].max() >= RUNAWAY:
        return Verdict.DIVERGES
    moving, moved = evidence.movement[last].max(), evidence.movement[before].max()
    if moving <= AT_REST_NOISY if evidence.noisy else moving <= max(AT_REST, 0.5 * moved):
        return Verdict.SETTLES
    average, earlier = evidence.average_gap[last].max(), evidence.average_gap[second].max()
    if average <= CLOSED or average <= 0.75 * earlier:
        return Verdict.AVERAGE
    growth = evidence.spread[last].max() / max(evidence.spread[before].max(), 1e-300)
    turns = np.count_nonzero(np.diff(evidence.leader[-2 * quarter :]))
    if growth >= 2 or (growth >= 1.1 and turns < 2):
        return Verdict.DIVERGES
    large = evidence.gap[last].mean() >= 0.5 * evidence.gap.max()
    if evidence.noisy and not (large and turns >= 2):
        return Verdict.UNDECIDED
    return Verdict.CYCLES


def _converges(evidence: Evidence, before: slice, last: slice) -> bool:
    gap = evidence.gap
    if gap[last].max() <= CLOSED:
        return True
    if evidence.noisy:
        floor = gap[last].mean()
        return bool(floor <= 0.25 * gap[0] and floor <= 1.25 * gap[before].mean())
    return bool(gap[last].max() <= 0.9 * gap[before].max())
