"""Means over seeds: their intervals cover what they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval, mean_interval
from leaderboards.collect.seeds import over_seeds, standard_error


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize(
    ("of_seed", "of_prompt", "of_both"),
    [(1.0, 0.0, 1.0), (0.0, 1.0, 1.0), (0.3, 1.5, 3.0), (0.5, 3.0, 0.0)],
)
def test_intervals_cover_the_true_mean(seeds, of_seed, of_prompt, of_both) -> None:
    """Seeds of standard deviation `of_seed`, 40 prompts that all seeds share, and both together."""
    rng = np.random.default_rng([seeds, int(10 * of_seed), int(10 * of_prompt), int(10 * of_both)])
    prompts, trials = 40, 500
    covered = 0
    for _ in range(trials):
        values = (
            of_seed * rng.standard_normal((seeds, 1))
            + of_prompt * rng.standard_normal((1, prompts))
            + of_both * rng.standard_normal((seeds, prompts))
        )
        found = over_seeds([mean_interval(own) for own in values]).interval
        covered += found.low <= 0 <= found.high
    assert covered / trials >= 0.93


def test_one_seed_keeps_its_interval() -> None:
    own = Interval(0.5, 0.4, 0.7, 100, 20)
    found = over_seeds([own])
    assert (found.interval, found.basis, found.spread, found.freedom) == (own, "prompts", None, 19)
    assert over_seeds([Interval(0.5, None, None, 1, 1)]).basis == "none"


def test_the_formula_by_hand() -> None:
    parts = [Interval(0.5, 0.4, 0.6, 40, 11), Interval(0.7, 0.6, 0.8, 40, 11)]
    error = 0.1 / 2.228138851964939  # t quantile of 10 degrees of freedom, from tables
    of_seeds, of_prompts = 0.02 / 2, error**2
    found = over_seeds(parts)
    total = of_seeds + of_prompts
    freedom = total**2 / (of_seeds**2 / 1 + of_prompts**2 / 10)
    assert found.freedom == pytest.approx(freedom)
    assert found.spread == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert found.interval.value == pytest.approx(0.6)
    assert (found.interval.n, found.interval.clusters) == (80, 11)
    assert found.basis == "seeds and prompts"
    assert standard_error(parts[0]) == pytest.approx(error)


def test_figures_without_intervals_and_without_variation() -> None:
    bare = [Interval(x, None, None, 1, 1) for x in (1.0, 2.0, 3.0)]
    found = over_seeds(bare)
    assert found.basis == "seeds"
    assert found.interval.high - 2 == pytest.approx(4.302652729911275 / np.sqrt(3))
    same = over_seeds([Interval(0.3, None, None, 1, 1)] * 3)
    assert (same.interval.low, same.basis, same.spread) == (None, "none", 0)
    # A seed without an interval is not taken for a certain one.
    mixed = over_seeds([Interval(0.5, 0.4, 0.6, 9, 9), Interval(0.5, None, None, 9, 9)])
    assert mixed.interval.high - 0.5 == pytest.approx(0.1)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=6),
    st.lists(st.floats(0, 0.2), min_size=6, max_size=6),
    st.integers(2, 50),
    st.randoms(use_true_random=False),
)
def test_the_mean_lies_within_and_order_is_nothing(values, halves, clusters, random) -> None:
    parts = [
        Interval(v, max(v - h, 0.0), min(v + h, 1.0), 2 * clusters, clusters)
        for v, h in zip(values, halves, strict=False)
    ]
    found = over_seeds(parts, bounds=(0.0, 1.0))
    assert found.interval.value == pytest.approx(np.mean(values))
    assert min(values) - 1e-12 <= found.interval.value <= max(values) + 1e-12
    if found.interval.low is not None:
        assert 0 <= found.interval.low <= found.interval.value <= found.interval.high <= 1
    shuffled = parts.copy()
    random.shuffle(shuffled)
    again = over_seeds(shuffled, bounds=(0.0, 1.0))
    assert again.interval.value == pytest.approx(found.interval.value)
    assert (again.basis, again.interval.n) == (found.basis, found.interval.n)
