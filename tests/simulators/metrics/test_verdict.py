"""The rule behind a verdict, line by line, on series made for it."""

from typing import Any

import numpy as np
import pytest

from simulators.metrics.verdict import MIN_ITERATIONS, Evidence, Verdict, judge

T = 80
TIME = np.arange(T + 1)
LEADER = np.zeros(T + 1, dtype=np.intp)
TURNING = (TIME // 5 % 3).astype(np.intp)


def evidence(**changes: Any) -> Evidence:
    """A run that keeps turning: no rule but the last applies."""
    series = {
        "gap": np.full(T + 1, 0.5),
        "average_gap": np.full(T + 1, 0.2),
        "movement": np.full(T + 1, 1.0),
        "spread": np.full(T + 1, 3.0),
        "leader": TURNING,
    }
    return Evidence(**series | changes)


def test_everything_else_cycles() -> None:
    assert judge(evidence()) is Verdict.CYCLES


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (0.5 * 0.96**TIME, Verdict.CONVERGES),
        (0.5 / (TIME + 1), Verdict.CONVERGES),  # a power of t, heading for zero
        (0.5 * 0.99**TIME, Verdict.CYCLES),  # not yet a tenth of where it was
        (0.01 + 0.5 * 0.9**TIME, Verdict.CYCLES),  # heading for a plateau
        (np.where(TIME < 50, 0.5, 0.02 + 0.03 * np.sin(TIME / 3) ** 2), Verdict.CYCLES),
        (np.where(TIME < 70, 0.5, 1e-7), Verdict.CYCLES),  # the last quarter as a whole
        (np.where(TIME < 60, 0.5, 1e-7), Verdict.CONVERGES),
        (0.5 * 0.996**TIME, Verdict.CYCLES),  # 8 % a quarter: not enough to tell
        (0.3 + 0.2 * 0.99**TIME, Verdict.CYCLES),
        (1e-7 * (1 + np.sin(TIME)), Verdict.CONVERGES),  # closed, whatever it does down there
    ],
)
def test_last_iterate(gap: Any, verdict: Verdict) -> None:
    assert judge(evidence(gap=gap)) is verdict


@pytest.mark.parametrize(
    ("movement", "verdict"),
    [
        (np.full(T + 1, 1e-10), Verdict.SETTLES),
        (0.96**TIME, Verdict.SETTLES),  # halves from one quarter to the next
        (0.98**TIME, Verdict.CYCLES),
    ],
)
def test_a_biased_fixed_point(movement: Any, verdict: Verdict) -> None:
    assert judge(evidence(movement=movement)) is verdict


@pytest.mark.parametrize(
    ("average", "verdict"),
    [
        (1 / np.sqrt(TIME + 1), Verdict.AVERAGE),
        (1 / (TIME + 1), Verdict.AVERAGE),
        (0.05 + 0.1 / (TIME + 1), Verdict.CYCLES),  # a plateau
        (np.full(T + 1, 1e-9), Verdict.AVERAGE),
    ],
)
def test_the_average(average: Any, verdict: Verdict) -> None:
    assert judge(evidence(average_gap=average)) is verdict


def test_divergence() -> None:
    assert judge(evidence(spread=1.05**TIME)) is Verdict.DIVERGES
    assert judge(evidence(spread=0.1 * 1.05**TIME)) is Verdict.UNDECIDED  # an early spiral?
    slow = 30 * 1.008**TIME  # 17 % a quarter
    assert judge(evidence(spread=slow)) is Verdict.CYCLES
    assert judge(evidence(spread=slow, leader=LEADER)) is Verdict.DIVERGES


def test_a_runaway_is_no_average_convergence() -> None:
    """A run that overflows floats may average out; it diverges all the same."""
    spread = np.minimum(10.0 ** (2.0 * TIME), 1e100)
    average = 1 / np.sqrt(TIME + 1)
    assert judge(evidence(spread=spread, average_gap=average)) is Verdict.DIVERGES
    assert judge(evidence(spread=spread, gap=0.9**TIME)) is Verdict.CONVERGES


def test_order_of_the_lines() -> None:
    falling, resting = 0.5 * 0.9**TIME, np.zeros(T + 1)
    average = 1 / np.sqrt(TIME + 1)
    everything = evidence(gap=falling, movement=resting, average_gap=average, spread=2.0**TIME)
    assert judge(everything) is Verdict.CONVERGES
    assert judge(evidence(movement=resting, average_gap=average)) is Verdict.SETTLES
    assert judge(evidence(average_gap=average, spread=1.05**TIME)) is Verdict.AVERAGE


def test_too_short_to_tell() -> None:
    for iterations in (0, 1, MIN_ITERATIONS - 1):
        cut = slice(iterations + 1)
        series = evidence(gap=0.5**TIME)
        short = Evidence(
            series.gap[cut],
            series.average_gap[cut],
            series.movement[cut],
            series.spread[cut],
            series.leader[cut],
        )
        assert judge(short) is Verdict.UNDECIDED


def test_noise_has_a_floor() -> None:
    noise = 0.02 * np.abs(np.sin(7.0 * TIME))
    floor = 0.5 * 0.8**TIME + noise
    assert judge(evidence(gap=floor)) is Verdict.CYCLES  # an exact run would be lower each quarter
    assert judge(evidence(gap=floor, noisy=True)) is Verdict.CONVERGES
    # A quarter of the start is the least, and the floor must have been reached.
    assert judge(evidence(gap=0.2 + noise, noisy=True)) is not Verdict.CONVERGES
    # Without a large gap and a changing leader noise hides what it is.
    assert judge(evidence(noisy=True)) is Verdict.CYCLES
    assert judge(evidence(noisy=True, leader=LEADER)) is Verdict.UNDECIDED
    wide = np.where(TIME < 20, 1.0, 0.3)
    assert judge(evidence(gap=wide, noisy=True)) is Verdict.UNDECIDED
    small_steps = np.full(T + 1, 0.015)
    assert judge(evidence(movement=small_steps, noisy=True)) is Verdict.SETTLES
    assert judge(evidence(movement=small_steps)) is Verdict.CYCLES
