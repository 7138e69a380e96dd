"""Text of files on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.printable import printable


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
