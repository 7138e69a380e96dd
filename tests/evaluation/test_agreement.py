"""Agreement figures against hand-computed values, a naive twin and the krippendorff package."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.agreement import COLUMNS, Verdict, agreement, krippendorff_alpha
from mnpo.errors import InvalidSetting

NAN = math.nan
LEVELS = ("nominal", "ordinal", "interval")


def naive_alpha(data, level):
    """The definition, pair by pair."""
    units = [[x for x in column if not math.isnan(x)] for column in np.asarray(data).T]
    units = [unit for unit in units if len(unit) >= 2]
    values = [x for unit in units for x in unit]

    def d2(a, b):
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return (a - b) ** 2
        low, high = min(a, b), max(a, b)
        between = sum(low <= x <= high for x in values)
        return (between - (values.count(a) + values.count(b)) / 2) ** 2 if a != b else 0.0

    n = len(values)
    observed = sum(
        d2(a, b) / (len(unit) - 1) for unit in units for a, b in itertools.permutations(unit, 2)
    )
    expected = sum(d2(a, b) for a, b in itertools.permutations(values, 2))
    return None if n < 2 or expected == 0 else 1 - (n - 1) * observed / expected


def test_alpha_equals_a_value_computed_by_hand() -> None:
    # Two judges, four units: (1,1), (1,2), (2,2), (2,2). n = 8, three ones and five twos.
    # Nominal: observed 2/8; expected 2*3*5/(8*7) = 30/56; alpha = 1 - (1/4)/(30/56) = 8/15.
    data = np.array([[1.0, 1, 2, 2], [1, 2, 2, 2]])
    for level in LEVELS:  # with two values all levels agree
        assert krippendorff_alpha(data, level) == pytest.approx(8 / 15, abs=1e-12)
    # (1,2), (3,3): interval: observed 2/4; expected (2+8+8+2+2)/12: pairs 12,13,13,23,23,33 with
    # squares 1,4,4,1,1,0, each twice: 22/12; alpha = 1 - (1/2)/(22/12) = 8/11.
    data = np.array([[1.0, 3, NAN], [2, 3, 7]])  # the third unit has one verdict only
    assert krippendorff_alpha(data, "interval") == pytest.approx(8 / 11, abs=1e-12)


tables = st.integers(2, 4).flatmap(
    lambda judges: st.lists(
        st.lists(
            st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0, NAN]), min_size=judges, max_size=judges
        ),
        min_size=1,
        max_size=8,
    )
)


@pytest.mark.parametrize("level", LEVELS)
@given(table=tables)
def test_alpha_equals_its_naive_twin(level, table) -> None:
    data = np.array(table).T
    found, expected = krippendorff_alpha(data, level), naive_alpha(data, level)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-9))


@pytest.mark.peers
@pytest.mark.parametrize("level", LEVELS)
@given(table=tables)
def test_alpha_equals_that_of_the_package(level, table) -> None:
    theirs = pytest.importorskip("krippendorff", reason="needs the extra `peers`").alpha
    data = np.array(table).T
    found = krippendorff_alpha(data, level)
    if found is not None:
        expected = theirs(reliability_data=data, level_of_measurement=level)
        assert found == pytest.approx(expected, abs=1e-9)


def test_many_different_verdicts_need_no_table_of_all_pairs() -> None:
    random = np.random.default_rng(0)
    truth = random.random(20_000)
    data = np.stack([truth, np.clip(truth + 0.1 * random.standard_normal(20_000), 0, 1)])
    assert 0.9 < krippendorff_alpha(data, "interval") < 1


def pair(judge, item, ab, ba, *, repeat=0, lengths=(None, None)):
    return [
        Verdict(judge, item, "m", order, repeat, value, *lengths)
        for order, value in (("AB", ab), ("BA", ba))
    ]


def test_a_judge_who_always_takes_the_first_has_all_the_position_bias_there_is() -> None:
    verdicts = [v for i in range(20) for v in pair("first", f"q{i}", 1.0, 0.0)]
    verdicts += [v for i in range(20) for v in pair("fair", f"q{i}", i % 2, i % 2)]
    found = agreement(verdicts)
    assert found.judges["first"].position.value == 0.5
    assert found.judges["first"].position.low > 0.3  # exact at the bound
    assert found.judges["first"].steadiness.value == 0
    assert found.judges["fair"].position.value == 0
    assert found.judges["fair"].steadiness.value == 1
    assert found.pairs["first", "fair"].value == 0.5
    assert found.pairs["first", "fair"].clusters == 20
    assert found.alphas["nominal"].value < 0.1


def test_position_bias_is_estimated_with_an_interval_that_counts_prompts() -> None:
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        verdicts = []
        for i in range(40):
            quality = random.uniform(0.2, 0.7)
            ab = float(random.random() < quality + 0.2)  # ten points more for the first place
            ba = float(random.random() < quality)
            verdicts += pair("j", f"q{i}", ab, ba)
        position = agreement(verdicts).judges["j"].position
        hits += position.low <= 0.1 <= position.high
    assert 0.9 <= hits / 200 <= 0.99


def test_length_bias_shows_as_share_and_as_slope() -> None:
    random = np.random.default_rng(2)
    verdicts = []
    for i in range(60):
        a, b = random.integers(20, 400, size=2)
        value = 1 / (1 + math.exp(-math.log(a / b)))
        verdicts += pair("long", f"q{i}", value, value, lengths=(int(a), int(b)))
        verdicts += pair("blind", f"q{i}", *[float(random.random() < 0.5)] * 2, lengths=(a, b))
    found = agreement(verdicts, seed=3).judges
    assert found["long"].longer_wins.value == 1
    assert 0.1 < found["long"].length_slope.value < 0.26  # at most 1/4, at equal lengths
    assert found["long"].length_slope.low > 0
    assert found["blind"].length_slope.low < 0 < found["blind"].length_slope.high
    assert found["blind"].longer_wins.low < 0.5 < found["blind"].longer_wins.high
    assert agreement(verdicts, seed=3).judges["long"] == found["long"]


def test_the_slope_is_that_of_least_squares() -> None:
    random = np.random.default_rng(4)
    a, b, y = random.uniform(10, 99, 30), random.uniform(10, 99, 30), random.random(30)
    verdicts = [
        Verdict("j", f"q{i}", "m", "AB", 0, y[i], float(a[i]), float(b[i])) for i in range(30)
    ]
    slope = agreement(verdicts).judges["j"].length_slope.value
    assert slope == pytest.approx(np.polyfit(np.log(a / b), y, 1)[0], abs=1e-9)


def test_repeats_are_compared_within_a_question() -> None:
    values = {"q1": [0.0, 1.0], "q2": [1.0, 1.0], "q3": [0.5, 0.5, 0.5]}
    verdicts = [
        Verdict("j", item, "m", "AB", repeat, value)
        for item, seen in values.items()
        for repeat, value in enumerate(seen)
    ]
    found = agreement(verdicts).judges["j"]
    assert found.repeat_variance.value == pytest.approx(0.5 / 3)
    assert found.repeat_agreement.value == pytest.approx(2 / 3)
    assert found.position is None  # one order only
    assert found.length_slope is None


def test_missing_verdicts_are_left_out_and_the_rest_is_json() -> None:
    verdicts = [
        *pair("a", "q1", 1.0, 1.0),
        *pair("a", "q2", 0.0, 1.0),
        *pair("b", "q1", 1.0, 0.5)[:1],
        Verdict("c", "q9", "m", "AB", 0, 1.0),
    ]
    found = agreement(verdicts)
    assert found.alphas["interval"].units == 1
    assert found.alphas["interval"].value is None  # the one shared question has one verdict twice
    assert found.pairs["a", "b"].n == 1
    assert ("a", "c") not in found.pairs
    assert found.judges["a"].position.n == 2
    assert found.judges["b"].position is None
    json.dumps(found.describe(), allow_nan=False)
    assert all(len(row) == len(COLUMNS) for row in found.rows())
    assert {row[0] for row in found.rows()} >= {"krippendorff_alpha/nominal", "same_verdict"}


def test_grades_are_compared_as_they_are() -> None:
    grades = {"a": [7, 8, 3, 9], "b": [7, 6, 3, 9]}
    verdicts = [
        Verdict(judge, f"q{i}", "m", "", 0, float(x))
        for judge, row in grades.items()
        for i, x in enumerate(row)
    ]
    found = agreement(verdicts)
    assert found.pairs["a", "b"].value == 0.75
    for level in LEVELS:
        expected = naive_alpha(np.array(list(grades.values()), dtype=float), level)
        assert found.alphas[level].value == pytest.approx(expected)
    assert found.judges["a"].longer_wins is None


def test_alpha_has_an_interval_over_prompts() -> None:
    random = np.random.default_rng(5)
    verdicts = []
    for i in range(50):
        truth = float(random.random() < 0.5)
        for judge in "ab":
            value = truth if random.random() < 0.9 else 1 - truth
            verdicts.append(Verdict(judge, f"q{i}", "m", "AB", 0, value))
    alpha = agreement(verdicts).alphas["nominal"]
    assert alpha.low < 0.64 < alpha.high  # 1 - 0.18 / 0.5
    assert alpha.low < alpha.value < alpha.high
    assert alpha.clusters == 50


@pytest.mark.parametrize(
    ("verdicts", "message"),
    [
        ([], "there are no verdicts"),
        ([Verdict("j", "q", "m", "AB", 0, NAN)], "leave out what is missing"),
        ([Verdict("j", "q", "m", "AB", 0, 1.5)], r"in \[0, 1\], got 1.5"),
        ([Verdict("j", "q", "m", "ba", 0, 0.5)], "the order is AB, BA or empty"),
        ([Verdict("j", "q", "m", "AB", 0, 0.5)] * 2, "is there twice"),
        (
            [Verdict("j", "q", "m", "AB", 0, 0.5), Verdict("j", "q", "m", "", 0, 0.5)],
            "cannot be mixed",
        ),
    ],
)
def test_refusals(verdicts, message) -> None:
    with pytest.raises(InvalidSetting, match=message):
        agreement(verdicts)
