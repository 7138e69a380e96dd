"""The results as a table on the terminal."""

from typing import TYPE_CHECKING

from simulators.report.columns import Column
from simulators.report.content import ReportContent
from simulators.report.formats import shortened
from simulators.report.groups import problem
from simulators.report.table import ResultTable, result_table
from simulators.report.verdicts import look

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

MAX_ROWS = 40
_MAIN, _INDISPENSABLE = 80, 90  # importance of columns


def terminal_table(
    content: ReportContent, width: int | None = None, limit: int = MAX_ROWS
) -> "Table":
    """The results at a glance, one row per algorithm and setting, mean ± s.e. over seeds.

    Of a sweep the best setting of each algorithm comes first, above a line. When the columns do
    not fit, the least important go, then standard errors, then more columns.

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
    for number, row in enumerate((*results.best, *results.others), start=1):
        cells = []
        for column, place in zip(columns, places, strict=True):
            cell = row.cells[place]
            if column.kind == "verdict":
                cells.append(Text(cell.short, style=look(row.group.verdict).terminal))
            else:
                text = cell.text if errors and column.kind == "metric" else cell.short
                cells.append(Text(text, style="bold" if cell.strong else ""))
        table.add_row(*cells, end_section=number == len(results.best))
    return table


def _width(table: "Table") -> int:
    from rich.console import Console

    console = Console(width=10_000)
    return console.measure(table).maximum


def _caption(results: ResultTable, columns: list[Column], errors: bool) -> "Text | None":
    """Text, never markup: notes hold what users named their games and labels."""
    from rich.text import Text

    lines = [Text(shortened(note, 300)) for note in results.notes[:5]]
    if results.best:
        lines.append(Text("above the line: each algorithm's best setting, by the bold gap"))
        if len({problem(row.group) for row in results.best}) > 1:
            lines[-1].append(", on each game at each τ")
    if any(cell.strong for row in results.rows for cell in row.cells):
        about = Text("bold", style="bold")
        lines.append(about + ": the gap of the game the method plays, which is judged")
    if results.seeds > 1:
        what = "mean ± standard error" if errors else "mean"
        lines.append(Text(f"{what} over the seeds"))
    if results.selection:
        lines.append(Text(f"{results.selection}; all are in summary.csv"))
    if not lines:
        return None
    caption = Text("\n").join(lines)
    caption.style = "table.caption"
    return caption
