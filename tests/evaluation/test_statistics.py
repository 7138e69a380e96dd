import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from evaluation.statistics import (
    Interval,
    bootstrap_interval,
    holm,
    holm_known,
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


def test_the_interval_stays_inside_the_bounds():
    assert 0.8 < mean_interval([1, 1, 1, 0.2], bounds=(0, 1)).high < 1
    assert mean_interval([1, 1, 1, 0.2]).high > 1


def test_zeros_and_ones_get_wilsons_interval_with_t():
    x = [1.0] * 3 + [0.0] * 22
    found = mean_interval(x, bounds=(0, 1))
    # The ends solve (3/25 - p)^2 = t^2 p (1 - p) / 24: 25 values know what 24 do with s of n - 1.
    t = stats.t.ppf(0.975, 24)
    roots = np.roots([1 + t**2 / 24, -2 * 3 / 25 - t**2 / 24, (3 / 25) ** 2])
    assert [found.low, found.high] == pytest.approx(sorted(roots), rel=1e-12)


def test_far_from_the_bounds_it_is_the_t_interval():
    x = 0.5 + 0.05 * np.random.default_rng(7).normal(size=60)
    bounded, free = mean_interval(x, bounds=(0, 1)), mean_interval(x)
    assert bounded.low == pytest.approx(free.low, abs=1e-4)
    assert bounded.high == pytest.approx(free.high, abs=1e-4)


@given(
    st.lists(st.integers(0, 1000).map(lambda k: k / 1000), min_size=2, max_size=30),
    st.floats(-50, 50),
    st.floats(0.01, 100),
    st.booleans(),
)
def test_bounded_intervals_move_with_their_scale(x, shift, width, mirrored):
    sign = -1 if mirrored else 1
    ends = sorted((shift, shift + sign * width))
    moved = np.clip(shift + sign * width * np.array(x), *ends)
    found = mean_interval(x, bounds=(0, 1))
    other = mean_interval(moved, bounds=tuple(ends))
    assume((found.low is None) == (other.low is None))  # rounding decides whether values vary
    if found.low is None:
        return
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert ends[0] <= other.low <= other.value <= other.high <= ends[1]
    wanted = sorted(shift + sign * width * np.array([found.low, found.high]))
    assert [other.low, other.high] == pytest.approx(wanted, abs=1e-6 * (width + abs(shift)))


@given(
    st.lists(st.integers(0, 1000).map(lambda k: k / 1000), min_size=3, max_size=40),
    st.floats(0.02, 0.98),
)
def test_the_p_value_and_the_interval_say_the_same(x, null):
    found, p = mean_interval(x, bounds=(0, 1)), p_value(x, null, bounds=(0, 1))
    assume(p is not None and abs(p - 0.05) > 1e-6)
    assert (p < 0.05) == (not found.low <= null <= found.high)
    difference, p = mean_interval(np.array(x) - null), p_value(np.array(x) - null)
    assume(p is not None and abs(p - 0.05) > 1e-6)
    assert (p < 0.05) == (not difference.low <= 0 <= difference.high)


def test_few_wins_do_not_make_a_mean_certain():
    # Two wins of a judge that is mostly near 0: nobody knows how often it is near 1.
    x = [0.001] * 18 + [0.3, 0.2]
    found = mean_interval(x, bounds=(0, 1))
    # As wide as if the judge had said 0 or 1 each time with the same mean.
    mean, t = np.mean(x), stats.t.ppf(0.975, 19)
    roots = np.roots([1 + t**2 / 19, -2 * mean - t**2 / 19, mean**2])
    assert [found.low, found.high] == pytest.approx(sorted(roots), rel=1e-12)
    # Many values of one size do: here every value carries its share.
    assert mean_interval(np.full(20, 0.1) + 0.01 * np.arange(20), bounds=(0, 1)).high < 0.25


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
    assert naive.high - naive.low < 0.75 * (wanted.high - wanted.low)
    assert (found.n, found.clusters) == (180, 60)


def test_bootstrap_draws_whole_clusters():
    rows = np.array([[0, 1], [0, 1], [1, 5], [2, 7], [2, 7]], dtype=float)
    seen = []

    def statistic(drawn):
        seen.append(drawn)
        return float(drawn[:, 1].mean())

    clusters = ["a", "a", "b", "c", "c"]
    bootstrap_interval(rows, statistic, clusters, seed=0, replicates=50, method="percentile")
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


def test_holm_over_what_is_known():
    found = holm_known([None, 0.04, None, 0.01, 0.03])
    assert (found[0], found[2]) == (None, None)
    assert (found[1], *found[3:]) == holm([0.04, 0.01, 0.03])
    assert holm_known([None, None]) == (None, None)
    assert holm_known([]) == ()
    with pytest.raises(InvalidSetting):
        holm_known([None, 1.5])


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
