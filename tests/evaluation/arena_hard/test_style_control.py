from dataclasses import replace

import numpy as np
import pytest

from evaluation.arena_hard.style import differences_v01, differences_v20
from evaluation.arena_hard.style_control import NoEstimate, style_controlled
from evaluation.arena_hard.style_model import fit_style, ridge_v01, standardised
from evaluation.arena_hard.table import POINTS, Table


def styles(rng, models, questions):
    """Counts of (models, questions) answers and of the baseline's."""
    scale = np.array([600.0, 6, 15, 10])
    own = rng.integers(1, scale, (models, questions, 4)).astype(float)
    return own, rng.integers(1, scale, (questions, 4)).astype(float)


def rows_of(table, z):
    """Every battle by itself: model, features, points."""
    return [
        (m, z[m, q], k / 2)
        for m in range(len(table.models))
        for q in range(len(table.questions))
        for k in range(3)
        for _ in range(table.battles[m, q, k])
    ]


def naive_v01(table, own, baseline):
    """The official fit, from its description, with scikit-learn's default ridge."""
    from sklearn.linear_model import LogisticRegression

    size = len(table.models)
    rows = rows_of(table, differences_v01(baseline[None], own))  # the baseline is model_a there
    features = np.array([f for _, f, _ in rows])
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    x = np.zeros((len(rows), size + 5))
    for i, (m, _, _) in enumerate(rows):
        x[i, size], x[i, m] = np.log(10), -np.log(10)
        x[i, size + 1 :] = features[i]
    lost = np.array([1 - points for _, _, points in rows])
    y = np.concatenate([lost > 0, lost == 1])  # a tie is one win and one loss
    model = LogisticRegression(fit_intercept=False, tol=1e-12, max_iter=10_000)
    model.fit(np.concatenate([x, x]), y)
    elo = 400 * model.coef_[0][: size + 1]
    return 1 / (1 + 10 ** ((elo[size] - elo[:size]) / 400))


def naive_v20(table, own, baseline):
    """The official likelihood row by row, maximised by a general method."""
    from scipy.optimize import minimize

    size = len(table.models)
    rows = rows_of(table, differences_v20(own, baseline[None]))
    features = np.array([f for _, f, _ in rows])
    features = (features - features.mean(axis=0)) / features.std(axis=0, ddof=1)
    who = np.array([m for m, _, _ in rows])
    points = np.array([p for _, _, p in rows])

    def loss(x):
        eta = x[who] - x[size] + features @ x[size + 1 :]
        return (np.logaddexp(0, eta) - points * eta).sum()

    x = minimize(loss, np.full(size + 5, 0.5), method="BFGS", options={"gtol": 1e-7}).x
    return 1 / (1 + np.exp(x[size] - x[:size]))


def fitted(table, own, baseline, version):
    weights = table.battles.sum(axis=2)
    old = version == "v0.1"
    z = standardised(
        (differences_v01 if old else differences_v20)(own, baseline[None]), weights, sample=not old
    )
    return fit_style(
        weights, table.battles @ POINTS, z, ridge_v01(len(table.models)) if old else None
    )


@pytest.mark.parametrize(("version", "twin"), [("v0.1", naive_v01), ("v2.0", naive_v20)])
def test_the_fit_is_that_of_the_naive_twin(arena, table_of, version, twin) -> None:
    table = table_of(arena(models=3, questions=60))
    own, baseline = styles(np.random.default_rng(5), 3, 60)
    found = fitted(table, own, baseline, version)
    assert found.converged
    np.testing.assert_allclose(found.win_rates, twin(table, own, baseline), atol=2e-5)


def test_the_ridge_matters_so_the_twins_can_tell(arena, table_of) -> None:
    table = table_of(arena(models=3, questions=8))
    own, baseline = styles(np.random.default_rng(5), 3, 8)
    difference = fitted(table, own, baseline, "v0.1").win_rates - naive_v20(table, own, baseline)
    assert np.abs(difference).max() > 0.01


def true_arena(rng, strengths, effect, questions=1500):
    """Battles from the model itself: one verdict a question, length alone matters."""
    own, baseline = styles(rng, len(strengths), questions)
    z = standardised(
        differences_v20(own, baseline[None]), np.ones((len(strengths), questions)), sample=True
    )
    p = 1 / (1 + np.exp(-(np.array(strengths)[:, None] + effect * z[:, :, 0])))
    won = rng.random(p.shape) < p
    battles = np.zeros((*p.shape, 3), dtype=np.int64)
    battles[..., 2], battles[..., 0] = won, ~won
    names = tuple(f"m{i}" for i in range(len(strengths)))
    ids = tuple(f"q{i}" for i in range(questions))
    return Table("hard_prompt", "base", names, ids, battles, battles), own, baseline


def test_known_strengths_and_effects_are_found(monkeypatch) -> None:
    monkeypatch.setattr("evaluation.arena_hard.style_control.REPLICATES", 200)
    strengths, effect = (-1.0, 0.0, 1.2), 0.8
    truth = 100 / (1 + np.exp(-np.array(strengths)))
    covered, effects = 0, []
    for seed in range(10):
        table, own, baseline = true_arena(np.random.default_rng(seed), strengths, effect, 300)
        found = style_controlled(table, own, baseline, version="v2.0", seed=0)
        for name, true in zip(table.models, truth, strict=True):
            interval = found.scores[name]
            covered += interval.low < true < interval.high
            assert abs(interval.value - true) < 12
            assert found.official[name].low < interval.value < found.official[name].high
        effects.append(list(found.effects.values()))
    assert covered >= 26  # of 30
    np.testing.assert_allclose(np.mean(effects, axis=0), [effect, 0, 0, 0], atol=0.1)


def test_a_model_that_won_everything_has_score_100_and_disturbs_nobody() -> None:
    table, own, baseline = true_arena(np.random.default_rng(2), (0.3, -0.3), 0.5, 300)
    alone = fitted(table, own, baseline, "v2.0")
    battles = np.concatenate([table.battles, np.zeros_like(table.battles[:1])])
    battles[2, :, 2] = 1
    wider = Table("hard_prompt", "base", (*table.models, "m2"), table.questions, battles, battles)
    counts = np.concatenate([own, own[:1]])
    found = fitted(wider, counts, baseline, "v2.0")
    assert found.win_rates[2] == 1.0
    assert found.effects == pytest.approx(alone.effects, abs=0.1)  # only the scaling moved


def test_a_feature_that_never_varies_has_no_effect(arena, table_of) -> None:
    table = table_of(arena(models=2, questions=40))
    own, baseline = styles(np.random.default_rng(5), 2, 40)
    own[..., 1], baseline[..., 1] = 0, 0
    for version in ("v0.1", "v2.0"):
        found = fitted(table, own, baseline, version)
        assert found.converged
        assert found.effects[1] == 0.0


def test_styles_that_tell_everything_leave_no_estimate(arena, table_of) -> None:
    table = table_of(arena(models=1, questions=30))
    won = np.arange(30) % 2
    table.battles[:] = 0
    table.battles[0, :, 2], table.battles[0, :, 0] = won, 1 - won
    own, baseline = np.ones((1, 30, 4)), np.full((30, 4), 100.0)
    own[0, :, 0] = np.where(won, 400.0, 20.0)
    with pytest.raises(NoEstimate, match="style control has no estimate"):
        style_controlled(table, own, baseline, version="v2.0", seed=0)


def test_each_draw_is_what_a_fit_from_scratch_gives(arena, table_of, monkeypatch) -> None:
    monkeypatch.setattr("evaluation.arena_hard.style_control.REPLICATES", 4)
    table = table_of(arena(models=2, questions=80))
    own, baseline = styles(np.random.default_rng(5), 2, 80)
    found = style_controlled(table, own, baseline, version="v2.0", seed=3)
    rng = np.random.default_rng(3)
    for draw in found.draws:
        times = np.bincount(rng.integers(80, size=80), minlength=80)
        drawn = replace(table, battles=table.battles * times[:, None])
        scratch = fitted(drawn, own, baseline, "v2.0")  # scaled by its own mean and deviation
        np.testing.assert_allclose(draw, 100 * scratch.win_rates, atol=1e-6)


def test_verdicts_that_are_all_alike_have_no_interval(arena, table_of) -> None:
    table = table_of(arena(models=1, questions=12))
    table.battles[:] = 0
    table.battles[0, :, 1] = 2  # ties
    own, baseline = styles(np.random.default_rng(6), 1, 12)
    (score,) = style_controlled(table, own, baseline, version="v0.1", seed=0).scores.values()
    assert score.value == pytest.approx(50)
    assert (score.low, score.high) == (None, None)
