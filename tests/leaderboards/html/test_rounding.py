"""Digits: as many as the interval leaves room for, the same in all formats."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.render.html.texts import figure_texts, number, order, short_names, typeset
from leaderboards.render.rounding import Places, rounded

INF, NAN = math.inf, math.nan


def interval(value: float, low: float | None = None, high: float | None = None) -> Interval:
    return Interval(value, low, high, 10, 10)


@pytest.mark.parametrize(
    ("given_numbers", "expected"),
    [
        ((13.0869, 8.8693, 18.8943), ("13.1", "8.9", "18.9")),
        ((0.5312, 0.481, 0.582), ("0.531", "0.481", "0.582")),
        ((1328.4, 1308.2, 1346.9), ("1328", "1308", "1347")),
        ((1500.0, 400.0, 2613.0), ("1500", "400", "2613")),
        ((1.234e-7, 7.3e-8, 1.7e-7), ("1.23e-07", "7.3e-08", "1.70e-07")),
        ((2e-4, 0.0, 4e-4), ("2.0e-04", "0", "4.0e-04")),
        ((57.46, None, None), ("57.46", "", "")),
        ((50.0, None, None), ("50", "", "")),
        ((0.98765, None, None), ("0.9877", "", "")),
        ((123456.7, None, None), ("123457", "", "")),
        ((0.0, 0.0, 0.0), ("0", "0", "0")),
        ((-0.001, -0.1, 0.1), ("0.00", "-0.10", "0.10")),
        ((2.0, None, 3.0), ("2.0", "", "3.0")),
        ((INF, 1.0, INF), ("inf", "1", "inf")),
        ((NAN, None, None), ("", "", "")),
        ((NAN, NAN, NAN), ("", "", "")),
    ],
)
def test_examples(given_numbers: tuple[float, ...], expected: tuple[str, str, str]) -> None:
    assert rounded(interval(*given_numbers)) == expected


@given(
    value=st.floats(-1e6, 1e6),
    half=st.floats(1e-5, 1e5),
    lean=st.floats(0, 1),
)
def test_rounding_moves_nothing_by_more_than_a_twentieth_of_the_width(
    value: float, half: float, lean: float
) -> None:
    low = value - 2 * lean * half
    found = rounded(interval(value, low, low + 2 * half))
    for text, exact in zip(found, (value, low, low + 2 * half), strict=True):
        off = exact if text[0] == "<" else abs(float(text) - exact)
        assert off <= half / 19 + 1e-6 or off <= 0.5 <= half
        assert text[0] != "<" or 0 < exact <= float(text[1:]) / 2
    decimals = {len(x.partition(".")[2]) for x in found if "e" not in x and x != "0"}
    assert len(decimals) <= 1 or any("e" in text for text in found)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_alone_keeps_four_digits(value: float) -> None:
    text = rounded(interval(value))[0]
    assert float(text) == pytest.approx(value, rel=6e-2 if "e" in text else 6e-4)


@pytest.mark.parametrize(
    ("ascii_text", "expected"),
    [
        ("", "–"),
        ("-0.5", "−0.5"),
        ("1.23e-07", "1.23×10⁻⁷"),
        ("1.2e+10", "1.2×10¹⁰"),
        ("inf", "∞"),
        ("-inf", "−∞"),
    ],
)
def test_numbers_as_a_book_prints_them(ascii_text: str, expected: str) -> None:
    assert typeset(ascii_text) == expected


def test_texts_of_figures_and_numbers() -> None:
    assert figure_texts(interval(-0.02, -0.05, 0.01), Places(3)) == ("−0.020", "[−0.050, 0.010]")
    assert figure_texts(interval(1.5), Places(1)) == ("1.5", "")
    assert figure_texts(interval(2.0, None, 3.0), Places(1)) == ("2.0", "[–, 3.0]")
    assert number(1234567) == "1,234,567"
    assert number(-12.3456) == "−12.35"
    assert [order(x) for x in (NAN, None, INF, 0.1)] == ["", "", "1e999", "0.1"]


def test_short_names_stay_apart() -> None:
    names = ["organisation/model-1", "organisation/model-2", "other", "line\nbreak"]
    found = short_names(names, 12)
    assert found == ("org…/model-1", "org…/model-2", "other", "line break")
    assert short_names(names, 30)[0] == names[0]
