import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.mt_bench.contracts import RatingContract, VerdictContract
from evaluation.mt_bench.rating import rating_in, ratings_in, verdict_in, verdicts_in
from evaluation.rows import read_rows
from mnpo.judging.calls import InvalidReply, Reply


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Rating: [[8]]", 8),
        ("[[7.5]] and then [[3]]", 7.5),
        ("element [3] is wrong. Rating: [[6]]", 6),  # double brackets go first
        ("element [3] and [4]", 3),
        ("Rating: [5]", 5),
        ("[[rating]]", None),
        ("Rating: 8", None),
        ("[[8/10]]", None),
        ("[[ 8 ]]", None),
        ("[[-1]]", None),
        ("[[10.]]", 10.0),
        ("[[05]]", 5),
        ("[[99]]", 99),
        ("", None),
        ("[[٥]]", None),
        ("[[" + "9" * 5000 + "]]", None),
    ],
)
def test_the_official_reading(text, wanted):
    assert rating_in(text) == wanted


@given(st.text(alphabet="[]0123456789. ax\n", max_size=40))
def test_against_a_reading_by_hand(text):
    """A scan without regular expressions: the first bracketed number, double ones preferred."""

    def scan(opening, closing):
        for start in range(len(text)):
            if not text.startswith(opening, start):
                continue
            end = start + len(opening)
            number = ""
            while end < len(text) and (text[end].isdigit() or text[end] == "."):
                number += text[end]
                end += 1
            whole, _, rest = number.partition(".")
            if whole and "." not in rest and text.startswith(closing, end):
                return float(number)
        return None

    double = scan("[[", "]]")
    assert rating_in(text) == (scan("[", "]") if double is None else double)


def test_several_ratings_and_verdicts_in_order():
    assert ratings_in("[[3]] or [[7.5]] or [[3]]") == (3, 7.5)
    assert verdicts_in("[[C]], no [[A]], no [[C]]") == ("C", "A")
    assert verdict_in("[[C]], no [[A]]") == "A"  # the official order, not the text's
    assert verdict_in("[[D]]") is None


@pytest.mark.parametrize("text", ["[[0]]", "[[11]]", "no rating", "[[10.5]]"])
def test_ratings_that_break_the_contract(text):
    with pytest.raises(InvalidReply):
        RatingContract().read(Reply(text))


def test_ratings_of_judges_that_score():
    contract = RatingContract()
    scored = {choice: -abs(n - 6) for n, choice in enumerate(contract.choices, 1)}
    assert contract.choices == tuple(f"[[{n}]]" for n in range(1, 11))
    assert contract.read(Reply("", choices=scored)) == 6
    with pytest.raises(InvalidReply, match="no log-probability"):
        contract.read(Reply("", choices={"[[1]]": 0.0}))
    with pytest.raises(InvalidReply, match="preference"):
        contract.read(Reply("[[5]]", preference=0.7))
    assert all(rating_in(contract.lead + c) == n for n, c in enumerate(contract.choices, 1))


def test_verdicts():
    contract = VerdictContract()
    assert contract.read(Reply("I think [[B]]. Yes, [[B]].")) == "B"
    assert contract.read(Reply("", choices={"[[A]]": -3, "[[B]]": -2, "[[C]]": -1})) == "C"
    assert [contract.read(Reply("", preference=p)) for p in (0.9, 0.5, 0.1)] == ["A", "C", "B"]
    for text in ("[[A]] or [[B]]", "A", ""):
        with pytest.raises(InvalidReply):
            contract.read(Reply(text))


@pytest.mark.shared_data
def test_all_stored_ratings_are_read_from_the_text(shared_data):
    """Also against the official pattern as its text has it."""
    rows = 0
    for path in sorted((shared_data / "data" / "mt_bench" / "judgments").iterdir()):
        for row in read_rows(path):
            text = row.values["judgment"]
            found = re.search(r"\[\[(\d+\.?\d*)\]\]", text) or re.search(r"\[(\d+\.?\d*)\]", text)
            official = ast.literal_eval(found[1]) if found else -1
            own = rating_in(text)
            assert (-1 if own is None else own) == official == row.values["score"]
            rows += 1
    assert rows == 1760
