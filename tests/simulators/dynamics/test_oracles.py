"""Fast oracles and the softmax against their plain forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulators.dynamics import oracles
from simulators.dynamics.oracles import ColumnMatrices, PlackettLuce, Remembering, SharedMatrix
from simulators.dynamics.policies import normalize
from simulators.games import make_game

Array = NDArray[np.float64]


def games(columns: int, size: int, seed: int = 0) -> Array:
    return np.stack(
        [make_game("random-skew", actions=size, seed=seed + b).preferences for b in range(columns)]
    )


def draws(size: int, columns: int) -> Array:
    return np.random.default_rng(size).dirichlet(np.ones(size), size=columns).T


@pytest.mark.parametrize("size", [2, 3, 16, 17, 40])
@pytest.mark.parametrize("columns", [1, 5])
def test_a_matrix_for_each_column(size: int, columns: int) -> None:
    matrices, opponents = games(columns, size), draws(size, columns)
    found = ColumnMatrices(matrices).win_rates(opponents)
    for b in range(columns):
        for y in range(size):
            wanted = sum(matrices[b, y, z] * opponents[z, b] for z in range(size))
            assert abs(found[y, b] - wanted) < 1e-14
    assert found.flags.c_contiguous
    assert np.array_equal(ColumnMatrices(matrices).matrices(), matrices)


def test_both_layouts_of_column_matrices_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    matrices, opponents = games(6, 9), draws(9, 6)
    sliced = ColumnMatrices(matrices).win_rates(opponents)
    monkeypatch.setattr(oracles, "_SLICED_ACTIONS", 2)
    multiplied = ColumnMatrices(matrices).win_rates(opponents)
    assert np.abs(sliced - multiplied).max() < 1e-15


@pytest.mark.parametrize("size", [3, 20])
def test_a_shared_matrix_is_the_same_matrix_for_each_column(size: int) -> None:
    P, opponents = games(1, size)[0], draws(size, 7)
    shared = SharedMatrix(P).win_rates(opponents)
    repeated = ColumnMatrices(np.broadcast_to(P, (7, size, size))).win_rates(opponents)
    assert np.abs(shared - repeated).max() < 1e-15
    # Asking must not change the question, nor a second answer the first.
    kept = shared.copy()
    SharedMatrix(P).win_rates(np.roll(opponents, 1, axis=1))
    assert np.array_equal(shared, kept)


def test_plackett_luce_by_enumeration() -> None:
    utilities, weights = np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0]]), np.array([0.7, 0.3])
    oracle = PlackettLuce(utilities, weights, 3)
    opponents = draws(3, 4)
    found = oracle.win_rates(opponents)
    for b in range(4):
        mu = opponents[:, b]
        for y in range(3):
            wanted = 0.0
            for share, u in zip(weights, utilities, strict=True):
                for i in range(3):
                    for j in range(3):
                        odds = np.exp(u[y]) / (np.exp(u[y]) + np.exp(u[i]) + np.exp(u[j]))
                        wanted += share * mu[i] * mu[j] * odds
            assert abs(found[y, b] - wanted) < 1e-12
    assert np.abs((opponents * found).sum(axis=0) - 1 / 3).max() < 1e-13
    pairwise = make_game("plackett-luce", utilities="2,1,0;0,2,1", weights="0.7,0.3", players=2)
    assert np.abs(oracle.matrices() - pairwise.preferences).max() < 1e-15


def test_an_oracle_that_remembers_answers_the_same_array_once() -> None:
    P = games(1, 4)[0]
    asked = []

    class Counting(SharedMatrix):
        def win_rates(self, opponents: Array) -> Array:
            asked.append(opponents)
            return super().win_rates(opponents)

    oracle = Remembering(Counting(P))
    first, second = draws(4, 3), np.roll(draws(4, 3), 1, axis=0)
    for opponents, count in ((first, 1), (first, 1), (second, 2), (first.copy(), 3)):
        assert np.abs(oracle.win_rates(opponents) - P @ opponents).max() < 1e-15
        assert len(asked) == count
    with pytest.raises(ValueError, match="read-only"):
        oracle.win_rates(first)[0] = 0.0
    assert oracle.linear
    assert oracle.players == 2
    assert np.array_equal(oracle.matrices(), P)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=8))
def test_normalised_whatever_the_logits(logits: list[float]) -> None:
    policies = normalize(np.array(logits)[:, None].copy())
    assert np.isfinite(policies.log).all()
    assert abs(policies.probabilities.sum() - 1) < 1e-14
    assert np.abs(np.exp(policies.log) - policies.probabilities).max() < 1e-15
    assert policies.log.max() <= 0


@given(st.lists(st.floats(-700, 0), min_size=2, max_size=6), st.floats(-1e6, 1e6))
def test_a_constant_added_to_the_logits_changes_nothing(x: list[float], shift: float) -> None:
    logits = np.array(x)[:, None]
    plain, shifted = normalize(logits.copy()), normalize(logits + shift)
    assert np.abs(plain.log - shifted.log).max() < 1e-9
    wanted = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    assert np.abs(plain.log - wanted).max() < 1e-12


def test_columns_are_normalised_one_by_one() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 9)) * 30
    together = normalize(logits.copy())
    for b in range(9):
        alone = normalize(logits[:, [b]].copy())
        assert np.abs(together.log[:, b] - alone.log[:, 0]).max() < 1e-14
