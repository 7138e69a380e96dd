"""Warnings of a table: alike ones are one."""

from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import Column, Entry, Figure, Section
from leaderboards.render.footnotes import Footnotes, footnotes

COLUMNS = (Column("a/m", "A", "a", "m"), Column("b/m", "B", "b", "m"))


def found(*rows: tuple[str, ...]) -> Footnotes:
    """Of policies p0, p1, ... with these warnings, in both columns."""
    figure = Interval(0.5, None, None, 9, 9)
    entries = tuple(
        Entry(f"p{i}", "x", "X", figures={c.key: Figure(figure, flags=flags) for c in COLUMNS})
        for i, flags in enumerate(rows)
    )
    return footnotes(Section("s", "models", COLUMNS, entries, "a/m"), COLUMNS)


def test_warnings_that_differ_in_numbers_and_brackets_are_one() -> None:
    own = found(
        ("one seed only",),
        ("5 of 40 answers are the same (a-1, b-2, ...): beware", "one seed only"),
        ("11 of 40 answers are the same (c-1): beware",),
        ("9 of 40 answers are the same (c-1): beware",),
    )
    assert [(note.number, note.text, note.policies) for note in own.notes] == [
        (1, "5 to 11 of 40 answers are the same: beware (3 policies)", 3),
        (2, "one seed only (2 policies)", 2),
    ]
    assert own.notes[0].each[1] == ("p2", "11 of 40 answers are the same (c-1): beware")
    assert own.notes[1].each == ()  # one line says it all
    assert own.marks(("one seed only", "9 of 40 answers are the same (c-1): beware")) == " (1) (2)"
    assert own.summary == "4 warnings of 2 kinds"


def test_numbers_within_names_tell_warnings_apart() -> None:
    own = found(("judge brevity-4 was silent",), ("judge brevity-6 was silent",))
    assert [note.text for note in own.notes] == [
        "judge brevity-4 was silent",
        "judge brevity-6 was silent",
    ]


def test_a_single_warning_is_itself() -> None:
    own = found(("3 of 9 (x)",), ())
    assert [(note.text, note.each) for note in own.notes] == [("3 of 9 (x)", ())]
    assert own.summary == "1 warning"
    assert found((), ()).notes == ()


def test_a_number_is_no_bracket() -> None:
    own = found(("1", "[]"), ("2",), ("#",))
    assert [note.text for note in own.notes] == ["1 to 2 (2 policies)", "[]", "#"]


FLAG = st.text(st.sampled_from("ab 12.([)]-#"), max_size=12)


@given(st.lists(st.lists(FLAG, max_size=3, unique=True).map(tuple), max_size=5))
def test_every_warning_has_a_footnote_and_none_is_lost(rows: list[tuple[str, ...]]) -> None:
    own = found(*rows)
    pairs = {(f"p{i}", flag) for i, flags in enumerate(rows) for flag in flags}
    assert set(own.numbers) == {flag for _, flag in pairs}
    numbers = [note.number for note in own.notes]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {number for _, flag in pairs for number in own.of((flag,))} == set(numbers)
    for note in own.notes:
        mine = {(name, flag) for name, flag in pairs if own.numbers[flag] == note.number}
        assert note.policies == len({name for name, _ in mine})
        if note.each:
            assert set(note.each) == mine
        else:
            ((flag),) = {flag for _, flag in mine}
            assert note.text.startswith(flag)
