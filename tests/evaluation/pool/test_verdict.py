import math

import pytest

from evaluation.pool.verdict import PreferenceVerdict
from mnpo.judging.calls import InvalidReply, Reply


def read(**fields):
    return PreferenceVerdict().read(Reply(**{"text": ""} | fields))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("B is wrong.\n<verdict>A</verdict>", 1.0),
        ("<verdict> b </verdict>", 0.0),
        ("<VERDICT>Tie</VERDICT>\nonce more: <verdict>tie</verdict>", 0.5),
    ],
)
def test_tags(text, value):
    assert read(text=text) == value


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "A is better"}, "no <verdict> tag"),
        ({"text": "<verdict>A</verdict> or <verdict>B</verdict>"}, "contradict"),
        ({"text": "<verdict>C</verdict>"}, "none of A, B, tie"),
        ({"preference": 1.2}, "no probability"),
        ({"preference": math.nan}, "no probability"),
        ({"choices": {"A": -1.0}}, "'B' was not scored"),
        ({"choices": {"A": math.nan, "B": 0.0}}, "no probability"),
    ],
)
def test_refusals(fields, message):
    with pytest.raises(InvalidReply, match=message):
        read(**fields)


def test_scores_and_preferences():
    assert read(choices={"A": math.log(0.6), "B": math.log(0.2)}) == pytest.approx(0.75)
    assert read(choices={"A": -math.inf, "B": -math.inf}) == 0.5
    assert read(choices={"A": -math.inf, "B": -1.0}) == 0
    assert read(choices={"A": -1.0, "B": -math.inf}) == 1
    assert read(choices={"A": -800.0, "B": 0.0}) == 0
    assert read(preference=0.3) == 0.3
