"""The results as a table on the terminal."""

from typing import TYPE_CHECKING

from simulators.report.content import ReportContent
from simulators.report.table import Column, ResultTable, result_table
from simulators.report.verdicts import look

if TYPE_CHECKING:
    from rich.table import Table

MAX_ROWS = 40
_MAIN, _INDISPENSABLE = 80, 90  # importance of columns


def terminal_table(
    content: ReportContent, width: int | None = None, limit: int = MAX_ROWS
) -> "Table":
    """The results at a glance, one row per algorithm and setting, mean ± s.e. over seeds.

    When the columns do not fit, the least important go, then standard errors, then more columns.

    Args:
        content: of the report.
        width: columns to fit into; None is the terminal's.
        limit: at most so many rows; the caption says how many there are.
    """
    if width is None:
        from rich.console import Console

        width = Console().width
    results = result_table(content, limit)
    columns = [column for column in results.columns if column.importance]
    errors = results.seeds > 1
    while _width(table := _draw(results, columns, errors)) > width:
        spare = min(columns, key=lambda column: column.importance)
        if spare.importance < _MAIN or not errors:
            if spare.importance >= _INDISPENSABLE:
                break
            columns.remove(spare)
        else:
            errors = False
    table.caption = _caption(results, columns, errors)
    return table


def _draw(results: ResultTable, columns: list[Column], errors: bool) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption_justify="left")
    for column in columns:
        left = column.kind == "verdict" or column.key in ("algorithm", "game", "mode")
        table.add_column(Text(column.short), justify="left" if left else "right", no_wrap=True)
    places = [results.columns.index(column) for column in columns]
    for group, row in zip(results.groups, results.cells, strict=False):
        cells = []
        for column, place in zip(columns, places, strict=True):
            cell = row[place]
            if column.kind == "verdict":
                cells.append(Text(cell.short, style=look(group.verdict).terminal))
            else:
                text = cell.text if errors and column.kind == "metric" else cell.short
                cells.append(Text(text, style="bold" if cell.strong else ""))
        table.add_row(*cells)
    return table


def _width(table: "Table") -> int:
    from rich.console import Console

    console = Console(width=10_000)
    return console.measure(table).maximum


def _caption(results: ResultTable, columns: list[Column], errors: bool) -> str | None:
    from rich.markup import escape

    lines = [escape(note) for note in results.notes[:5]]
    if any(cell.strong for row in results.cells for cell in row):
        lines.append("[bold]bold[/bold]: the gap of the game the method plays, which is judged")
    if results.seeds > 1:
        what = "mean ± standard error" if errors else "mean"
        lines.append(f"{what} over the seeds")
    if results.total > len(results.cells):
        lines.append(f"{len(results.cells)} of {results.total:,} rows; all are in summary.csv")
    return "\n".join(lines) or None
