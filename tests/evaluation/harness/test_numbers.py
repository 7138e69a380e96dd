import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.harness.offline.numbers import equal, last_boxed, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("1,250", 1250.0),
        ("1,250,000.50", 1250000.5),
        ("$1,250", 1250.0),
        (r"\$7", 7.0),
        ("40%", 40.0),
        (r"40\%", 40.0),
        ("-3", -3.0),
        ("7.00", 7.0),
        (".5", 0.5),
        ("18.", 18.0),
        (r"\frac{840}{13}", 840 / 13),
        (r"-\dfrac{1}{2}", -0.5),
        ("3/4", 0.75),
        ("1e3", 1000.0),
    ],
)
def test_numbers(text, value):
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "soup", "1,2", "3/0", "1/2/3", "12 soups", "nan", "inf", "0x1", r"\frac{1}{0}"]
)
def test_no_numbers(text):
    assert number(text) is None
    assert not equal(text, 0.0)


@given(st.integers(-(10**9), 10**9))
def test_every_integer_with_or_without_commas(value):
    assert number(str(value)) == number(f"{value:,}") == value


def test_tolerance():
    assert equal("2.0009", 2.0)
    assert not equal("2.0011", 2.0)
    assert not equal(None, 2.0)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{18} cups", "18"),
        (r"\boxed{1} and then \boxed{2}", "2"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{never closed", None),
        ("none", None),
    ],
)
def test_last_boxed(text, answer):
    assert last_boxed(text) == answer
