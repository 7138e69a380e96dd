"""The two checks: what they accept unchanged, and the one line of each refusal."""

import numpy as np
import pytest
from conftest import policies, preference_matrices
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import InvalidGame, InvalidPolicy
from simulators.games import check_policy, check_preferences

RPS = [[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]]
NAMES = ("rock", "paper", "scissors")


@given(preference_matrices(max_actions=8))
def test_valid_preferences_stay_as_they_are(P: np.ndarray) -> None:
    checked = check_preferences(P)
    assert np.abs(checked - P).max() <= 2e-16
    assert (checked + checked.T == 1).all()
    assert checked.dtype == np.float64


@given(st.lists(preference_matrices(3, 3), min_size=1, max_size=4))
def test_contexts_are_checked_one_by_one(matrices: list[np.ndarray]) -> None:
    together = check_preferences(np.stack(matrices))
    for one, matrix in zip(together, matrices, strict=True):
        assert np.array_equal(one, check_preferences(matrix))


@given(preference_matrices(3, 5), st.lists(st.floats(-4e-10, 4e-10), min_size=25, max_size=25))
def test_rounding_is_averaged_away_to_the_last_bit(P: np.ndarray, noise: list[float]) -> None:
    rounded = np.clip(P + np.array(noise[: P.size]).reshape(P.shape), 0, 1)
    checked = check_preferences(rounded)
    assert (checked + checked.T == 1).all()
    assert np.abs(checked - P).max() <= 4.1e-10


def test_the_input_is_not_touched() -> None:
    P = np.array(RPS)
    P[0, 1] += 1e-12
    before = P.copy()
    checked = check_preferences(P)
    assert np.array_equal(P, before)
    assert checked is not P
    assert checked[0, 1] == pytest.approx(5e-13, abs=1e-15)  # the rounding is averaged away
    assert (checked + checked.T == 1).all()


def test_whole_numbers_are_preferences_too() -> None:
    checked = check_preferences([[0.5, 1], [0, 0.5]])
    assert checked.tolist() == [[0.5, 1.0], [0.0, 0.5]]


def changed(cell: tuple[int, int], value: float) -> np.ndarray:
    P = np.array(RPS)
    P[cell] = value
    return P


@pytest.mark.parametrize(
    ("P", "words"),
    [
        ([[0.5, 1.0, 0.0], [0.0, 0.5, 1.0]], "P: shape (2, 3) is not square"),
        ([0.5, 0.5], "shape (2,) is not square"),
        (np.full((2, 2, 2, 2), 0.5), "shape (2, 2, 2, 2) is not square"),
        ([[0.5]], "shape (1, 1) is no game; it takes two actions at least"),
        (np.zeros((0, 3, 3)), "shape (0, 3, 3) is no game"),
        ([[0.5, 1.0], [0.0]], "the rows differ in length"),
        ([["a", "b"], ["c", "d"]], "a preference matrix holds numbers"),
        (np.full((2, 2), 0.5 + 0j), "holds complex128 values"),
        (
            changed((0, 1), np.nan),
            "cell (0, 1) is NaN: no preference for 'rock' against 'paper'; fill_missing=",
        ),
        (np.full((3, 3), np.nan), "(9 cells in all)"),
        (changed((2, 1), 1.2), "cell (2, 1) ('scissors' against 'paper') is 1.2, outside [0, 1]"),
        (changed((2, 1), -0.2), "is -0.2, outside [0, 1]"),
        (changed((2, 1), np.inf), "is inf, outside [0, 1]"),
        (
            changed((0, 1), 0.3),
            "P + P.T must be 1, but 'rock' against 'paper' is 0.3 and 'paper' against 'rock' is 1, "
            "sum 1.3 (worst of 1 pairs); antisymmetrize=true averages the two sides of every pair",
        ),
        (
            changed((1, 1), 0.4),
            "cell (1, 1) is 0.4; an action against itself ('paper') must be 0.5; antisymmetrize",
        ),
    ],
)
def test_refused_preferences(P: object, words: str) -> None:
    with pytest.raises(InvalidGame) as caught:
        check_preferences(P, actions=NAMES)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_worst_pair_is_named_and_the_others_counted() -> None:
    P = np.full((3, 3), 0.5)
    P[0, 1], P[1, 2] = 0.6, 0.9
    with pytest.raises(InvalidGame, match=r"action 1 against action 2 is 0\.9 .*worst of 2 pairs"):
        check_preferences(P)


def test_a_context_is_named() -> None:
    P = np.stack([np.array(RPS), changed((0, 2), 0.7)])
    with pytest.raises(InvalidGame, match=r"my\.npy: .*'rock' against 'scissors' in context 1"):
        check_preferences(P, where="my.npy", actions=NAMES)


@pytest.mark.parametrize("excess", [0.9e-9, 1.1e-9])
def test_the_tolerance_is_the_bound(excess: float) -> None:
    P = changed((1, 0), 1.0 - excess)
    if excess < 1e-9:
        assert check_preferences(P)[1, 0] == pytest.approx(1 - excess / 2, abs=1e-16)
    else:
        with pytest.raises(InvalidGame):
            check_preferences(P)
        check_preferences(P, tolerance=2e-9)


@given(policies(5))
def test_policies_are_normalised(p: np.ndarray) -> None:
    checked = check_policy(p * (1 + 5e-7), 5, name="reference")
    assert checked == pytest.approx(p, abs=1e-15)
    assert checked.sum() == pytest.approx(1.0, abs=1e-15)


def test_a_policy_that_sums_to_one_keeps_its_bits() -> None:
    assert check_policy([0.25, 0.75], 2, name="p").tolist() == [0.25, 0.75]


@pytest.mark.parametrize(
    ("p", "words"),
    [
        ([0.5, 0.5], "reference: 2 numbers, but the game has 3 actions; give 3 numbers"),
        ([[0.2, 0.3, 0.5]], "reference: shape (1, 3), but the game has 3 actions"),
        (0.5, "reference: shape (), but the game has 3 actions"),
        (["a", "b", "c"], "reference: not a list of 3 numbers"),
        ([[0.5], [0.2, 0.3]], "not a list of 3 numbers"),
        ([0.5, np.nan, 0.5], "the probability of 'paper' is nan, which is not a finite number"),
        ([0.5, np.inf, 0.5], "the probability of 'paper' is inf"),
        ([0.6, 0.6, -0.2], "the probability of 'scissors' is -0.2, which is negative"),
        ([0.6, 0.3, 0.2], "the probabilities sum to 1.1, not 1; divide them by their sum"),
        ([0.5, 0.5, 2e-6], "sum to 1.000002, not 1"),
        ([0.5, 0.0, 0.5], "'paper' has probability 0; reference needs full support"),
        ([1.0, 0.0, 0.0], "'paper' has probability 0 (and 1 more)"),
    ],
)
def test_refused_policies(p: object, words: str) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        check_policy(p, 3, name="reference", actions=NAMES)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_policy_that_is_only_evaluated_may_have_zeros() -> None:
    assert check_policy([1, 0], 2, name="policy", full_support=False).tolist() == [1.0, 0.0]
