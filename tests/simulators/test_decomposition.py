"""Hodge and Schur splits: what must add up, closed forms, and a least-squares twin."""

import numpy as np
import pytest
from conftest import preference_matrices
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import InvalidGame, InvalidSetting
from simulators.decomposition import hodge_decomposition, schur_decomposition

RPS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])


def bradley_terry(ratings: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(ratings[None, :] - ratings[:, None]))


def rate_edge_by_edge(A: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The naive twin: least squares with one equation a compared pair."""
    rows, targets = [], []
    for i in range(len(A)):
        for j in range(i):
            row = np.zeros(len(A))
            row[i], row[j] = np.sqrt(W[i, j]), -np.sqrt(W[i, j])
            rows.append(row)
            targets.append(np.sqrt(W[i, j]) * A[i, j])
    found = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0]
    return np.asarray(found - found.mean())


@given(preference_matrices(max_actions=7))
def test_hodge_parts_add_up_and_are_orthogonal(P: np.ndarray) -> None:
    split = hodge_decomposition(P)
    np.testing.assert_allclose(split.transitive + split.cyclic, P - 0.5, rtol=0, atol=1e-15)
    np.testing.assert_allclose(split.cyclic.sum(axis=1), 0.0, atol=1e-14)
    assert float((split.transitive * split.cyclic).sum()) == pytest.approx(0.0, abs=1e-14)
    np.testing.assert_allclose(split.ratings, (P - 0.5).mean(axis=1), rtol=0, atol=1e-15)
    assert 0.0 <= split.cyclic_share <= 1.0


@given(preference_matrices(min_actions=3, max_actions=6), st.integers(0, 10**6))
def test_weighted_ratings_agree_with_least_squares_over_pairs(P: np.ndarray, seed: int) -> None:
    W = np.random.default_rng(seed).integers(1, 50, P.shape).astype(float)
    W = np.triu(W, 1)
    W += W.T
    split = hodge_decomposition(P, W)
    np.testing.assert_allclose(split.ratings, rate_edge_by_edge(P - 0.5, W), atol=1e-12)
    # The residual carries no flow: its weighted row sums vanish.
    np.testing.assert_allclose((W * split.cyclic).sum(axis=1), 0.0, atol=1e-11)


@given(preference_matrices(max_actions=6), st.floats(0.1, 10.0))
def test_equal_weights_are_no_weights(P: np.ndarray, weight: float) -> None:
    plain, weighted = hodge_decomposition(P), hodge_decomposition(P, np.full(P.shape, weight))
    np.testing.assert_allclose(weighted.ratings, plain.ratings, rtol=0, atol=1e-13)
    assert weighted.cyclic_share == pytest.approx(plain.cyclic_share, abs=1e-12)


def test_extremes_of_the_cyclic_share() -> None:
    assert hodge_decomposition(RPS).cyclic_share == 1.0
    assert hodge_decomposition(np.full((4, 4), 0.5)).cyclic_share == 0.0
    additive = 0.5 + np.subtract.outer(np.arange(5), np.arange(5)) / 10
    assert hodge_decomposition(additive).cyclic_share == pytest.approx(0.0, abs=1e-15)


def test_bradley_terry_is_transitive_in_log_odds() -> None:
    ratings = np.array([-2.0, 0.0, 0.5, 1.5])
    split = hodge_decomposition(bradley_terry(ratings), scale="logit")
    np.testing.assert_allclose(split.ratings, ratings - ratings.mean(), rtol=0, atol=1e-14)
    assert split.cyclic_share == pytest.approx(0.0, abs=1e-15)
    assert 0.0 < hodge_decomposition(bradley_terry(ratings)).cyclic_share < 0.05


def test_a_mixture_of_both() -> None:
    """A = T + C with T and C orthogonal: the share is |C|^2 / (|T|^2 + |C|^2)."""
    transitive = np.subtract.outer([0.1, 0.0, -0.1], [0.1, 0.0, -0.1])
    cyclic = 0.2 * (RPS - 0.5)
    split = hodge_decomposition(0.5 + transitive + cyclic)
    np.testing.assert_allclose(split.transitive, transitive, rtol=0, atol=1e-15)
    np.testing.assert_allclose(split.cyclic, cyclic, rtol=0, atol=1e-15)
    expected = (cyclic**2).sum() / ((cyclic**2).sum() + (transitive**2).sum())
    assert split.cyclic_share == pytest.approx(expected, abs=1e-14)


def test_pairs_never_compared_may_be_missing() -> None:
    P = np.array([[0.5, 0.6, np.nan], [0.4, 0.5, 0.8], [np.nan, 0.2, 0.5]])
    W = np.array([[0, 10, 0], [10, 0, 5], [0, 5, 0]])
    split = hodge_decomposition(P, W)
    assert split.cyclic_share == pytest.approx(0.0, abs=1e-15)  # a chain explains itself
    assert split.transitive[0, 2] == pytest.approx(0.4)
    assert split.cyclic[0, 2] == 0.0


@pytest.mark.parametrize(
    ("matrix", "weights", "says"),
    [
        (RPS, np.ones((2, 2)), "weights: shape"),
        (RPS, -np.ones((3, 3)), ">= 0"),
        (RPS, np.arange(9.0).reshape(3, 3), "symmetric"),
        (RPS, [[0, 1, 0], [1, 0, 0], [0, 0, 0]], "2 unconnected groups"),
        (np.full((2, 3, 3), 0.5), None, "many games"),
        ([[0.5, 0.7], [0.7, 0.5]], None, "is 1.4"),
    ],
)
def test_impossible_input(matrix: object, weights: object, says: str) -> None:
    with pytest.raises(InvalidGame, match=says) as caught:
        hodge_decomposition(matrix, weights)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_scales() -> None:
    with pytest.raises(InvalidSetting, match="did you mean 'logit'"):
        hodge_decomposition(RPS, scale="logits")  # type: ignore[arg-type]
    with pytest.raises(InvalidGame, match=r"entry \[0,1\] is 0, whose log-odds are infinite"):
        hodge_decomposition(RPS, scale="logit")


@given(preference_matrices(min_actions=1, max_actions=9))
def test_schur_rebuilds_the_game_from_rotations(P: np.ndarray) -> None:
    split = schur_decomposition(P)
    np.testing.assert_allclose(split.reconstruct(), P - 0.5, rtol=0, atol=1e-13)
    basis = split.planes.transpose(1, 0, 2).reshape(len(P), -1)
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), rtol=0, atol=1e-13)
    assert (np.diff(split.frequencies) <= 0).all()
    assert (split.frequencies > 0).all()
    for omega, plane in zip(split.frequencies, split.planes, strict=True):
        u, v = plane.T
        assert float(u @ (P - 0.5) @ v) == pytest.approx(omega, abs=1e-13)


@given(preference_matrices(min_actions=2, max_actions=9))
def test_schur_frequencies_are_the_eigenvalues(P: np.ndarray) -> None:
    spectrum = np.sort(np.abs(np.linalg.eigvalsh(1j * (P - 0.5))))[::-1][::2]
    found = schur_decomposition(P).frequencies
    np.testing.assert_allclose(found, spectrum[: len(found)], rtol=0, atol=1e-13)
    np.testing.assert_allclose(spectrum[len(found) :], 0.0, atol=1e-13)
    energy = float(((P - 0.5) ** 2).sum())
    assert 2 * float((found**2).sum()) == pytest.approx(energy, abs=1e-12)


def test_schur_of_known_games() -> None:
    assert schur_decomposition(np.full((4, 4), 0.5)).frequencies.size == 0
    rps = schur_decomposition(RPS)
    np.testing.assert_allclose(rps.frequencies, [np.sqrt(3) / 2], rtol=1e-14)
    np.testing.assert_allclose(rps.shares, [1.0])
    i = np.arange(7)  # odd cyclic tournament: eigenvalues of a circulant
    P = np.where((i[None, :] - i[:, None]) % 7 == 0, 0.5, (i[None, :] - i[:, None]) % 7 <= 3)
    expected = sorted(
        (abs(sum(np.sin(2 * np.pi * k * d / 7) for d in (1, 2, 3))) for k in (1, 2, 3)),
        reverse=True,
    )
    found = schur_decomposition(P)
    np.testing.assert_allclose(found.frequencies, expected, rtol=1e-13)
    best = np.linalg.norm(P - 0.5 - found.reconstruct(1))
    assert best == pytest.approx(np.sqrt(2 * (found.frequencies[1:] ** 2).sum()), rel=1e-12)


def test_schur_of_equal_rotations() -> None:
    A = np.kron(np.eye(3), [[0, 0.5], [-0.5, 0]])
    split = schur_decomposition(0.5 + A)
    np.testing.assert_allclose(split.frequencies, 0.5, rtol=1e-14)
    np.testing.assert_allclose(split.reconstruct(), A, rtol=0, atol=1e-15)


def test_schur_takes_one_game() -> None:
    with pytest.raises(InvalidGame, match="many games"):
        schur_decomposition(np.full((2, 3, 3), 0.5))
