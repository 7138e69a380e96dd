import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import compare_all, holm, p_value, paired_difference
from mnpo.errors import InvalidSetting


def naive(names, values, clusters, bounds):
    """One pair at a time, with the functions for one pair."""
    found = []
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            both = [k for k in range(values.shape[1]) if not np.isnan(values[[i, j], k]).any()]
            if not both:
                continue
            own = None if clusters is None else [clusters[k] for k in both]
            a, b = values[i, both], values[j, both]
            found.append(
                (
                    first,
                    names[j],
                    paired_difference(a, b, own, bounds=bounds),
                    p_value(a - b, clusters=own),
                )
            )
    adjusted = iter(holm([p for *_, p in found if p is not None]))
    return [(*own, None if own[3] is None else next(adjusted)) for own in found]


def check(names, values, clusters, bounds):
    fast, slow = (
        compare_all(names, values, clusters, bounds),
        naive(names, values, clusters, bounds),
    )
    assert len(fast) == len(slow)
    for one, (first, second, interval, p, adjusted) in zip(fast, slow, strict=True):
        assert (one.first, one.second) == (first, second)
        assert (one.difference.n, one.difference.clusters) == (interval.n, interval.clusters)
        for ours, theirs in (
            (one.difference.value, interval.value),
            (one.difference.low, interval.low),
            (one.difference.high, interval.high),
            (one.p_value, p),
            (one.adjusted, adjusted),
        ):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@given(
    st.integers(2, 5),
    st.integers(1, 12),
    st.sampled_from([0.0, 0.3, 0.8]),
    st.sampled_from([None, 1, 3, 12]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_against_one_pair_at_a_time(models, items, missing, groups, coarse, seed):
    random = np.random.default_rng(seed)
    values = random.random((models, items))
    if coarse:
        values = values.round()
    values[random.random(values.shape) < missing] = np.nan
    clusters = None if groups is None else random.integers(groups, size=items).tolist()
    check([f"m{i}" for i in range(models)], values, clusters, (0.0, 1.0))


def test_a_pair_without_common_items_is_left_out():
    nan = np.nan
    found = compare_all(["a", "b", "c"], [[1, 0, nan], [nan, nan, 1], [0, 1, 0]])
    assert [(own.first, own.second, own.difference.n) for own in found] == [
        ("a", "c", 2),
        ("b", "c", 1),
    ]


def test_fifty_models_at_once():
    random = np.random.default_rng(0)
    values = random.random((50, 805)) + np.linspace(0, 0.2, 50)[:, None]
    values[random.random(values.shape) < 0.02] = np.nan
    found = compare_all([str(i) for i in range(50)], values)
    assert len(found) == 1225
    extreme = next(own for own in found if (own.first, own.second) == ("0", "49"))
    assert extreme.adjusted < 1e-6
    assert min(own.difference.n for own in found) > 700


def test_refusals():
    with pytest.raises(InvalidSetting, match="as many rows"):
        compare_all(["a"], [[1.0], [2.0]])
    with pytest.raises(InvalidSetting, match="b, item 1"):
        compare_all(["a", "b"], [[0.0, 1.0], [0.0, np.inf]])
    with pytest.raises(InvalidSetting, match="outside"):
        compare_all(["a", "b"], [[0.0, 1.0], [0.0, 2.0]], bounds=(0.0, 1.0))
