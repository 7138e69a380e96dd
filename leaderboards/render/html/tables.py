"""Plain tables: cost, papers beside us, claims."""

import re
from dataclasses import dataclass

from leaderboards.board import Cell, Table
from leaderboards.render.column_places import alone, of_table
from leaderboards.render.html.texts import number, order, typeset
from leaderboards.render.rounding import Places
from leaderboards.render.words import NOTHING, sources_text

#: Words of a verdict, and how they look.
_TONES = {"holds": "good", "holds when": "fair", "fails": "bad"}
SHORT, LONG = 24, 90
#: How tables begin that stand folded: of what a paper printed and nobody measured here.
FOLDED = "Not comparable"
_COMMAND = re.compile(r"(mnpo-bench|python) \S")


@dataclass(frozen=True)
class PlainCell:
    """What the template writes.

    Attributes:
        text: of the cell.
        order: that it sorts by; None sorts by the text.
        kind: "number", "text", "text short", "text long", "command", or "pill good" and the like
            for verdicts.
    """

    text: str
    order: str | None
    kind: str


@dataclass(frozen=True)
class PlainView:
    """A table.

    Attributes:
        key: unique on the page.
        title: above it.
        heads: title and kind of each column.
        rows: of cells.
        notes: one line each.
        sources: the files it was made of.
    """

    key: str
    title: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[PlainCell, ...], ...]
    notes: tuple[str, ...]
    sources: str

    @property
    def tall(self) -> bool:
        """Whether it scrolls within its own box."""
        return len(self.rows) > 24

    @property
    def folded(self) -> bool:
        """Whether it is shown on demand."""
        return self.title.startswith(FOLDED)


def table_view(table: Table, place: int) -> PlainView:
    """The view of a table; `place` counts the page's tables from 1."""
    kinds = [_column_kind(table, column) for column in range(len(table.header))]
    of_columns = of_table(table)
    return PlainView(
        f"table-{place}",
        table.title,
        tuple(zip(table.header, kinds, strict=True)),
        tuple(
            tuple(
                _cell(value, kind, heading, places)
                for value, kind, heading, places in zip(
                    row, kinds, table.header, of_columns, strict=True
                )
            )
            for row in table.rows
        ),
        table.notes,
        sources_text(table.sources),
    )


def _column_kind(table: Table, column: int) -> str:
    values = [row[column] for row in table.rows if row[column] is not None]
    if values and all(map(_is_number, values)):
        return "number"
    longest = max((len(str(x)) for x in values), default=0)
    return "text short" if longest <= SHORT else "text long" if longest > LONG else "text"


def _is_number(value: Cell) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Cell, kind: str, heading: str, places: Places) -> PlainCell:
    if value is None:
        return PlainCell(NOTHING, "", kind)
    if isinstance(value, bool):
        return PlainCell("yes" if value else "no", None, kind)
    if isinstance(value, float):
        return PlainCell(typeset(places.written(alone(value))[0]), order(value), kind)
    if isinstance(value, int):
        return PlainCell(number(value), order(value), kind)
    if heading.lower() == "verdict" and value in _TONES:
        return PlainCell(value, None, f"pill {_TONES[value]}")
    return PlainCell(value, None, "command" if _COMMAND.match(value) else kind)
