"""How numbers are written: digits as the interval allows, no sign that says nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.claims import Finding, Verdict, find_claims
from leaderboards.claims.decide import exact
from leaderboards.claims.numbers import shown_detail, shown_number, shown_value
from leaderboards.claims.table import claims_markdown
from leaderboards.render.rounding import rounded


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.7100, 0.6912, 0.7288, 128, 128), "0.710 [0.691, 0.729] (n = 128)"),
        (Interval(-0.4907, -0.5206, -0.4608, 64, 64), "-0.491 [-0.521, -0.461] (n = 64)"),
        (Interval(2.13e-5, 1.1e-5, 3.2e-5, 9, 9), "2.1e-05 [1.1e-05, 3.2e-05] (n = 9)"),
        (Interval(0.0, None, None, 6, 6), "0"),
        (Interval(3e-17, -1e-16, 4e-16, 5, 5), "< 1e-12 (n = 5)"),
        (Interval(0.05742, None, None, 3, 3), "0.05742"),
        (Interval(float("nan"), None, None, 3, 3), "none"),
    ],
)
def test_a_number(interval: Interval, text: str) -> None:
    assert shown_number(interval) == text


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e3))
def test_levels_and_differences_are_rounded_as_boards_do(value: float, half: float) -> None:
    interval = Interval(value, value - half, value + half, 4, 4)
    text = shown_detail(interval)
    assert text is not None
    assert "+" not in text.replace("e+", "")
    assert text == "{} [{}, {}]".format(*rounded(interval))


def test_rounding_is_told_as_such() -> None:
    assert shown_value(-2.2e-16) == "< 1e-12"
    assert shown_value(0.0) == "0"
    assert shown_value(math.nan) == "none"
    assert shown_detail("text") is None


def test_numbers_stand_in_markdown_as_they_are() -> None:
    (claim,) = find_claims(["eq9-is-eq4"])
    number = Interval(0.5, 0.4, 0.6, 7, 7)
    finding = Finding(Verdict.FAILS, "c", "gap of pi_t, nats^2", number, {"d": number, "n": None})
    text = claims_markdown([(claim, finding)])
    assert text.count("gap of pi_t, nats^2: 0.50 [0.40, 0.60] (n = 7)") == 2
    assert "\n  - d: 0.50 [0.40, 0.60]\n  - n: –\n" in text
    assert "\\" not in text


def test_emphasis_is_escaped_where_it_would_begin() -> None:
    (claim,) = find_claims(["eq9-is-eq4"])
    finding = Finding(Verdict.FAILS, "_x_ *y* a_b", "> q", exact(1.0), {"+ d": 1.0, "- e": "f"})
    text = claims_markdown([(claim, finding)])
    assert "\\_x\\_ \\*y\\* a_b" in text
    assert "\n- \\> q: 1" in text
    assert "\n  - \\+ d: 1\n  - \\- e: f\n" in text
