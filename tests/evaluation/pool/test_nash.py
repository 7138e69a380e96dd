import numpy as np
import pytest
from conftest import preference_matrices
from hypothesis import given
from hypothesis import strategies as st

from evaluation.pool.nash import nash_averages
from simulators import nash_equilibrium


def one_by_one(matrices):
    return np.array([nash_equilibrium(own).policy for own in matrices])


@given(st.lists(preference_matrices(4, 4), min_size=1, max_size=4))
def test_against_one_by_one(matrices):
    assert nash_averages(np.array(matrices)) == pytest.approx(one_by_one(matrices), abs=1e-7)


@pytest.mark.parametrize("size", [2, 3, 5, 8, 26])
def test_of_every_size(size):
    random = np.random.default_rng(size)
    matrices = []
    for _ in range(12):
        upper = np.triu(0.5 + 0.1 * random.normal(size=(size, size)).clip(-4, 4), 1)
        matrices.append(upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(size))
    found = nash_averages(np.array(matrices))
    assert found == pytest.approx(one_by_one(matrices), abs=1e-7)
    assert found.sum(axis=1) == pytest.approx(np.ones(12))


def test_ties_are_left_to_the_solver():
    coarse = np.random.default_rng(0).integers(0, 3, size=(40, 4, 4)) / 2
    matrices = np.triu(coarse, 1) + np.tril(1 - np.swapaxes(coarse, 1, 2), -1) + 0.5 * np.eye(4)
    assert nash_averages(matrices) == pytest.approx(one_by_one(matrices), abs=1e-7)
    assert nash_averages(np.full((3, 2, 2), 0.5)) == pytest.approx(np.full((3, 2), 0.5))
    assert nash_averages(np.empty((0, 3, 3))).shape == (0, 3)
