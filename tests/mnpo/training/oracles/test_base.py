import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import InvalidSetting
from mnpo.training.oracles.base import (
    OracleFailure,
    check_matrix,
    distinct,
    from_upper,
    require_rewards,
)
from mnpo.training.oracles.combine import Mixture


def test_bradley_terry_on_rewards_with_a_scale(ask, table) -> None:
    oracle = table({"a": 1.0, "b": 3.0}, scale=2.0)
    (p,) = oracle.compare([ask("q", "a", "b")])
    assert p[1, 0] == pytest.approx(np.e / (1 + np.e), abs=1e-15)  # one scale apart: odds e to 1
    assert p[0, 1] == pytest.approx(1 / (1 + np.e), abs=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_reward_that_is_no_number_names_its_prompt(ask, table, bad) -> None:
    oracle = table({"a": 0.0, "b": bad})
    with pytest.raises(OracleFailure, match=r"oracle 'table', prompt 'how\?' .*: the reward of "):
        oracle.compare([ask("how?", "a", "b")])


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ([[0.5, 0.6], [0.4 + 1e-9, 0.5]], "do not sum to one"),
        ([[0.5, 1.1], [-0.1, 0.5]], "not a probability"),
        ([[0.5, np.nan], [np.nan, 0.5]], "not a probability"),
        ([[0.5]], "2 responses got a matrix"),
        ([[0.6, 0.6], [0.4, 0.4]], "do not sum to one"),
    ],
)
def test_no_invalid_matrix_passes(ask, matrix, why) -> None:
    with pytest.raises(OracleFailure, match=why):
        check_matrix(np.array(matrix), ask("q", "a", "b"), "some")


def test_identical_responses_must_tie(ask) -> None:
    with pytest.raises(OracleFailure, match="identical"):
        check_matrix(np.array([[0.5, 0.6], [0.4, 0.5]]), ask("q", "a", "a"), "some")


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=2, max_size=6), st.integers(0, 99))
def test_from_upper_makes_any_numbers_valid(texts, seed) -> None:
    upper = np.random.default_rng(seed).random((len(texts), len(texts)))
    matrix = from_upper(upper, texts)
    assert np.abs(matrix + matrix.T - 1).max() <= 1e-15
    for i, left in enumerate(texts):
        for j, right in enumerate(texts):
            if left == right:
                assert matrix[i, j] == 0.5
            elif i < j:
                assert matrix[i, j] == upper[i, j]


def test_distinct_keeps_the_order_of_appearance() -> None:
    texts, index = distinct(["b", "a", "b", "c"])
    assert texts == ["b", "a", "c"]
    assert index.tolist() == [0, 1, 0, 2]


def test_rewards_are_offered_only_where_they_exist(table) -> None:
    oracle = table({})
    assert require_rewards(oracle, "method 'x'") is oracle
    with pytest.raises(InvalidSetting, match=r"^method 'x' needs scalar rewards and oracle 'mix"):
        require_rewards(Mixture([oracle, oracle]), "method 'x'")
