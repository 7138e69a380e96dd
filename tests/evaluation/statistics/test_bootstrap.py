import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.statistics import (
    bootstrap_interval,
    mean_interval,
    weighted_bootstrap_interval,
    weighted_bootstrap_intervals,
)
from evaluation.statistics.quantiles import bca_ends, percentile_ends
from mnpo.errors import InvalidSetting


def slope(rows):
    x, y = rows[:, 0], rows[:, 1]
    return float(((x - x.mean()) * (y - y.mean())).sum() / (1.0 + ((x - x.mean()) ** 2).sum()))


def weighted_slope(rows):
    x, y = rows.T

    def statistic(weights):
        total = weights.sum()
        mean_x, mean_y = weights @ x / total, weights @ y / total
        squares = weights @ (x - mean_x) ** 2
        return float(weights @ ((x - mean_x) * (y - mean_y)) / (1.0 + squares))

    return statistic


@given(
    st.lists(st.integers(0, 6), min_size=3, max_size=25),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["bca", "percentile"]),
)
def test_weights_and_copied_rows_are_the_same(clusters, seed, method):
    rows = np.random.default_rng(seed).normal(size=(len(clusters), 2))
    options = {"seed": seed, "replicates": 60, "method": method}
    slow = bootstrap_interval(rows, slope, clusters, **options)
    fast = weighted_bootstrap_interval(weighted_slope(rows), clusters, **options)
    assert (fast.n, fast.clusters) == (slow.n, slow.clusters)
    assert (fast.low is None) == (slow.low is None)
    if fast.low is not None:
        assert [fast.value, fast.low, fast.high] == pytest.approx(
            [slow.value, slow.low, slow.high], rel=1e-6, abs=1e-9
        )


def test_more_than_two_hundred_clusters_too():
    rows = np.random.default_rng(0).normal(size=(430, 2))
    slow = bootstrap_interval(rows, slope, list(range(430)), seed=1, replicates=40)
    fast = weighted_bootstrap_interval(
        weighted_slope(rows), list(range(430)), seed=1, replicates=40
    )
    assert [fast.low, fast.high] == pytest.approx([slow.low, slow.high], rel=1e-9)


def test_several_statistics_share_their_draws():
    rows = np.random.default_rng(1).normal(size=(40, 2))
    clusters = (np.arange(40) // 2).tolist()
    one = weighted_slope(rows)

    def two(weights):
        return weights @ rows[:, 0] / weights.sum(), one(weights)

    mean, second = weighted_bootstrap_intervals(two, clusters, seed=3, replicates=100)
    assert second == weighted_bootstrap_interval(one, clusters, seed=3, replicates=100)
    assert mean.low < mean.value < mean.high


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_many_draws_at_once_are_the_same(at_once):
    rows = np.random.default_rng(5).normal(size=(30, 2))
    clusters = (np.arange(30) // 3).tolist()
    one = weighted_slope(rows)

    def many(weights):
        return [one(w) for w in weights]

    options = {"seed": 3, "replicates": 50}
    wanted = weighted_bootstrap_interval(one, clusters, **options)
    found = weighted_bootstrap_interval(many, clusters, at_once=at_once, **options)
    assert [found.low, found.high] == pytest.approx([wanted.low, wanted.high], rel=1e-9)
    pair = weighted_bootstrap_intervals(
        lambda weights: [[one(w), w[0]] for w in weights], clusters, at_once=at_once, **options
    )
    assert pair[0].low == pytest.approx(wanted.low, rel=1e-9)
    assert pair[1].value == 1


def test_bca_against_scipy():
    # The same draws for both: with independent rows scipy's expansion-free BCa is known.
    x = np.random.default_rng(2).lognormal(size=35)
    theirs = stats.bootstrap(
        (x,), np.var, method="BCa", n_resamples=4000, random_state=np.random.default_rng(0)
    )
    drawn = np.asarray(theirs.bootstrap_distribution)
    left_out = np.array([np.var(np.delete(x, i)) for i in range(35)])
    # A billion clusters: no expansion.
    low, high = bca_ends(drawn, float(np.var(x)), left_out, 10**9, 0.95)
    assert low == pytest.approx(theirs.confidence_interval.low, rel=1e-3)
    assert high == pytest.approx(theirs.confidence_interval.high, rel=1e-3)


def test_few_clusters_are_expanded_to_the_t_interval():
    # Of a mean of normal values the expanded quantiles are, in expectation, the t interval's.
    x = np.random.default_rng(3).normal(size=12)
    weights = np.random.default_rng(4).multinomial(12, np.full(12, 1 / 12), size=200_000)
    low, high = percentile_ends(weights @ x / 12, 12, 0.95)
    wanted = mean_interval(x)
    assert high - low == pytest.approx(wanted.high - wanted.low, rel=0.04)


def test_nothing_varies_or_one_cluster_has_no_interval():
    found = weighted_bootstrap_interval(lambda weights: 0.5, list(range(9)), seed=0, replicates=20)
    assert (found.value, found.low, found.high) == (0.5, None, None)
    lone = weighted_bootstrap_interval(lambda weights: weights.sum(), ["a"] * 4, seed=0)
    assert (lone.value, lone.low, lone.n, lone.clusters) == (4, None, 4, 1)


def test_a_statistic_that_is_its_largest_value_has_finite_ends():
    x = np.arange(20.0)
    found = weighted_bootstrap_interval(
        lambda weights: x[weights > 0].max(), list(range(20)), seed=0, replicates=200
    )
    assert found.low <= 19 == found.value == found.high


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicates": 0}, "replicates"),
        ({"level": 1.0}, "level"),
        ({"method": "basic"}, "method"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(InvalidSetting, match=message):
        weighted_bootstrap_interval(lambda w: 1.0, [1, 2, 3], **{"seed": 0} | options)


def test_a_statistic_that_fails_on_a_draw_is_refused():
    with pytest.raises(InvalidSetting, match="not finite"):
        weighted_bootstrap_interval(
            lambda weights: 1.0 if weights[0] else float("nan"), [1, 2, 3], seed=0
        )
    with pytest.raises(InvalidSetting, match="no values"):
        weighted_bootstrap_interval(lambda weights: 1.0, [], seed=0)
