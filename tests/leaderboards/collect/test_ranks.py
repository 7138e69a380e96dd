"""Which figures of a column differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.statistics import Interval, holm
from leaderboards.collect.ranks import Uncertain, column_ranks, different


def figure(value: float, half: float | None, clusters: int = 30) -> Uncertain:
    if half is None:
        return Uncertain(Interval(value, None, None, clusters, clusters), None)
    interval = Interval(value, value - half, value + half, clusters, clusters)
    return Uncertain(interval, clusters - 1.0)


def naive(figures: list[Uncertain], compared: dict) -> np.ndarray:
    """Pair by pair, scipy's t distribution."""
    pairs = [(i, j) for i in range(len(figures)) for j in range(i + 1, len(figures))]
    p = {}
    for i, j in pairs:
        if (i, j) in compared:
            p[i, j] = compared[i, j][0]
            continue
        one, other = figures[i], figures[j]
        if one.freedom is None or other.freedom is None:
            continue
        v = [
            ((own.interval.high - own.interval.low) / 2 / stats.t.ppf(0.975, own.freedom)) ** 2
            for own in (one, other)
        ]
        if not sum(v):
            continue
        freedom = sum(v) ** 2 / (v[0] ** 2 / one.freedom + v[1] ** 2 / other.freedom)
        t = abs(one.interval.value - other.interval.value) / np.sqrt(sum(v))
        p[i, j] = 2 * stats.t.sf(t, freedom)
    known = [pair for pair in pairs if p.get(pair) is not None]
    adjusted = dict(zip(known, holm([p[pair] for pair in known]), strict=True))
    adjusted |= {pair: after for pair, (_, after) in compared.items()}
    found = np.zeros((len(figures), len(figures)), dtype=bool)
    for (i, j), after in adjusted.items():
        found[i, j] = found[j, i] = after is not None and after <= 0.05
    return found


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.none() | st.floats(0.001, 0.5), st.integers(3, 60)),
        min_size=2,
        max_size=7,
    ),
    st.dictionaries(
        st.tuples(st.integers(0, 6), st.integers(0, 6)),
        st.floats(0, 1).map(lambda p: (p, min(1.0, 2 * p))) | st.just((None, None)),
        max_size=5,
    ),
)
def test_the_naive_twin_agrees(figures, compared) -> None:
    own = [figure(*parts) for parts in figures]
    known = {(i, j): p for (i, j), p in compared.items() if i < j < len(own) and i != j}
    found = different(own, known)
    np.testing.assert_array_equal(found, naive(own, known))


def test_a_paired_test_goes_before_overlapping_intervals() -> None:
    close = [figure(0.50, 0.05), figure(0.55, 0.05), figure(0.90, 0.05)]
    assert not different(close, {})[0, 1]
    assert different(close, {(0, 1): (0.001, 0.003)})[0, 1]
    assert not different(close, {(0, 2): (0.2, 0.2)})[0, 2]
    assert not different(close, {(0, 1): (0.001, 0.3)})[0, 1]  # Holm over all that the run compared
    ranks, letters = column_ranks(close, {}, "higher")
    assert ranks == [(2, 3), (2, 3), (1, 1)]
    assert letters[0] == letters[1] != letters[2]
    assert column_ranks(close, {}, "lower")[0] == [(1, 2), (1, 2), (3, 3)]


def test_no_interval_no_difference() -> None:
    assert not different([figure(0.0, None), figure(1.0, 0.01)], {}).any()


@pytest.mark.parametrize("size", [2, 500])
def test_all_pairs_of_many(size) -> None:
    own = [figure(value, 0.01) for value in np.linspace(0, 1, size)]
    found = different(own, {(0, size - 1): (1.0, 1.0)})
    assert found.shape == (size, size)
    assert not found[0, -1]
