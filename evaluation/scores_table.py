"""Scores as a table for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evaluation.scores import ModelScore, Scores
from evaluation.statistics import Interval
from mnpo.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

#: A table of parts (score/turn-1) has a column for each model; with more of them it is left to
#: the files.
WIDEST = 5
#: Letters of a name that stand on one line where there is room for no more.
NAME = 24
_OFFICIAL = "official"


def scores_table(scores: Scores, width: int = 150) -> "Table":
    """Models down, best first; figures across, each with its interval.

    Args:
        scores: of one benchmark.
        width: columns of the terminal. Where it is narrow, secondary figures are left out, then
            the official ones, and the caption says which; names, headlines and counts stay.
    """
    from rich.cells import cell_len
    from rich.table import Table

    models = sorted(scores.models, key=lambda own: -own.score.value)
    columns = {name: [_cell(own, name) for own in models] for name in _columns(models)}
    counts = {"n": [str(own.n) for own in models], "missing": [str(own.missing) for own in models]}
    longest = max(cell_len(printable(own.model)) for own in models)
    name_width = max(min(longest, NAME), len("model"))
    always = [name for name in columns if any(name == own.headline for own in models)]
    shown_columns = dict(columns)
    for name in _least_first(columns, always):
        if _width(name_width, {**shown_columns, **counts}) > width:
            del shown_columns[name]
    # Without any room for names beside the figures, it is the figures that break.
    spare = width - _width(0, {**shown_columns, **counts})
    fits = spare >= len("model")
    title = scores.benchmark + (f", judge {scores.judge}" if scores.judge else "")
    table = Table(title=_text(title), title_justify="left", header_style="bold")
    table.add_column("model", overflow="fold", min_width=max(min(name_width, spare), len("model")))
    for name in shown_columns:
        table.add_column(_spoken(name), justify="right", no_wrap=fits, overflow="fold")
    for name, cells in counts.items():
        table.add_column(
            name, justify="right", no_wrap=True, min_width=max(map(len, [name, *cells]))
        )
    for i, own in enumerate(models):
        row = [cells[i] for cells in (*shown_columns.values(), *counts.values())]
        table.add_row(_text(own.model), *row)
    left_out = [_spoken(name) for name in columns if name not in shown_columns]
    if left_out:
        table.caption = f"not shown for want of room: {', '.join(left_out)}"
        table.caption_justify = "left"
    return table


def parts_table(scores: Scores) -> "Table | None":
    """Figures of parts, as score/turn-1 or win_rate/writing, down; models across.

    A part whose figures are those of the same part under another name, for every model, is left
    out: score/creative_writing is enough where win_rate/creative_writing is the same.

    Returns:
        None where there are no parts, or too many models for a terminal.
    """
    from rich.table import Table

    names = _parts(scores.models)
    if not names or len(scores.models) > WIDEST:
        return None
    table = Table(title="parts", title_justify="left", header_style="bold")
    table.add_column("", overflow="fold")
    for own in scores.models:
        table.add_column(_text(own.model), justify="right", overflow="fold")
    for name in names:
        cells = [shown(own.metrics[name]) if name in own.metrics else "" for own in scores.models]
        table.add_row(_text(_spoken(name)), *cells)
    return table


def shown(found: Interval) -> str:
    """A figure and its interval, e.g. ``23.34 [20.1, 26.7]``."""
    return _figure(found.value, found.low, found.high)


def _figure(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{value:.2f}"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _cell(own: ModelScore, name: str) -> str:
    if name != _OFFICIAL:
        return shown(own.metrics[name]) if name in own.metrics else ""
    found = own.official.get(own.headline)
    return "" if found is None else _figure(found.value, found.low, found.high)


def _columns(models: Sequence[ModelScore]) -> list[str]:
    """Headlines, other figures of the whole, and the official headline."""
    names: dict[str, None] = {}
    for own in models:
        names.setdefault(own.headline)
    for own in models:
        names.update(dict.fromkeys(name for name in own.metrics if "/" not in name))
    official = [_OFFICIAL] if any(own.headline in own.official for own in models) else []
    return [name for name in names if not _is_the_score(name, models)] + official


def _is_the_score(name: str, models: Sequence[ModelScore]) -> bool:
    """Whether a figure is the headline's under another name."""
    return all(name != own.headline and own.metrics.get(name) == own.score for own in models)


def _least_first(columns: Mapping[str, Sequence[str]], always: Sequence[str]) -> Iterator[str]:
    """What can be left out: secondary figures from the last on, then the official ones."""
    yield from (name for name in reversed(list(columns)) if name not in (*always, _OFFICIAL))
    if _OFFICIAL in columns:
        yield _OFFICIAL


def _width(name_width: int, columns: Mapping[str, Sequence[str]]) -> int:
    """Of a table of these columns beside the names, its lines included."""
    cells = [max(map(len, [_spoken(name), *own])) for name, own in columns.items()]
    return 1 + sum(width + 3 for width in (name_width, *cells))


def _parts(models: Sequence[ModelScore]) -> list[str]:
    found: dict[tuple[object, ...], str] = {}
    for name in dict.fromkeys(name for own in models for name in own.metrics if "/" in name):
        figures = [own.metrics.get(name) for own in models]
        found.setdefault((name.partition("/")[2], *figures), name)
    return list(found.values())


def _spoken(name: str) -> str:
    """``win_rate/against/NAME`` as ``win rate/against/NAME``."""
    metric, slash, part = name.partition("/")
    return metric.replace("_", " ") + slash + part


def _text(text: str) -> str:
    """Free of markup and of what would do something to the terminal."""
    from rich.markup import escape

    return escape(printable(text))
