"""Scores as a table for a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.scores import ModelScore, Scores
from evaluation.statistics import Interval

if TYPE_CHECKING:
    from rich.table import Table

#: A table of parts (score/turn-1) has a column for each model; with more of them it is left to
#: the files.
WIDEST = 5


def scores_table(scores: Scores) -> "Table":
    """Models down, best first; figures across, each with its interval."""
    from rich.markup import escape
    from rich.table import Table

    names = _columns(scores.models)
    title = scores.benchmark + (f", judge {scores.judge}" if scores.judge else "")
    table = Table(title=escape(title), title_justify="left", header_style="bold")
    table.add_column("model", overflow="fold")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    official = any(own.headline in own.official for own in scores.models)
    if official:
        table.add_column("official", justify="right", no_wrap=True)
    table.add_column("n", justify="right")
    table.add_column("missing", justify="right")
    for own in sorted(scores.models, key=lambda own: -own.score.value):
        cells = [shown(own.metrics[name]) if name in own.metrics else "" for name in names]
        if official:
            cells.append(_official(own))
        table.add_row(_printable(escape(own.model)), *cells, str(own.n), str(own.missing))
    return table


def parts_table(scores: Scores) -> "Table | None":
    """Figures of parts, as score/turn-1 or win_rate/writing, down; models across.

    Returns:
        None where there are no parts, or too many models for a terminal.
    """
    from rich.markup import escape
    from rich.table import Table

    names = list(dict.fromkeys(n for own in scores.models for n in own.metrics if "/" in n))
    if not names or len(scores.models) > WIDEST:
        return None
    table = Table(title="parts", title_justify="left", header_style="bold")
    table.add_column("")
    for own in scores.models:
        table.add_column(_printable(escape(own.model)), justify="right", overflow="fold")
    for name in names:
        cells = [shown(own.metrics[name]) if name in own.metrics else "" for own in scores.models]
        table.add_row(_printable(escape(name.replace("_", " "))), *cells)
    return table


def shown(found: Interval) -> str:
    """A figure and its interval, e.g. ``23.34 [20.1, 26.7]``."""
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _official(own: ModelScore) -> str:
    found = own.official.get(own.headline)
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _columns(models: Sequence[ModelScore]) -> list[str]:
    names: dict[str, None] = {}
    for own in models:
        names.setdefault(own.headline)
    for own in models:
        names.update(dict.fromkeys(name for name in own.metrics if "/" not in name))
    return [name for name in names if not _is_the_score(name, models)]


def _is_the_score(name: str, models: Sequence[ModelScore]) -> bool:
    """Whether a figure is the headline's under another name."""
    return all(name != own.headline and own.metrics.get(name) == own.score for own in models)


def _printable(text: str) -> str:
    """Control characters of a model's name would otherwise reach the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
