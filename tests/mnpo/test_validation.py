import re
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from mnpo.errors import InvalidSetting
from mnpo.validation import Settings, check


class Circle(Settings):
    kind: Literal["circle"] = "circle"
    radius: float = Field(default=1.0, gt=0)


class Square(Settings):
    kind: Literal["square"] = "square"
    width: float = Field(default=1.0, le=9)
    inner: "Square | None" = None


class Canvas(Settings):
    title: str
    shape: Annotated[Circle | Square, Field(discriminator="kind")] = Circle()
    shapes: tuple[Annotated[Circle | Square, Field(discriminator="kind")], ...] = ()
    frame: Square = Square()
    copies: int = Field(default=1, ge=1)
    bright: bool = False
    colours: dict[str, int] = Field(default_factory=dict)
    mode: Literal["ink", "oil"] = "ink"

    @model_validator(mode="after")
    def _fits(self) -> "Canvas":
        if self.copies > 99:
            raise ValueError("copies do not fit; take at most 99")
        return self


GOOD = {"title": "a"}


def refused(values, called="canvas.yaml: {}".format) -> str:
    with pytest.raises(InvalidSetting) as caught:
        check(Canvas, values, called)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("canvas.yaml: ")
    assert "Settings" not in message
    assert "pydantic" not in message
    return message.removeprefix("canvas.yaml: ")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "title is missing"),
        ({"title": 3}, "title must be a text, got 3"),
        (GOOD | {"modes": "ink"}, "unknown key 'modes'; did you mean 'mode'?"),
        (GOOD | {"frame": {"widht": 1}}, "unknown key 'frame.widht'; did you mean 'width'?"),
        (
            GOOD | {"frame": {"inner": {"zzz": 1}}},
            "unknown key 'frame.inner.zzz'; known: inner, kind, width",
        ),
        (GOOD | {"copies": "many"}, "copies must be a whole number, got 'many'"),
        (GOOD | {"copies": 2.5}, "copies must be a whole number, got 2.5"),
        (GOOD | {"copies": 0}, "copies must be at least 1, got 0"),
        (GOOD | {"copies": None}, "copies must be a whole number, got None"),
        (GOOD | {"copies": 100}, "copies do not fit; take at most 99"),
        (GOOD | {"frame": {"width": 10}}, "frame.width must be at most 9, got 10"),
        (GOOD | {"frame": 3}, "frame must be a mapping, got 3"),
        (GOOD | {"bright": "maybe"}, "bright must be true or false, got 'maybe'"),
        (GOOD | {"mode": "wax"}, "mode must be 'ink' or 'oil', got 'wax'"),
        (GOOD | {"shapes": "round"}, "shapes must be a list, got 'round'"),
        (GOOD | {"colours": [1]}, "colours must be a mapping, got [1]"),
        (GOOD | {"colours": {"red": "x"}}, "colours.red must be a whole number, got 'x'"),
        (
            GOOD | {"shape": {"kind": "circle", "radius": 0}},
            "shape.radius must be greater than 0, got 0",
        ),
        (GOOD | {"frame": {"width": float("nan")}}, "frame.width must be a finite number, got nan"),
        (
            GOOD | {"frame": {"width": -float("inf")}},
            "frame.width must be a finite number, got -inf",
        ),
        (GOOD | {5: 1}, "the key 5 must be a text"),
        (GOOD | {"frame": {5: 1}}, "frame: the key 5 must be a text"),
    ],
)
def test_one_line_says_which_key_and_why(values, message):
    assert refused(values) == message


def test_a_known_key_of_another_member_of_the_union_is_unknown():
    message = refused(GOOD | {"shape": {"kind": "circle", "width": 1}})
    assert message.startswith("unknown key 'shape.width'")


def test_a_long_value_is_cut():
    assert len(refused(GOOD | {"copies": ["x"] * 10_000})) < 200
    assert len(refused(GOOD | {"copies": "9" * 5000})) < 200


def test_good_values_become_an_immutable_model():
    canvas = check(Canvas, GOOD | {"frame": {"width": 2}, "shapes": [{"kind": "square"}]})
    assert canvas.frame.width == 2
    assert canvas.shapes == (Square(),)
    with pytest.raises(ValidationError, match="frozen"):
        canvas.copies = 3


def test_without_a_name_it_is_the_configuration():
    with pytest.raises(InvalidSetting, match=re.escape("the configuration: title is missing")):
        check(Canvas, {})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*Canvas.model_fields, *Square.model_fields, "kind"]) | st.integers(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Canvas.model_fields, "other"]) | st.integers(), VALUES))
def test_whatever_stands_there_the_answer_is_a_model_or_one_line(values):
    found, message = checked(values)
    if found is None:
        assert "\n" not in message
        assert len(message) < 400
    else:
        assert check(Canvas, found.model_dump()) == found


def checked(values):
    try:
        return check(Canvas, values), ""
    except InvalidSetting as error:
        return None, str(error)
