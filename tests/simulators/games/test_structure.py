"""Counting cycles against three nested loops."""

import itertools

import numpy as np
from conftest import preference_matrices
from hypothesis import given
from hypothesis import strategies as st

from simulators.games import cyclic_triples, make_game, strongest_cycles


def naive_cycles(P: np.ndarray) -> list[tuple[float, tuple[int, int, int]]]:
    found = []
    for i, j, k in itertools.permutations(range(len(P)), 3):
        if i < j and i < k and P[i, j] > 0.5 and P[j, k] > 0.5 and P[k, i] > 0.5:
            found.append((min(P[i, j], P[j, k], P[k, i]), (i, j, k)))
    return sorted(found, key=lambda cycle: (-cycle[0], cycle[1]))


@given(preference_matrices(2, 8), st.integers(0, 3))
def test_cycles_are_those_of_the_nested_loops(P: np.ndarray, blanks: int) -> None:
    for n in range(min(blanks, len(P) - 1)):
        P[n, n + 1] = P[n + 1, n] = np.nan
    expected = naive_cycles(P)
    assert cyclic_triples(P) == len(expected)
    assert list(strongest_cycles(P, limit=1000)) == expected
    assert list(strongest_cycles(P, limit=2)) == expected[:2]


def test_larger_games() -> None:
    P = make_game("random-skew", actions=40, seed=3).preferences
    expected = naive_cycles(P)
    assert cyclic_triples(P) == len(expected) > 1000
    assert list(strongest_cycles(P)) == expected[:10]


def test_the_most_cyclic_tournament() -> None:
    # A regular tournament on K players has K (K^2 - 1) / 24 cyclic triples, the most possible.
    for size in (3, 5, 7, 65):
        P = make_game("cyclic", actions=size).preferences
        assert cyclic_triples(P) == size * (size**2 - 1) // 24


def test_ties_make_no_cycle() -> None:
    assert cyclic_triples(make_game("tie").preferences) == 0
    assert strongest_cycles(make_game("tie").preferences) == ()
