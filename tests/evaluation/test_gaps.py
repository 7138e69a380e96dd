import pytest

from evaluation.gaps import Gap, by_reason, complaint, reason_notes, require_whole
from mnpo.errors import UserError


def gap(whose="m", missing=None, of=805):
    missing = {"no row": ["instruction 17"]} if missing is None else missing
    return Gap(whose, "annotations", missing, of)


def test_one_line():
    with pytest.raises(UserError) as caught:
        require_whole([gap("fine", {"no row": [], "null": 0}), gap()], allow_missing=False)
    assert str(caught.value) == (
        "m: 1 of 805 annotations are missing: instruction 17 (no row); "
        "--allow-missing scores without them"
    )


def test_nothing_is_refused_where_nothing_is_missing_or_all_is_allowed():
    require_whole([], allow_missing=False)
    require_whole([gap(missing={}), gap(missing={"no row": []})], allow_missing=False)
    require_whole([gap()], allow_missing=True)


@pytest.mark.parametrize(
    ("missing", "of", "text"),
    [
        ({"": ["a", "b"]}, 4, "m: 2 of 4 annotations are missing: a, b"),
        ({"null": 7, "no row": 0}, None, "m: 7 annotations are missing: 7 (null)"),
        (
            {"no row": list("abcde"), "null": ["x"]},
            9,
            "m: 6 of 9 annotations are missing: a, b, c and 2 more (no row), x (null)",
        ),
        (
            {"1": ["a"], "2": ["b"], "3": ["c"], "4": ["d", "e"], "5": 2},
            None,
            "m: 7 annotations are missing: a (1), b (2), c (3), 4 for other reasons",
        ),
    ],
)
def test_which_and_why(missing, of, text):
    assert str(gap(missing=missing, of=of)) == text


def test_several_models_and_other_advice():
    line = complaint([gap(str(i)) for i in range(5)], "ask again", advice="")
    assert line.startswith("0: 1 of 805 annotations are missing: instruction 17 (no row); 1: 1 of")
    assert line.endswith("; others that lack some: 2; ask again")


def test_by_reason():
    assert by_reason([("a", "x"), ("b", "y"), ("c", "x")]) == {"x": ["a", "c"], "y": ["b"]}


def test_many_reasons_make_few_notes() -> None:
    notes = reason_notes({f"reason {i}": 1 for i in range(9)} | {"common": 5}, "verdicts")
    assert notes[0] == "verdicts missing: 5 (common)"
    assert notes[-1] == "verdicts missing: 7 for 7 other reasons"
    assert len(notes) == 4
    assert reason_notes({}, "verdicts") == ()
