import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.alpaca_eval.length_control import (
    REGULARISER,
    Gamed,
    Rows,
    controlled,
    fit,
    read_gamed,
)
from mnpo.errors import UserError


def problem(seed, size=70, rewrites=50):
    random = np.random.default_rng(seed)
    difficulty = random.normal(size=size)
    delta = np.round(random.normal(-80, 300, size))
    z = 0.8 * np.tanh(delta / 300) + 0.6 * difficulty - 0.7 + random.normal(size=size)
    rows = Rows(np.round(1 / (1 + np.exp(-3 * z)), 6), delta, difficulty)
    length, own = random.normal(size=rewrites), random.normal(size=rewrites)
    p = 1 / (1 + np.exp(np.tanh(length) - 0.5 * own))
    return rows, Gamed(np.tanh(length), own, p, difficulty)


def objective(w, rows, gamed, C):
    """The penalised loss in plain words, row by row."""
    spread = np.std(rows.delta, ddof=1)
    total = 0.0
    for p, delta, d in zip(rows.preference, rows.delta, rows.difficulty, strict=True):
        z = w[0] * np.tanh(delta / spread) + w[1] * d + w[2]
        total += p * np.log1p(np.exp(-z)) + (1 - p) * np.log1p(np.exp(z))
    for p, t, d in zip(gamed.preference, gamed.tanh, gamed.difficulty, strict=True):
        z = w[0] * t + w[1] * d
        total += REGULARISER * (p * np.log1p(np.exp(-z)) + (1 - p) * np.log1p(np.exp(z)))
    return np.abs(w).sum() + C * total


@pytest.mark.parametrize("C", [1e-3, 0.02, 0.05, 0.3, 2.78, 1e4])
def test_the_package_finds_the_same_weights(C):
    """The package's own function at a fixed C, its solver told to go to the end."""
    import pandas as pd
    import sklearn
    from alpaca_eval.metrics.glm_winrate import fit_LogisticRegressionCV

    rows, gamed = problem(0)
    spread = np.std(rows.delta, ddof=1)
    data = pd.DataFrame(
        {
            "t": np.concatenate([gamed.tanh, np.tanh(rows.delta / spread)]),
            "d": np.concatenate([gamed.difficulty, rows.difficulty]),
            "one": np.repeat([0.0, 1.0], [len(gamed.tanh), len(rows.delta)]),
            "preference": np.concatenate([gamed.preference, rows.preference]),
        }
    )
    weight = pd.Series(np.where(data["one"] == 1, 1.0, REGULARISER))
    with sklearn.config_context():
        model = fit_LogisticRegressionCV(
            data, "preference", n_splits=0, C=C, sample_weight=weight, tol=1e-12, max_iter=100_000
        )
    assert fit(rows, gamed, C)[0] == pytest.approx(model.coef_[0], abs=1e-6)


@given(seed=st.integers(0, 10_000), logC=st.floats(-3, 4), size=st.integers(5, 60))
def test_no_neighbour_is_better(seed, logC, size):
    rows, gamed = problem(seed, size, 20)
    C = 10**logC
    (w,) = fit(rows, gamed, C)
    best = objective(w, rows, gamed, C)
    random = np.random.default_rng(seed)
    for scale in (1e-3, 1e-2, 0.1):
        for step in (*np.eye(3), *-np.eye(3), *random.normal(size=(6, 3))):
            assert objective(w + scale * step, rows, gamed, C) >= best - 1e-9 * (1 + abs(best))


def test_a_strong_penalty_gives_zeros_and_50_percent():
    rows, gamed = problem(1)
    w = fit(rows, gamed, 1e-4)
    assert (w == 0).all()
    assert controlled(w, rows) == [50.0]


@pytest.mark.parametrize("C", [0.03, 2.78])
def test_multiplicities_are_copies_of_rows(C):
    rows, gamed = problem(2)
    random = np.random.default_rng(5)
    draws = random.integers(len(rows.delta), size=(150, len(rows.delta)))
    times = np.array([np.bincount(own, minlength=len(rows.delta)) for own in draws], dtype=float)
    weights = fit(rows, gamed, C, times)
    values = controlled(weights, rows, times)
    for own, w, value in list(zip(draws, weights, values, strict=True))[::10]:
        copied = Rows(rows.preference[own], rows.delta[own], rows.difficulty[own])
        alone = fit(copied, gamed, C)
        assert w == pytest.approx(alone[0], abs=1e-7)
        assert value == pytest.approx(controlled(alone, copied)[0], abs=1e-6)
        sigmoid = 1 / (1 + np.exp(-(w[1] * copied.difficulty + w[2])))
        assert value == pytest.approx(100 * sigmoid.mean(), abs=1e-9)


@pytest.mark.parametrize("preference", [0.0, 1.0])
def test_a_model_that_always_wins_or_loses_has_a_fit(preference):
    rows, gamed = problem(3)
    rows = Rows(np.full(len(rows.delta), preference), rows.delta, rows.difficulty)
    (w,) = fit(rows, gamed, 1e4)
    assert np.isfinite(w).all()
    assert controlled(w[None], rows)[0] == pytest.approx(100 * preference, abs=0.1)
    assert objective(w, rows, gamed, 1e4) <= objective(w * 1.01, rows, gamed, 1e4) + 1e-6


def test_without_varying_lengths_there_is_no_fit():
    rows, gamed = problem(4)
    times = np.zeros((2, len(rows.delta)))
    times[0, 3] = 5  # one row five times: its length has no spread
    times[1] = 1
    found = fit(rows, gamed, 1.0, times)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_the_regulariser_is_read_and_checked(world):
    gamed = read_gamed(world.glm / "df_gamed.csv")
    assert len(gamed.tanh) == 2 * world.size
    assert len(gamed.by_instruction) == world.size
    bad = world.folder / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"bad.csv, row 1: is not df_gamed.csv"):
        read_gamed(bad)
