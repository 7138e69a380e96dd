"""The confidence sequence against its formula on a grid, and its coverage at all times at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from evaluation.sequential import SequentialMean, plan, random_order
from mnpo.errors import InvalidSetting

GRID = np.linspace(0, 1, 4001)


def naive(values, level, width=None):
    """(low, high) after each value: the formula on a grid, with running intersection."""
    alpha = 1 - level
    inside = np.ones(len(GRID), dtype=bool)
    up = np.ones(len(GRID))
    down = np.ones(len(GRID))
    found = []
    for t, x in enumerate(values, start=1):
        past = np.asarray(values[: t - 1])
        means = (0.5 + np.cumsum(past)) / (np.arange(1, t) + 1)
        variance = (0.25 + ((past - means) ** 2).sum()) / t
        bet = (
            np.sqrt(2 * np.log(2 / alpha) / (variance * t * np.log(t + 1)))
            if width is None
            else width / (2 * variance)
        )
        with np.errstate(divide="ignore"):
            up *= 1 + np.minimum(bet, 0.5 / GRID) * (x - GRID)
            down *= 1 - np.minimum(bet, 0.5 / (1 - GRID)) * (x - GRID)
        inside &= np.maximum(up, down) / 2 < 1 / alpha
        found.append((GRID[inside].min(), GRID[inside].max()))
    return found


@given(
    values=st.lists(st.floats(0, 1), min_size=1, max_size=60),
    level=st.sampled_from([0.5, 0.9, 0.95]),
    width=st.sampled_from([None, 0.1, 0.5]),
)
def test_the_ends_are_those_of_the_formula_at_every_time(values, level, width) -> None:
    sequence = SequentialMean(0, 1, level, width=width)
    for x, (low, high) in zip(values, naive(values, level, width), strict=True):
        sequence.add(x)
        found = sequence.interval
        assert found.low == pytest.approx(low, abs=1.01 / 4000)
        assert found.high == pytest.approx(high, abs=1.01 / 4000)
    assert found.value == pytest.approx(np.mean(values), abs=1e-12)
    assert found.n == found.clusters == len(sequence) == len(values)


def test_many_values_of_one_kind() -> None:
    sequence = SequentialMean(0, 1)
    for _ in range(300):
        sequence.add(1.0)
    assert sequence.interval.high == 1
    assert 0.95 < sequence.interval.low < 0.999


def test_other_bounds_are_a_change_of_scale() -> None:
    random = np.random.default_rng(0)
    values = random.random(80)
    unit, grades = SequentialMean(0, 1, width=0.2), SequentialMean(1, 10, width=1.8)
    for x in values:
        unit.add(x)
        grades.add(1 + 9 * x)
    assert grades.interval.low == pytest.approx(1 + 9 * unit.interval.low, abs=1e-5)
    assert grades.interval.high == pytest.approx(1 + 9 * unit.interval.high, abs=1e-5)
    assert grades.enough(5) == unit.enough(5 / 9)


STREAMS = {
    "coin": (lambda random: (random.random(120) < 0.5).astype(float), 0.5),
    "rare": (lambda random: (random.random(120) < 0.06).astype(float), 0.06),
    "u-shaped": (lambda random: random.beta(0.4, 0.2, 120), 2 / 3),
    "narrow": (lambda random: random.beta(60, 40, 120), 0.6),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("width", [None, 0.2])
def test_the_mean_is_inside_at_all_times_in_at_least_95_of_100_runs(name, width) -> None:
    draw, mean = STREAMS[name]
    random = np.random.default_rng(7)
    missed = 0
    for _ in range(100):
        sequence = SequentialMean(0, 1, width=width)
        for x in draw(random):
            sequence.add(float(x))
        # The interval only ever shrinks, so the last one is inside all others.
        missed += not sequence.interval.low <= mean <= sequence.interval.high
    assert missed <= 12  # the 99.8th percentile of 100 draws at 5 in 100


def test_looking_at_a_t_interval_all_the_time_does_not_hold_its_level() -> None:
    random = np.random.default_rng(8)
    n = np.arange(1, 201)
    missed = 0
    for _ in range(500):
        x = (random.random(200) < 0.5).astype(float)
        mean = np.cumsum(x) / n
        spread = np.sqrt((np.cumsum(x**2) - n * mean**2) / np.maximum(n - 1, 1))
        half = stdtrit(np.maximum(n - 1, 1), 0.975) * spread / np.sqrt(n)
        missed += bool((np.abs(mean - 0.5) > half)[19:].any())  # from the 20th value on
    assert missed > 0.2 * 500


def test_it_stops_where_it_is_narrow_enough_and_not_before() -> None:
    random = np.random.default_rng(9)
    sequence = SequentialMean(0, 1, width=0.25)
    assert not sequence.enough(0.25)
    while not sequence.enough(0.25):
        before = len(sequence)
        sequence.add(random.random())
    interval = sequence.interval
    assert interval.high - interval.low <= 0.25
    assert 20 < len(sequence) == before + 1 < 200


def test_bets_for_a_width_get_there_sooner() -> None:
    random = np.random.default_rng(10)
    taken = {None: 0, 0.2: 0}
    for _ in range(5):
        values = (random.random(2000) < 0.4).astype(float)
        for width in taken:
            sequence = SequentialMean(0, 1, width=width)
            for x in values:
                sequence.add(x)
                if sequence.enough(0.2):
                    break
            taken[width] += len(sequence)
    assert taken[0.2] < 0.75 * taken[None]


def test_a_plan_says_what_to_expect() -> None:
    found = plan(0.2, mean=0.5, spread=0.5, runs=10)
    assert found.fixed == 99  # (2 * 1.984 * 0.5 / 0.2)^2
    assert found.fixed < found.sequential < 2 * found.fixed
    assert found.sequential <= found.slowest
    assert plan(20, mean=50, spread=50, low=0, high=100, runs=10) == found
    hopeless = plan(0.01, mean=0.5, spread=0.5, limit=200, runs=5)
    assert hopeless.sequential is None
    assert hopeless.slowest is None


def test_the_order_depends_on_the_seed_alone() -> None:
    names = [f"q{i}" for i in range(50)]
    order = random_order(names, 1)
    assert order == random_order(names[::-1], 1)
    assert sorted(order) == sorted(names)
    assert order != random_order(names, 2)
    first = [random_order("abc", seed)[0] for seed in range(600)]
    assert all(160 < first.count(letter) < 240 for letter in "abc")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SequentialMean(1, 1), "low < high"),
        (lambda: SequentialMean(0, np.inf), "low < high"),
        (lambda: SequentialMean(0, 1, 1.0), "level must be between"),
        (lambda: SequentialMean(0, 1, width=0), "width must be positive"),
        (lambda: SequentialMean(0, 1).add(1.1), "outside the bounds"),
        (lambda: SequentialMean(0, 1).add(float("nan")), "outside the bounds"),
        (lambda: SequentialMean(0, 1).enough(0), "width must be positive"),
        (lambda: SequentialMean(0, 1).interval, "no values"),
        (lambda: plan(0.1, mean=0.5, spread=0.6), "cannot have mean 0.5"),
        (lambda: plan(0.1, mean=1.0, spread=0.1), "cannot have mean 1"),
    ],
)
def test_refusals(call, message) -> None:
    with pytest.raises(InvalidSetting, match=message):
        call()
