"""Text of files on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.printable import cut, printable, shown, storable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, na\u00efve \u6a21\u578b [red] \U0001f600", None),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b2J", "\\x9b2J"),
        ("two\nlines\r\tand", "two\\nlines\\r\\tand"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u2028", "\\u2028"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_moves_the_cursor_or_turns_text_round_is_spelled_out(text, shown) -> None:
    assert printable(text) == (text if shown is None else shown)


@given(st.text())
def test_every_text_is_one_printable_line(text) -> None:
    shown = printable(text)
    assert shown.isprintable()
    shown.encode()
    assert printable(shown) == shown


def test_values_and_lines_in_messages_have_an_end() -> None:
    deep: list[object] = []
    for _ in range(200_000):
        deep = [deep]
    assert shown("a") == "'a'"
    for value in ("x" * 5000, 10**10_000, deep, {"a": ["b" * 500]}):
        assert len(shown(value)) <= 120
    assert len(shown("x" * 500, 40)) == 40
    assert cut("short") == "short"
    line = "where: what " + "x" * 5000 + "; do this"
    assert len(cut(line)) == 2000
    assert cut(line).startswith("where: what xx")
    assert cut(line).endswith("xx; do this")


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_storable_keeps_its_length_where_no_pair_is(text) -> None:
    storable(text).encode()
    assert storable(storable(text)) == storable(text)
    assert len(storable(text)) <= len(text)
