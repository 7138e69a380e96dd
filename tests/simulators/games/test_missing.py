"""Missing pairs: filled, or the block without them."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.games import load_game, make_game
from simulators.games.files.missing import complete_block


def save(folder: Path, P: np.ndarray) -> Path:
    np.save(folder / "g.npy", P)
    return folder / "g.npy"


def holes(P: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    P = P.copy()
    for i, j in pairs:
        P[i, j] = P[j, i] = np.nan
    return P


def test_half(tmp_path: Path) -> None:
    P = make_game("bradley-terry", actions=4).preferences
    game = load_game(save(tmp_path, holes(P, [(0, 2), (1, 3)])), fill_missing="half")
    assert game.preferences[0, 2] == game.preferences[3, 1] == 0.5
    assert game.preferences[0, 1] == P[0, 1]


def test_bradley_terry_recovers_what_it_generated(tmp_path: Path) -> None:
    P = make_game("bradley-terry", actions=6, spread=5).preferences
    path = save(tmp_path, holes(P, [(0, 5), (0, 4), (1, 3), (2, 5)]))
    game = load_game(path, fill_missing="bradley-terry")
    np.testing.assert_allclose(game.preferences, P, rtol=0, atol=1e-12)


def naive_bradley_terry(P: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Zermelo's iteration on the strengths, without linear algebra."""
    size = len(P)
    strength = np.ones(size)
    for _ in range(20_000):
        for i in range(size):
            won, met = 0.0, 0.0
            for j in range(size):
                if j != i and not np.isnan(P[i, j]):
                    won += weight[i, j] * P[i, j]
                    met += weight[i, j] / (strength[i] + strength[j])
            strength[i] = won / met
        strength /= strength.sum()
    return strength[:, None] / (strength[:, None] + strength[None, :])


@pytest.mark.parametrize("weighted", [False, True])
def test_bradley_terry_against_zermelos_iteration(tmp_path: Path, weighted: bool) -> None:
    full = make_game("random-skew", actions=5, seed=1).preferences
    P = holes(full, [(0, 1), (2, 4), (1, 4)])
    weight = np.ones((5, 5))
    if weighted:
        weight = np.array([[abs(i - j) ** 2 * 10.0 for j in range(5)] for i in range(5)])
    np.save(tmp_path / "n.npy", weight)
    options = {"counts": "n.npy"} if weighted else {}
    game = load_game(save(tmp_path, P), fill_missing="bradley-terry", **options)
    expected = np.where(np.isnan(P), naive_bradley_terry(P, weight), P)
    np.testing.assert_allclose(game.preferences, expected, rtol=0, atol=1e-10)
    if weighted:
        assert game.counts is not None
        assert game.counts[0, 1] == 0  # filled in, so not compared
        assert game.counts[0, 2] == 40


def test_extreme_but_finite_strengths(tmp_path: Path) -> None:
    P = make_game("bradley-terry", utilities="0,20,40,60").preferences
    path = save(tmp_path, holes(P, [(0, 2), (0, 3), (1, 3)]))
    game = load_game(path, fill_missing="bradley-terry")
    np.testing.assert_allclose(game.preferences, P, rtol=0, atol=1e-8)


def test_strengths_too_far_apart_are_refused(tmp_path: Path) -> None:
    P = make_game("bradley-terry", utilities="0,100,200,300").preferences
    path = save(tmp_path, holes(P, [(0, 2), (0, 3), (1, 3)]))
    with pytest.raises(ValueError, match="did not converge, because some preferences are all but"):
        load_game(path, fill_missing="bradley-terry")


def test_rarely_compared_pairs_count_as_missing(tmp_path: Path) -> None:
    P = make_game("condorcet").preferences
    np.save(tmp_path / "n.npy", [[0.0, 9, 10], [9, 0, 11], [10, 11, 0]])
    options: dict[str, object] = {"counts": "n.npy", "min_count": "10", "fill_missing": "half"}
    game = make_game(f"file:{save(tmp_path, P)}", **options)
    assert game.preferences[0, 1] == 0.5
    assert game.preferences[0, 2] == P[0, 2]
    assert game.counts is not None
    assert game.counts.tolist() == [[0, 0, 10], [0, 0, 11], [10, 11, 0]]


def test_counts_of_zero_cannot_weigh_a_preference(tmp_path: Path) -> None:
    P = holes(make_game("bradley-terry", actions=4).preferences, [(0, 3)])
    counts = np.full((4, 4), 5.0)
    counts[1, 2] = counts[2, 1] = 0
    np.save(tmp_path / "n.npy", counts)
    path = save(tmp_path, P)
    with pytest.raises(ValueError, match="'a1' against 'a2' has a preference but no comparisons"):
        load_game(path, counts="n.npy", fill_missing="bradley-terry")
    game = load_game(path, counts="n.npy", fill_missing="bradley-terry", min_count=1)
    np.testing.assert_allclose(
        game.preferences, make_game("bradley-terry", actions=4).preferences, atol=1e-12
    )


def test_drop_missing_keeps_a_compared_block(tmp_path: Path) -> None:
    P = make_game("random-skew", actions=6, seed=2).preferences
    path = save(tmp_path, holes(P, [(1, 0), (1, 2), (1, 5), (3, 4)]))
    np.save(tmp_path / "n.npy", 3 * np.ones((6, 6)))
    game = load_game(path, drop_missing=True, counts="n.npy")
    kept = [0, 2, 3, 5]  # 1 misses three; of 3 and 4, equally often compared, the last goes
    assert game.actions == tuple(f"a{i}" for i in kept)
    assert np.array_equal(game.preferences, P[np.ix_(kept, kept)])
    assert game.counts is not None
    assert game.counts.shape == (4, 4)


def test_of_two_actions_the_less_compared_is_dropped() -> None:
    P = holes(np.full((3, 3), 0.5), [(0, 1)])
    assert complete_block(P, None) == [0, 2]
    counts = np.array([[0, 0, 3], [0, 0, 8], [3, 8, 0]])
    assert complete_block(P, counts) == [1, 2]


def test_an_action_comes_back_when_those_it_had_not_met_are_gone() -> None:
    # 4 goes first, then 3 and 2, which are the only ones that 4 had not met.
    assert complete_block(holes(np.full((5, 5), 0.5), [(4, 2), (4, 3), (2, 0), (3, 1)]), None) == [
        0,
        1,
        4,
    ]


@given(
    st.integers(2, 7).flatmap(
        lambda n: st.tuples(
            st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))
        )
    )
)
def test_the_block_is_complete_and_cannot_be_enlarged(
    case: tuple[int, set[tuple[int, int]]],
) -> None:
    size, pairs = case
    P = holes(np.full((size, size), 0.5), [(i, j) for i, j in pairs if i != j])
    block = complete_block(P, None)
    assert block == sorted(set(block))
    assert not np.isnan(P[np.ix_(block, block)]).any()
    for other in set(range(size)) - set(block):
        assert np.isnan(P[other, block]).any()
    assert block or size == 0


def test_contexts_are_filled_one_by_one(tmp_path: Path) -> None:
    first = make_game("bradley-terry", actions=3, spread=1).preferences
    second = make_game("bradley-terry", actions=3, spread=4).preferences
    path = save(tmp_path, np.stack([holes(first, [(0, 1)]), second]))
    game = load_game(path, fill_missing="bradley-terry")
    np.testing.assert_allclose(game.preferences, np.stack([first, second]), rtol=0, atol=1e-12)
    assert list(itertools.chain(game.actions)) == ["a0", "a1", "a2"]
