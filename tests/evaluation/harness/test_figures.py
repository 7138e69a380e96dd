import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.harness.figures import average, official, read_values, require_agreement
from evaluation.statistics import Interval, mean_interval
from mnpo.errors import DamagedRun


def sample(number, value, chosen="none", responses=(), digest=None):
    return {
        "doc_id": number,
        "filter": chosen,
        "acc": value,
        "doc_hash": digest or str(number),
        "filtered_resps": list(responses),
    }


def test_values_of_one_filter_in_percent():
    samples = [sample(0, 1.0), sample(0, 0.0, "other"), sample(1, 0.25)]
    found = read_values("unit", samples, "acc,none")
    assert found.values == (100.0, 25.0)
    assert found.documents == (("unit", 0), ("unit", 1))


def test_several_values_of_a_document_are_one_cluster():
    samples = [sample(0, [True, True, False]), sample(1, [True]), sample(2, [False])]
    interval = read_values("unit", samples, "acc,none").interval()
    assert interval.value == pytest.approx(60.0)
    assert (interval.n, interval.clusters) == (5, 3)


def test_the_same_document_twice_is_one_cluster():
    samples = [sample(0, 1.0, digest="a"), sample(1, 0.0, digest="a"), sample(2, 1.0, digest="b")]
    assert read_values("unit", samples, "acc,none").interval().clusters == 2


@pytest.mark.parametrize(
    "bad",
    [
        sample(1, math.nan),
        sample(1, None),
        sample(1, 1.0, responses=[[math.nan, False], [-3.0, False]]),
        sample(1, 1.0, responses=[["nan", "False"], ["-3.0", "False"]]),
    ],
)
def test_no_number_is_missing(bad):
    found = read_values("unit", [sample(0, 1.0), bad], "acc,none")
    assert found.values == (100.0,)
    assert found.missing == (1,)


def test_official_has_lm_evals_standard_error():
    found = official("acc,none", {"acc,none": 0.5, "acc_stderr,none": 0.1})
    assert (found.value, found.low, found.high) == pytest.approx((50.0, 30.4, 69.6))
    assert official("acc,none", {"acc,none": 0.5, "acc_stderr,none": "N/A"}).low is None
    assert official("acc,none", {}) is None


def test_agreement():
    values = read_values("unit", [sample(0, 1.0), sample(1, 0.0)], "acc,none")
    require_agreement("unit", "acc,none", values, {"acc,none": 0.5})
    with pytest.raises(DamagedRun, match=r"0\.510000 in the results and 0\.500000"):
        require_agreement("unit", "acc,none", values, {"acc,none": 0.51})


def test_average_of_wide_samples_is_the_normal_theory_interval():
    """Far from the bounds and with many values: variances of independent means add."""
    parts = []
    for size, share in ((400, 0.4), (900, 0.6)):
        ones = int(size * share)
        parts.append(mean_interval([100.0] * ones + [0.0] * (size - ones)))
    found = average(parts)
    error = math.sqrt(100**2 * 0.24 / 399 + 100**2 * 0.24 / 899) / 2
    assert found.value == pytest.approx(50.0)
    assert found.high - found.value == pytest.approx(1.96 * error, rel=0.01)


@given(st.lists(st.tuples(*[st.floats(0, 100)] * 3).map(sorted), min_size=1, max_size=6))
def test_average_lies_within_and_is_never_wider_than_the_parts(triples):
    found = average([Interval(m, low, high, 5, 5) for low, m, high in triples])
    assert min(t[0] for t in triples) - 1e-6 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= max(t[2] for t in triples) + 1e-6
    assert found.n == 5 * len(triples)


def test_average_of_one_is_itself_and_of_an_unknown_has_no_interval():
    one = Interval(40.0, 30.0, 55.0, 9, 9)
    assert average([one]) == one
    assert average([one, Interval(60.0, None, None, 1, 1)]).low is None
