"""Tables as wide as a terminal: nothing is lost unsaid, and no room is left unused."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from leaderboards.render.fitting import Figures, broken, fitted
from mnpo.printable import printable

LINE = st.text(st.sampled_from("ab (/)↑, 中"), max_size=30)


@given(LINE, st.integers(1, 20))
def test_a_heading_loses_no_word_and_breaks_where_it_must(line: str, width: int) -> None:
    lines = broken(line, width)
    assert "".join("".join(lines).split()) == "".join(printable(line).split())
    for own in lines:
        assert own
        assert cell_len(own) <= width or len(broken(own, 0)) == 1


@pytest.mark.parametrize(
    ("line", "width", "lines"),
    [
        ("win rate vs pool (%) ↑", 12, ["win rate vs", "pool (%) ↑"]),
        ("by mixture(brevity-6, brevity-4)", 14, ["by mixture(", "brevity-6,", "brevity-4)"]),
        ("exploitability ↓", 16, ["exploitability ↓"]),
        ("org/model-7b", 8, ["org/", "model-7b"]),
    ],
)
def test_where_headings_break(line: str, width: int, lines: list[str]) -> None:
    assert broken(line, width) == lines


SIZES = st.lists(st.tuples(st.integers(3, 9), st.integers(0, 20)), min_size=1, max_size=9)


@given(SIZES, st.integers(60, 160))
def test_as_much_as_fits_from_the_first_column_on(sizes: list[tuple[int, int]], width: int) -> None:
    columns = [
        Figures(f"T{i}", (f"T{i}",), ("L" * (short + more),), ("S" * short,))
        for i, (short, more) in enumerate(sizes)
    ]
    stream = io.StringIO()
    table = fitted("t", ["1"], ["name"], columns, width)
    Console(file=stream, width=width, highlight=False).print(table)
    text = stream.getvalue()
    assert max(map(cell_len, text.splitlines())) <= width
    row = next(line for line in text.splitlines() if line.startswith("│"))
    cells = [cell.strip() for cell in row.strip("│").split("│")][2:]
    assert len(row) <= width
    long = [cell.startswith("L") for cell in cells]
    missing = [own for own, (_, more) in zip(long, sizes, strict=False) if more and not own]
    room = width - len(row)
    if len(cells) < len(columns):
        assert f"T{len(cells)}" in text.partition("└")[2]
        assert room < max(sizes[len(cells)][0], 2) + 3
    if missing:
        first = next(i for i, own in enumerate(long) if not own and sizes[i][1])
        assert room < sizes[first][1]
        assert "intervals" in text.partition("└")[2]
    if not missing and len(cells) == len(columns):
        assert "no room" not in text
