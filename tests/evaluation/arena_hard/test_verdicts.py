import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.arena_hard.verdicts import LABELS, find_label, grade, looks_like_label, normalised

TWO = ("\\[\\[([AB<>=]+)\\]\\]", "\\[([AB<>=]+)\\]")


@pytest.mark.parametrize(
    ("label", "game", "points", "weight"),
    [
        ("A>>B", 0, 0.0, 3),  # the baseline is A in the first game
        ("A>B", 0, 0.0, 1),
        ("A=B", 0, 0.5, 1),
        ("B>A", 0, 1.0, 1),
        ("B>>A", 0, 1.0, 3),
        ("A>>B", 1, 1.0, 3),
        ("B>A", 1, 0.0, 1),
    ],
)
def test_what_a_label_says_of_the_model(label, game, points, weight) -> None:
    found = grade(label, game)
    assert (found.points, found.weight) == (points, weight)


@pytest.mark.parametrize(
    ("label", "same"),
    [("B<<A", "A>>B"), ("B<A", "A>B"), ("B=A", "A=B"), ("A<B", "B>A"), ("A<<B", "B>>A")],
)
def test_labels_the_other_way_round(label, same) -> None:
    assert normalised(label) == same
    assert normalised(f" {same}\n") == same


@pytest.mark.parametrize("label", ["A>>>B", "A>A", "", "a>b", "tie", "A"])
def test_other_labels_are_none(label) -> None:
    assert normalised(label) is None


def test_what_a_pattern_may_find_is_told_from_rubbish() -> None:
    assert looks_like_label("A>>>B")
    assert not looks_like_label("7")


@pytest.mark.parametrize(
    ("text", "unique", "last"),
    [
        ("so [[A>B]]", "A>B", "A>B"),
        ("[[A>B]] and again [[A>B]]", "A>B", "A>B"),
        ("[[A>B]] no, [[B>A]]", None, "B>A"),
        ("[A=B]", "A=B", "A=B"),
        ("[A<B] or rather [[B>A]]", "B>A", "B>A"),
        ("[[a>b]]", None, "A>B"),
        ("nothing", None, None),
        ("[[]] []", None, None),
    ],
)
def test_reading_as_either_generation_of_the_code_does(text, unique, last) -> None:
    assert find_label(text, TWO, "unique") == unique
    assert find_label(text, TWO, "last") == last


@given(st.text(alphabet="AB<>=[] \n", max_size=40))
def test_what_is_found_is_in_the_text(text) -> None:
    for rule in ("unique", "last"):
        found = find_label(text, TWO, rule)
        assert found is None or f"[{found}]" in text
        assert found is None or normalised(found) in (None, *LABELS)
