"""Numbers and settings as text."""

import math

import numpy as np
import pytest

from simulators.report.formats import (
    count,
    flat_settings,
    listed,
    mean_and_error,
    number,
    setting,
    shortened,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.23e-7, "1.2e-07"),
        (0.0312, "0.0312"),
        (0.5, "0.500"),
        (12.345, "12.3"),
        (249.0, "249"),
        (0.0, "0"),
        (-0.25, "-0.250"),
        (1e-3, "0.00100"),
        (9.99e-4, "1.0e-03"),
        (12345.0, "1.2e+04"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
        (7.1e99, "> 1e50"),
        (-7.1e99, "< −1e50"),
        (np.float64(0.148), "0.148"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (0.3123, 0.0042, "0.312 ± 0.004"),
        (0.31, 0.04, "0.31 ± 0.04"),
        (12.3, 1.6, "12 ± 2"),
        (1.23e-7, 3.4e-8, "1.2e-07 ± 3e-08"),
        (0.148, 1e-9, "0.148 ± 0.000"),
        (0.148, math.nan, "0.148"),
        (0.148, 0.0, "0.148"),
        (math.nan, math.nan, "–"),
        (1.0, 17.0, "1 ± 17"),
        (7.1e99, 1e98, "> 1e50"),
    ],
)
def test_mean_and_error(mean: float, error: float, text: str) -> None:
    assert mean_and_error(mean, error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(500, "500"), (1000, "1,000"), (2_400_000, "2,400,000"), (12_345_678, "12.3 M"), (None, "–")],
)
def test_count(value: int | None, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (math.nan, "–"),
        (None, "–"),
        (True, "true"),
        ((0.6, 0.3, 0.1), "0.6, 0.3, 0.1"),
        ({"strength": 1.0}, "strength = 1"),
        ("exact", "exact"),
        (list(range(20)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … (20 values)"),
    ],
)
def test_setting(value: object, text: str) -> None:
    assert setting(value) == text


def test_nested_settings_are_joined_and_empty_ones_left_out() -> None:
    given = {"game": "cyclic", "game_parameters": {"actions": 3}, "sweep": {}, "initial": None}
    assert flat_settings(given) == [("game", "cyclic"), ("game_parameters.actions", "3")]


def test_shortened_is_one_printable_line() -> None:
    assert shortened("a\n b\tc", 10) == "a b c"
    assert shortened("bell\x07", 10) == "bell\N{REPLACEMENT CHARACTER}"
    assert shortened("abcdefgh", 5) == "abcd…"


def test_listed() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c"], limit=2) == "a, b and 1 more"
    assert listed([]) == ""
