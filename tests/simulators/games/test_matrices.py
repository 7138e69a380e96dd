"""The building blocks of the families, one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.games.matrices import (
    circulant,
    complement,
    from_advantage,
    from_log_odds,
    labels,
    uniform,
)


def test_the_smaller_side_of_a_pair_decides() -> None:
    P = complement(np.array([[0.1, 1e-20, 0.3], [0.999, 0.2, 0.5], [0.9, 0.5, 0.3]]))
    assert P.tolist() == [[0.5, 1e-20, 0.3], [1.0, 0.5, 0.5], [0.7, 0.5, 0.5]]


@given(st.floats(-0.5, 0.5))
def test_advantages_give_preferences_that_sum_to_one(a: float) -> None:
    P = from_advantage(np.array([[0.0, a], [99.0, 0.0]]))  # only the upper triangle is read
    assert P[0, 1] == pytest.approx(0.5 + a, abs=2e-16)
    assert P[0, 1] + P[1, 0] == 1


@given(st.floats(-700, 700))
def test_log_odds_keep_the_precision_of_the_smaller_side(x: float) -> None:
    P = from_log_odds(np.array([[0.0, x], [-x, 0.0]]))
    small = min(P[0, 1], P[1, 0])
    assert np.log(small) - np.log1p(-small) == pytest.approx(-abs(x), rel=1e-12, abs=1e-12)
    assert (P[0, 1] > 0.5) == (x > 0 and P[0, 1] != 0.5)
    assert P[0, 1] + P[1, 0] == 1


@given(st.integers(2, 30))
def test_the_cycle_is_skew_and_regular(size: int) -> None:
    C = circulant(size)
    assert np.array_equal(C, -C.T)
    assert (C.sum(axis=1) == 0).all()
    assert (np.abs(C).sum(axis=1) == 2 * ((size - 1) // 2)).all()


def test_random_numbers_are_the_top_bits_of_pcg64() -> None:
    drawn = uniform(3, (2, 3))
    words = np.random.PCG64(3).random_raw(6)
    assert drawn.reshape(-1).tolist() == [(int(word) >> 11) / 2**53 for word in words]
    # Fixed for all releases of numpy: the stream and the seeding are part of its promise.
    assert drawn[0, 0] == pytest.approx(0.08564916714362436, abs=1e-15)


def test_labels() -> None:
    assert labels(3) == ("a0", "a1", "a2")
