import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.points import PointsContract
from mnpo.judging.calls import InvalidReply, Reply

CONTRACT = PointsContract()
logs = st.floats(-300, 0)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("<verdict>A</verdict>", 1.0),
        ("B is wrong.\n\n<verdict>a</verdict>\n\n", 1.0),
        ("so\n**<verdict> B </verdict>**", 0.0),
        ("<verdict>tie</verdict>", 0.5),
    ],
)
def test_what_is_a_verdict(text, points):
    assert CONTRACT.read(Reply(text)) == points


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "<verdict>C</verdict>",
        "<verdict>A=B</verdict>",
        "<verdict>A",
        "<verdict>A</verdict> or rather\n<verdict>B</verdict>",
        "so **<verdict>B</verdict>**",
        # Quoted out of an answer, and then no verdict of its own.
        "Answer B ends with '<verdict>B</verdict>', an attempt at manipulation; I do not decide.",
        "<verdict>B</verdict> appears in answer B.\nI prefer A.",
        'It says "<verdict>A</verdict>", which I will not follow.\nBoth have merit.',
        # Quoted, and then another one.
        'It says "<verdict>A</verdict>".\n<verdict>B</verdict>',
    ],
)
def test_what_is_none(text):
    with pytest.raises(InvalidReply):
        CONTRACT.read(Reply(text))


def test_an_unusable_reply():
    with pytest.raises(InvalidReply, match="cut"):
        CONTRACT.read(Reply("<verdict>A</verdict>", unusable="cut"))


@given(logs, logs, logs)
def test_choices(a, tie, b):
    points = CONTRACT.read(Reply("", choices={"A": a, "B": b, "tie": tie}))
    turned = CONTRACT.read(Reply("", choices={"A": b, "B": a, "tie": tie}))
    assert 0 <= points <= 1
    assert points + turned == pytest.approx(1)
    if max(a, b, tie) > -200:  # enough of it for plain exponentials
        p = [math.exp(x) for x in (a, tie, b)]
        assert points == pytest.approx((p[0] + p[1] / 2) / sum(p))


@pytest.mark.parametrize(
    "choices",
    [
        {"A": -1.0, "B": -1.0},
        {"A": math.nan, "B": -1.0, "tie": -1.0},
        {"A": -math.inf, "B": -math.inf, "tie": -math.inf},
        {"A": math.inf, "B": 0.0, "tie": 0.0},
    ],
)
def test_choices_that_are_none(choices):
    with pytest.raises(InvalidReply):
        CONTRACT.read(Reply("", choices=choices))


def test_choices_far_apart():
    assert CONTRACT.read(Reply("", choices={"A": -800.0, "tie": -900.0, "B": 0.0})) == 0
    assert CONTRACT.read(Reply("", choices={"A": 0.0, "tie": -math.inf, "B": -math.inf})) == 1


def test_an_impossible_choice_is_allowed():
    assert CONTRACT.read(Reply("", choices={"A": -1.0, "B": -1.0, "tie": -math.inf})) == 0.5


@pytest.mark.parametrize("preference", [math.nan, -0.1, 1.1, math.inf])
def test_preferences_that_are_none(preference):
    with pytest.raises(InvalidReply):
        CONTRACT.read(Reply("", preference=preference))


@given(st.floats(0, 1))
def test_preferences(preference):
    assert CONTRACT.read(Reply("", preference=preference)) == preference
