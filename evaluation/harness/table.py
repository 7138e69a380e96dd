"""The suite's figures for a terminal: tasks down, models across."""

from typing import TYPE_CHECKING, Any

from evaluation.scores import Scores
from evaluation.scores_table import shown
from mnpo.printable import printable

if TYPE_CHECKING:
    from rich.table import Table


def suite_table(scores: Scores) -> "Table":
    """Every task's quoted figure with its interval, what was asked of it, and the mean."""
    from rich.markup import escape
    from rich.table import Table

    tasks: dict[str, Any] = dict(scores.settings["tasks"])
    table = Table(
        title=escape(printable(scores.benchmark)), title_justify="left", header_style="bold"
    )
    for name in ("task", "documents", "shots", "metric"):
        table.add_column(name, justify="right" if name in ("documents", "shots") else "left")
    for own in scores.models:
        table.add_column(escape(printable(own.model)), justify="right")
    for name, task in tasks.items():
        cells = [
            escape(printable(name)),
            _documents(task),
            _shots(task),
            task["metric"].partition(",")[0],
        ]
        for own in scores.models:
            found = own.metrics.get(f"accuracy/{name}")
            cells.append("not run" if found is None else shown(found))
        table.add_row(*cells)
    table.add_section()
    table.add_row("mean of the tasks run", "", "", "", *(shown(own.score) for own in scores.models))
    return table


def _documents(task: dict[str, Any]) -> str:
    if task["status"] != "run":
        return f"0 of {task['of']}"
    count = task["documents"]
    return f"{'?' if count is None else count} of {task['of']}"


def _shots(task: dict[str, Any]) -> str:
    return ", ".join(str(shots) for shots in task["shots"] or ())
