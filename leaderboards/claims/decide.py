"""From numbers to a verdict: the one rule by which every claim is judged.

A test names the circumstances that it tried and says for each whether the claim held there. All:
the claim holds. Some: it holds when those are given. None: it fails. What is true instead is told
only where the test has found it true as well.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.statistics import Interval
from leaderboards.claims.claim import REPETITIONS, Detail, Finding, Verdict

Array = NDArray[np.float64]
Details = Mapping[str, Detail]

#: Two policies that differ by less are the same one: rounding of the longest computation here.
SAME = 1e-9


def exact(value: float, n: int = 1) -> Interval:
    """A number in which nothing is random; ``n`` cases were looked at."""
    return Interval(float(value), None, None, n, n)


def largest_difference(first: ArrayLike, second: ArrayLike) -> float:
    """Largest |first - second| over all entries."""
    return float(np.abs(np.asarray(first) - np.asarray(second)).max())


def total_variation(first: ArrayLike, second: ArrayLike) -> Array:
    """(...) half the sum of |first - second| over the last axis."""
    return np.asarray(np.abs(np.asarray(first) - np.asarray(second)).sum(axis=-1) / 2)


def conclude(
    cases: Mapping[str, bool],
    *,
    quantity: str,
    number: Interval,
    instead: Mapping[str, bool] | None = None,
    details: Details | None = None,
    repetitions: int | None = None,
) -> Finding:
    """The finding of a test.

    Args:
        cases: circumstance, in words that follow "when", -> whether the claim held there.
        quantity: what the number is, with its unit.
        number: the one that decides.
        instead: what may be true in place of the claim -> whether the test found it so.
        details: every further number by what it is.
        repetitions: of what is random, that were used.
    """
    held = [case for case, holds in cases.items() if holds]
    missed = [case for case, holds in cases.items() if not holds]
    told = [text for text, true in (instead or {}).items() if true]
    if not missed:
        verdict, condition = Verdict.HOLDS, ""
    elif held:
        verdict = Verdict.HOLDS_WHEN
        condition = "; ".join([" or ".join(held), f"not when {' or '.join(missed)}", *told])
    else:
        verdict, condition = Verdict.FAILS, "; ".join(told) or "no case tested bears it out"
    told_too = dict(details or {})
    if repetitions is not None:
        told_too[REPETITIONS] = float(repetitions)
    return Finding(verdict, condition, quantity, number, told_too)
