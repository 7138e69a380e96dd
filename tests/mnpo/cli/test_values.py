"""Values, axes and policies as people type them."""

import contextlib
import math

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mnpo.cli.values import load_yaml, read_assignments, read_axis, read_policy, read_value
from mnpo.errors import InvalidSetting


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e-3", 1e-3),
        ("1E3", 1000.0),
        ("-2.5e+2", -250.0),
        ("1/3", 1 / 3),
        ("-1/4", -0.25),
        ("1e-3/2", 5e-4),
        ("true", True),
        ("null", None),
        ("", None),
        ("half", "half"),
        ("bradley-terry", "bradley-terry"),
        ("battles/counts.csv", "battles/counts.csv"),
        ("1/0", "1/0"),
        ("abc,bca,cab", "abc,bca,cab"),
        ("4,2,0;0,4,2", "4,2,0;0,4,2"),
        ("0.5,0.3,0.2", [0.5, 0.3, 0.2]),
        ("[1, 2]", [1, 2]),
        ("[1e-3]", [1e-3]),
        ("{a: 1}", {"a": 1}),
    ],
)
def test_values(text: str, value: object) -> None:
    read = read_value(text, "here")
    assert read == value
    assert type(read) is type(value)


def test_infinities_and_nan_are_read_so_that_they_can_be_refused() -> None:
    assert read_value(".inf", "here") == math.inf
    assert math.isnan(read_value(".nan", "here"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_as_python_prints_it(number: float) -> None:
    assert read_value(repr(number), "here") == number
    assert load_yaml(repr(number)) == number
    assert load_yaml(yaml.safe_dump([number])) == [number]


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=12))
def test_no_text_is_a_crash(text: str) -> None:
    for read in (
        lambda: read_value(text, "here"),
        lambda: read_axis(text, "here"),
        lambda: read_policy(text, "here", ("uniform",)),
        lambda: read_assignments([text]),
    ):
        with contextlib.suppress(InvalidSetting):
            read()


def test_assignments() -> None:
    given = ["a=1", "b.c = x", "d=x=y", "e="]
    assert read_assignments(given) == {"a": 1, "b.c": "x", "d": "x=y", "e": None}


@pytest.mark.parametrize("items", [["a"], ["=1"], [" =1"], ["a=1", "a=2"], ["a=[1"], ["a={"]])
def test_assignments_that_make_no_sense(items: list[str]) -> None:
    with pytest.raises(InvalidSetting, match=r"^--set"):
        read_assignments(items)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1", (1,)),
        ("1,2,3", (1, 2, 3)),
        ("1/3,1e-3,0.5", (1 / 3, 1e-3, 0.5)),
        ("exact,sampled", ("exact", "sampled")),
        ("3:5", (3, 4, 5)),
        ("3:3", (3,)),
        ("0:1:lin:5", (0, 0.25, 0.5, 0.75, 1)),
        ("1:0:lin:3", (1, 0.5, 0)),
        ("5:5:log:1", (5,)),
        ("[[0.5, 0.5], [1, 0]]", ([0.5, 0.5], [1, 0])),
        ("", ()),
    ],
)
def test_axes(text: str, values: tuple[object, ...]) -> None:
    assert read_axis(text, "here") == values


def test_logarithmic_axes() -> None:
    axis = read_axis("0.01:1:log:20", "here")
    assert len(axis) == 20
    assert axis[0] == pytest.approx(0.01)
    assert axis[-1] == pytest.approx(1)
    np.testing.assert_allclose(np.diff(np.log(axis)), math.log(100) / 19)
    assert all(type(value) is float for value in axis)  # YAML has no name for numpy's


@pytest.mark.parametrize(
    "text",
    [
        *("a:b", "1:", ":1", "0.5:2", "2:1", "nan:1", "inf:1", "1:inf", "1:1000000"),
        *("1:2:log", "1:2:log:x", "1:2:log:0", "0:1:log:3", "-1:1:log:3", "1:0:log:2"),
        *("0:nan:lin:3", "1:inf:lin:2", "1:2:lin:-3", "1:2:lin:1e9", "1:2:lin:999999999"),
        *("1:2:exp:3", "1:2:int:2", "1:2:lin:3:4", "[1"),
    ],
)
def test_axes_that_make_no_sense(text: str) -> None:
    with pytest.raises(InvalidSetting, match=r"^--sweep x: ") as caught:
        read_axis(text, "--sweep x")
    assert text in str(caught.value)


def test_policies() -> None:
    names = ("auto", "uniform")
    assert read_policy(None, "--reference", names) is None
    assert read_policy("uniform", "--reference", names) == "uniform"
    assert read_policy("0.6,0.3,0.1", "--reference", names) == (0.6, 0.3, 0.1)
    assert read_policy("1/2,1/3,1/6", "--reference", names) == (1 / 2, 1 / 3, 1 / 6)
    for text in ("unifrom", "0.5,x", "0.5,,0.5", "0.5;0.5", ""):
        with pytest.raises(InvalidSetting, match="--reference: give auto, uniform, or one prob"):
            read_policy(text, "--reference", names)
