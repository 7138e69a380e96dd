"""A plain verdict on a run, by a stated rule.

With g_t the duality gap of the game the method plays (regularised or not), the first line that
applies holds:

1. *converges (last iterate)*: the largest gap of the last quarter is at most 1e-6; or the gap
   falls and is heading for zero: its largest values F1, F2, F3 over [T/8, T/4], [T/4, T/2] and
   [T/2, T] satisfy F3 <= 0.75 F2, neither their geometric extrapolation (Aitken) exceeds 0.3 F3
   nor that of the thirds of the last half 0.8 times the last third's largest gap, and
   the largest gap of the last quarter is at most 0.9 times that of the quarter before and a tenth
   of the largest of all. In a noisy
   run (sampled preferences, or a network's optimiser) instead: the mean gap of the last quarter
   is at most a quarter of the starting gap and no more than 1.25 times the mean of the quarter
   before (the run has reached its noise floor).
2. *settles elsewhere*: the log-odds come to rest while the gap does not close, a biased fixed
   point: their largest change an iteration is below 1e-9, or halves from one quarter to the next
   while the gap stays level (within a tenth). In a noisy run: it is below 0.02.
3. *converges on average only*: the gap of the running average is at most 1e-6, or its largest
   value in the last quarter is at most 0.75 times that in the second (a 1/sqrt(T) decay gives
   0.58, a plateau 1); undecided if the last iterate's own gap still falls (F3 <= 0.9 F2).
4. *diverges*: the spread of the log-odds at least doubles from one quarter to the next, or grows
   by a tenth while the leading action no longer changes, and has reached 20 nats (below that it
   may be an early spiral: undecided). A spread beyond 1e50 nats, which only exponential growth
   reaches, is this verdict before lines 2 and 3 are asked.
5. *cycles*: everything else: bounded, or rotating along the boundary, without closing the gap.

In a noisy run "cycles" also needs a mean gap in the last quarter of at least half the largest
and two changes of the leading action in the second half; otherwise the noise hides what it is.
That, and a run of fewer than 8 iterations, is *undecided*.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_ITERATIONS = 8
CLOSED = 1e-6
AT_REST = 1e-9
AT_REST_NOISY = 0.02
#: Nats between the most and the least likely action from which growing log-odds are called
#: divergence rather than an early spiral.
FAR = 20.0
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
    if _rests(evidence, before, last):
        return Verdict.SETTLES
    average, earlier = evidence.average_gap[last].max(), evidence.average_gap[second].max()
    if average <= CLOSED or average <= 0.75 * earlier:
        _, middle, end = _doubling_windows(evidence.gap)
        return Verdict.UNDECIDED if end <= 0.9 * middle else Verdict.AVERAGE
    growth = evidence.spread[last].max() / max(evidence.spread[before].max(), 1e-300)
    turns = np.count_nonzero(np.diff(evidence.leader[-2 * quarter :]))
    if growth >= 2 or (growth >= 1.1 and turns < 2):
        far = evidence.spread[last].max() >= FAR
        return Verdict.DIVERGES if far else Verdict.UNDECIDED
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
    first, second, third = _doubling_windows(gap)
    end = gap[last].max()
    falls = third <= 0.75 * second and end <= min(0.9 * gap[before].max(), 0.1 * gap.max())
    thirds = [float(part.max()) for part in np.array_split(gap[len(gap) // 2 :], 3)]
    level = _limit(first, second, third) > 0.3 * third or _limit(*thirds) > 0.8 * thirds[-1]
    return falls and not level


def _rests(evidence: Evidence, before: slice, last: slice) -> bool:
    moving, moved = evidence.movement[last].max(), evidence.movement[before].max()
    if evidence.noisy:
        return bool(moving <= AT_REST_NOISY)
    level = evidence.gap[last].max() >= 0.9 * evidence.gap[before].max()
    return bool(moving <= AT_REST or (moving <= 0.5 * moved and level))


def _doubling_windows(gap: Array) -> tuple[float, float, float]:
    """Largest gaps over [T/8, T/4], [T/4, T/2] and [T/2, T]."""
    end = len(gap) - 1
    cuts = [end // 8, end // 4, end // 2, end]
    first, second, third = (float(gap[low : high + 1].max()) for low, high in pairwise(cuts))
    return first, second, third


def _limit(first: float, second: float, third: float) -> float:
    """Where a sequence that falls geometrically is heading (Aitken); 0 where it speeds up.

    Windows that double in length make a power of t geometric, and an exponential speed up.
    """
    bend = first + third - 2 * second
    if first <= second or bend <= 0:
        return 0.0
    return max((first * third - second**2) / bend, 0.0)
