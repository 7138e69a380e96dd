import numpy as np
import pytest
from scipy import stats

from evaluation.statistics import (
    Interval,
    bootstrap_interval,
    holm,
    mean_interval,
    p_value,
    paired_difference,
)
from mnpo.errors import InvalidSetting


def test_without_clusters_it_is_the_textbook_interval():
    x = np.array([0.2, 0.9, 0.4, 0.7, 0.55])
    found = mean_interval(x)
    low, high = stats.t.interval(0.95, len(x) - 1, loc=x.mean(), scale=stats.sem(x))
    assert found == Interval(pytest.approx(x.mean()), pytest.approx(low), pytest.approx(high), 5, 5)
    assert p_value(x, 0.3) == pytest.approx(stats.ttest_1samp(x, 0.3).pvalue)


def test_clusters_of_one_size_are_a_t_interval_of_their_means():
    random = np.random.default_rng(0)
    x = random.normal(size=(7, 3))
    found = mean_interval(x.ravel(), np.repeat(list("abcdefg"), 3).tolist(), 0.9)
    means = x.mean(axis=1)
    low, high = stats.t.interval(0.9, 6, loc=means.mean(), scale=stats.sem(means))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert (found.n, found.clusters) == (21, 7)


def test_unequal_clusters_against_matrices():
    # CR2 and its degrees of freedom written out with hat matrices and the covariance of the sums.
    sizes = [1, 2, 5, 3, 9]
    index = np.repeat(np.arange(5), sizes)
    n = len(index)
    x = np.random.default_rng(1).normal(size=n) + index
    residual_maker = np.eye(n) - np.ones((n, n)) / n
    rows = []
    for g, size in enumerate(sizes):
        rows.append((index == g).astype(float) @ residual_maker / np.sqrt(1 - size / n) / n)
    B = np.array(rows)
    variance = float(((B @ x) ** 2).sum())
    C = B @ B.T
    freedom = np.trace(C) ** 2 / np.trace(C @ C)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    found = mean_interval(x, index.tolist())
    assert found.low == pytest.approx(x.mean() - half, rel=1e-12)
    assert found.high == pytest.approx(x.mean() + half, rel=1e-12)


@pytest.mark.parametrize("sizes", [[4] * 20, [1, 2, 3, 4, 6, 8] * 4], ids=["equal", "unequal"])
def test_coverage_with_dependent_values(sizes):
    random = np.random.default_rng(2)
    index = np.repeat(np.arange(len(sizes)), sizes)
    runs, covered, naive = 3000, 0, 0
    for _ in range(runs):
        x = random.normal(size=len(sizes))[index] + random.normal(size=len(index))
        found, iid = mean_interval(x, index.tolist()), mean_interval(x)
        covered += found.low <= 0 <= found.high
        naive += iid.low <= 0 <= iid.high
    assert 0.93 <= covered / runs <= 0.97
    assert naive / runs < 0.85


def test_coverage_of_win_rates_of_few_prompts():
    random = np.random.default_rng(3)
    runs, covered = 3000, 0
    for _ in range(runs):
        rate = random.beta(2, 1.5, size=24)  # of each prompt; two responses each
        x = (random.random((24, 2)) < rate[:, None]).astype(float)
        found = mean_interval(x.ravel(), np.repeat(np.arange(24), 2).tolist(), bounds=(0, 1))
        covered += found.low <= 2 / 3.5 <= found.high
    assert 0.93 <= covered / runs <= 0.97


def test_one_cluster_or_no_variation_has_no_interval():
    assert mean_interval([0.7]) == Interval(0.7, None, None, 1, 1)
    assert mean_interval([0.1, 0.8], ["a", "a"]) == Interval(0.45, None, None, 2, 1)
    assert mean_interval([0.5, 0.5, 0.5], bounds=(0, 1)) == Interval(0.5, None, None, 3, 3)
    # Clusters of one mean, however much varies inside.
    assert mean_interval([0.1, 0.3, 0.3, 0.1], [0, 0, 1, 1]).low is None
    assert p_value([0.5, 0.5]) is None


def test_all_at_a_bound_has_an_exact_end():
    found = mean_interval([1.0] * 10, bounds=(0, 1))
    # The lower end of Clopper and Pearson for 10 of 10.
    assert found.low == pytest.approx(stats.beta.ppf(0.025, 10, 1))
    assert found.high == 1
    assert mean_interval([-1.0] * 4, ["a", "a", "b", "b"], bounds=(-1, 1)) == Interval(
        -1, -1, pytest.approx(-1 + 2 * stats.beta.ppf(0.975, 1, 2)), 4, 2
    )
    assert mean_interval([1.0] * 10).low is None


def test_the_interval_ends_at_the_bounds():
    assert mean_interval([1, 1, 1, 0.2], bounds=(0, 1)).high == 1
    assert mean_interval([1, 1, 1, 0.2]).high > 1


def test_paired_difference_uses_the_pairing():
    random = np.random.default_rng(4)
    item = random.normal(size=40)
    a, b = item + 0.1 + 0.01 * random.normal(size=40), item + 0.01 * random.normal(size=40)
    found = paired_difference(a, b)
    result = stats.ttest_rel(a, b).confidence_interval()
    assert (found.low, found.high) == (pytest.approx(result.low), pytest.approx(result.high))
    assert p_value(a - b) == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert paired_difference([1, 1], [0, 0], bounds=(0, 1)).low > -1
    with pytest.raises(InvalidSetting, match="pairs"):
        paired_difference(a, b[1:])


def test_bootstrap_of_a_mean_is_near_the_t_interval_and_repeats():
    random = np.random.default_rng(5)
    index = np.repeat(np.arange(60), 3)
    x = random.normal(size=60)[index] + 0.3 * random.normal(size=180)
    found = bootstrap_interval(x, lambda rows: float(rows.mean()), index.tolist(), seed=1)
    again = bootstrap_interval(x, lambda rows: float(rows.mean()), index.tolist(), seed=1)
    other = bootstrap_interval(x, lambda rows: float(rows.mean()), index.tolist(), seed=2)
    wanted = mean_interval(x, index.tolist())
    assert found == again != other
    assert found.value == wanted.value
    assert found.high - found.low == pytest.approx(wanted.high - wanted.low, rel=0.1)
    naive = bootstrap_interval(x, lambda rows: float(rows.mean()), seed=1)
    assert naive.high - naive.low < 0.7 * (wanted.high - wanted.low)
    assert (found.n, found.clusters) == (180, 60)


def test_bootstrap_draws_whole_clusters():
    rows = np.array([[0, 1], [0, 1], [1, 5], [2, 7], [2, 7]], dtype=float)
    seen = []

    def statistic(drawn):
        seen.append(drawn)
        return float(drawn[:, 1].mean())

    bootstrap_interval(rows, statistic, ["a", "a", "b", "c", "c"], seed=0, replicates=50)
    for drawn in seen[1:]:
        counts = [int((drawn[:, 0] == g).sum()) for g in range(3)]
        assert counts[0] % 2 == 0
        assert counts[2] % 2 == 0
        assert counts[0] / 2 + counts[1] + counts[2] / 2 == 3
    assert bootstrap_interval(rows, statistic, ["a"] * 5, seed=0).low is None


def test_holm():
    # Worked by hand: 3 * .01, then max(2 * .03), then max(.04).
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([0.5, 0.6]) == (1, 1)
    assert holm([]) == ()
    with pytest.raises(InvalidSetting, match="p-values"):
        holm([0.1, float("nan")])


def test_holm_keeps_the_family_error():
    random = np.random.default_rng(6)
    p = random.random((4000, 5))
    wrong = np.mean([min(holm(row)) <= 0.05 for row in p.tolist()])
    assert wrong == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "no values"),
        (([0.1, float("nan")],), "value 1 is nan"),
        (([0.1, 0.2], ["a"]), "as many clusters"),
        (([0.1, 0.2], None, 95), "level"),
        (([[0.1, 0.2]],), "shape"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InvalidSetting, match=message):
        mean_interval(*arguments)


def test_values_out_of_bounds_are_refused():
    with pytest.raises(InvalidSetting, match="outside"):
        mean_interval([0.5, 1.5], bounds=(0, 1))
