import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.arena_hard.bradley_terry import (
    bootstrap_ratings,
    fit,
    predicted_win_rates,
    rating,
    weighted_win_rates,
    win_rate_of,
    wins_matrix,
)
from evaluation.arena_hard.judged import Between
from mnpo.errors import UserError


def naive_win_rates(table):
    """Logistic regression on doubled battles, as the official code is described."""
    from sklearn.linear_model import LogisticRegression

    names = [*table.models, table.baseline]
    pairs = [
        (names[m], table.baseline, k / 2)
        for m in range(len(table.models))
        for q in range(len(table.questions))
        for k in range(3)
        for _ in range(table.battles[m, q, k])
    ] + [(own.first, own.second, own.points) for own in table.between]
    x, y = [], []
    for copy in (0, 1):
        for a, b, points in pairs:
            row = np.zeros(len(names))
            row[names.index(a)], row[names.index(b)] = np.log(10), -np.log(10)
            x.append(row)
            y.append(copy if points == 0.5 else int(points))
    model = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-10, max_iter=10_000)
    model.fit(np.array(x), np.array(y))
    elo = 400 * model.coef_[0]
    elo += 1000 - elo[-1]
    return 1 / (1 + 10 ** ((1000 - elo[:-1]) / 400))


def test_against_the_baseline_it_is_the_weighted_win_rate(arena, table_of) -> None:
    table = table_of(arena())
    weighted = weighted_win_rates(table.battles.sum(axis=1))
    np.testing.assert_allclose(predicted_win_rates(table), weighted, atol=1e-15)
    theta = fit(wins_matrix(table))  # by Newton's method, without the short cut
    np.testing.assert_allclose(1 / (1 + np.exp(theta[-1] - theta[:-1])), weighted, atol=1e-10)
    np.testing.assert_allclose(naive_win_rates(table), weighted, atol=1e-4)


def test_battles_between_models_count_as_in_the_regression(arena, table_of) -> None:
    rng = np.random.default_rng(3)
    between = [
        Between(*rng.choice(["m0", "m1", "m2"], 2, replace=False), f"q{i % 40}", float(p))
        for i, p in enumerate(rng.choice([0.0, 0.5, 1.0], 60))
    ]
    table = table_of(arena(), between)
    found = predicted_win_rates(table)
    np.testing.assert_allclose(found, naive_win_rates(table), atol=1e-4)
    assert np.abs(found - weighted_win_rates(table.battles.sum(axis=1))).max() > 0.005


@settings(max_examples=30)
@given(st.integers(2, 5), st.integers(0, 10_000))
def test_at_the_maximum_expected_wins_are_wins(size, seed) -> None:
    wins = np.random.default_rng(seed).integers(1, 30, (size, size)).astype(float)
    np.fill_diagonal(wins, 0)
    theta = fit(wins)
    p = 1 / (1 + np.exp(theta[None, :] - theta[:, None]))
    np.testing.assert_allclose(((wins + wins.T) * p).sum(axis=1), wins.sum(axis=1), atol=1e-6)


def test_a_model_that_never_lost_is_at_the_end(arena, table_of) -> None:
    wins = np.array([[0.0, 3, 5], [2, 0, 4], [0, 3, 0]])
    wins[1, 0] = 0
    theta = fit(wins)
    assert 1 / (1 + np.exp(theta[2] - theta[0])) > 1 - 1e-6
    assert 1 / (1 + np.exp(theta[2] - theta[1])) == pytest.approx(4 / 7, abs=1e-6)


def test_a_model_without_a_way_to_the_baseline_is_refused(arena, table_of) -> None:
    judged = arena()
    table = table_of(judged, [Between("m0", "m1", "q0", 1.0)])
    table.battles[0] = 0
    table.battles[1] = 0
    with pytest.raises(UserError, match="m0, m1: no battles connect it with gpt-4-0314"):
        predicted_win_rates(table)


def test_ratings_and_win_rates_are_each_other_s_inverse() -> None:
    rates = np.array([0.01, 0.5, 0.9])
    np.testing.assert_allclose(win_rate_of(rating(rates)), rates)
    assert rating(np.array([10 / 11])) == pytest.approx(1400)


def test_the_official_bootstrap_draws_rows_not_questions(arena, table_of) -> None:
    table = table_of(arena(models=2, questions=200))
    draws = win_rate_of(bootstrap_ratings(table, 4000, np.random.default_rng(0)))
    counts = table.battles.sum(axis=1)
    for i in range(2):
        rows = np.repeat([0, 0.5, 1], counts[i])
        # As if every row, each copy of a strong verdict too, were independent.
        assert draws[:, i].std() == pytest.approx(rows.std() / np.sqrt(len(rows)), rel=0.06)
        assert draws[:, i].mean() == pytest.approx(rows.mean(), abs=0.002)
