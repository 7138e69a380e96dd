import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboards.ratings import rank_groups
from mnpo.errors import InvalidSetting


@st.composite
def comparisons(draw):
    size = draw(st.integers(1, 14))
    values = draw(st.lists(st.integers(-5, 5), min_size=size, max_size=size))
    different = np.zeros((size, size), dtype=bool)
    for i in range(size):
        for j in range(i):
            different[i, j] = different[j, i] = draw(st.booleans())
    return [float(value) for value in values], different


@given(comparisons(), st.sampled_from(["higher", "lower"]))
def test_letters_are_shared_by_those_who_do_not_differ(case, better):
    values, different = case
    ranks, letters = rank_groups(values, different, better=better)
    if "" in letters:  # more than 52 letters would be needed
        assert set(letters) == {""}
    else:
        for i, own in enumerate(letters):
            assert own == "".join(sorted(set(own), key=own.index))
            for j in range(i):
                assert bool(set(own) & set(letters[j])) == (not different[i, j])
        best = min if better == "lower" else max
        assert "a" in letters[values.index(best(values))]
        # No letter can be done without.
        for gone in set("".join(letters)):
            rest = [set(own) - {gone} for own in letters]
            assert any(
                not (rest[i] & rest[j]) and not different[i, j]
                for i in range(len(rest))
                for j in range(i + 1)
            )
    sign = -1 if better == "lower" else 1
    for i, (first, last) in enumerate(ranks):
        ahead = [j for j in range(len(values)) if different[i, j]]
        assert first == 1 + sum(sign * values[j] > sign * values[i] for j in ahead)
        assert last == len(values) - sum(sign * values[j] < sign * values[i] for j in ahead)
        assert 1 <= first <= last <= len(values)


def test_a_ladder():
    values = [0.2, 0.9, 0.5, 0.6]
    different = np.abs(np.subtract.outer(values, values)) > 0.35
    ranks, letters = rank_groups(values, different, better="higher")
    assert letters == ["c", "a", "bc", "ab"]
    assert ranks == [(3, 4), (1, 2), (2, 4), (1, 3)]
    ranks, letters = rank_groups(values, different, better="lower")
    assert letters == ["a", "c", "ab", "bc"]
    assert ranks == [(1, 2), (3, 4), (1, 3), (2, 4)]


def test_all_alike_and_all_apart():
    alike = np.zeros((30, 30), dtype=bool)
    assert rank_groups([1.0] * 30, alike, better="higher") == ([(1, 30)] * 30, ["a"] * 30)
    values = list(range(30))
    ranks, letters = rank_groups(values, ~np.eye(30, dtype=bool), better="lower")
    assert ranks == [(i, i) for i in range(1, 31)]
    assert "".join(letters) == "abcdefghijklmnopqrstuvwxyzABCD"


def test_many_entries_have_ranks_and_no_letters():
    values = np.random.default_rng(0).normal(size=500)
    different = np.abs(np.subtract.outer(values, values)) > 0.3
    ranks, letters = rank_groups(values, different, better="higher")
    assert set(letters) == {""}
    assert ranks[int(values.argmax())][0] == 1
    # Letters by the dozen of dozens: pairs that exclude one another, 2^20 of them.
    twins = np.kron(np.eye(20, dtype=bool), np.array([[False, True], [True, False]]))
    assert set(rank_groups(range(40), twins, better="higher")[1]) == {""}
    assert rank_groups([], np.zeros((0, 0), dtype=bool), better="higher") == ([], [])
    assert rank_groups([1.0], np.zeros((1, 1), dtype=bool), better="neither") == ([], [])


@pytest.mark.parametrize(
    ("values", "different"),
    [
        ([1.0, 2.0], np.zeros((3, 3), dtype=bool)),
        ([1.0, np.nan], np.zeros((2, 2), dtype=bool)),
        ([1.0, 2.0], np.array([[False, True], [False, False]])),
    ],
)
def test_comparisons_that_are_none(values, different):
    with pytest.raises(InvalidSetting):
        rank_groups(values, different, better="higher")
