"""Plain tables as TeX: cost, papers beside us, claims."""

from collections.abc import Iterator, Sequence

from leaderboards.board import Cell, Table
from leaderboards.render.column_places import alone, of_table
from leaderboards.render.rounding import Places
from leaderboards.render.tex_cells import figure_tex
from leaderboards.render.tex_table import TexTable, parts, row_line, stacked
from leaderboards.render.tex_text import tex
from leaderboards.render.words import NOTHING

#: Columns beside those that every part repeats; texts longer than that are paragraphs.
MOST_COLUMNS, LONG = 7, 36
#: Of the text's width: what paragraphs share, what each other column takes of it.
_WIDTH, _NARROW, _LEAST = 0.96, 0.09, 0.12


def plain_tables(table: Table, label: str) -> Iterator[TexTable]:
    """The table, or parts of a wide one: all begin with the texts that its rows begin with."""
    count = len(table.header)
    longest = [max((len(_text(row[c])) for row in table.rows), default=0) for c in range(count)]
    kept = min(next((c for c in range(count) if _is_numeric(table, c)), 1), 2, max(count - 1, 0))
    wide = count > MOST_COLUMNS
    sizes = parts([1] * (count - kept), MOST_COLUMNS - kept) if wide else [count - kept]
    places = of_table(table)
    start = kept
    for number, size in enumerate(sizes, 1):
        chosen = [*range(kept), *range(start, start + size)]
        start += size
        caption = tex(table.title) + (f". Part {number} of {len(sizes)}." if wide else "")
        yield TexTable(
            _spec(table, chosen, longest),
            (row_line([stacked(table.header[c]) for c in chosen]),),
            tuple(tuple(_cell(row[c], places[c]) for c in chosen) for row in table.rows),
            caption,
            f"{label}-{number}" if number > 1 else label,
            (tex(" ".join(map(_sentence, table.notes))),)
            if table.notes and number == len(sizes)
            else (),
        )


def _is_numeric(table: Table, column: int) -> bool:
    return bool(table.rows) and all(not isinstance(row[column], str) for row in table.rows)


def _spec(table: Table, chosen: Sequence[int], longest: Sequence[int]) -> str:
    paragraphs = [c for c in chosen if longest[c] > LONG]
    room = _WIDTH - _NARROW * (len(chosen) - len(paragraphs))
    total = sum(longest[c] ** 0.5 for c in paragraphs)
    return "".join(
        f"p{{{max(room * longest[c] ** 0.5 / total, _LEAST):.2f}\\linewidth}}"
        if c in paragraphs
        else "r"
        if _is_numeric(table, c)
        else "l"
        for c in chosen
    )


def _sentence(note: str) -> str:
    return note if note.endswith((".", "!", "?")) else f"{note}."


def _text(cell: Cell) -> str:
    return NOTHING if cell is None or isinstance(cell, float) else str(cell)


def _cell(cell: Cell, places: Places) -> str:
    return figure_tex(alone(cell), places) if isinstance(cell, float) else tex(_text(cell))
