"""The table of results as a value: which columns there are and what their cells say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulators.report.best import best_settings, has_choice, judged_metric, spread
from simulators.report.columns import ALGORITHM, COSTS, METRICS, RUNS, VERDICT, Column
from simulators.report.content import ReportContent
from simulators.report.formats import (
    MISSING,
    SYMBOLS,
    count,
    mean_and_error,
    number,
    setting,
    shortened,
)
from simulators.report.groups import Group, group_rows, identity, varying
from simulators.report.verdicts import look, rank

MAX_ROWS = 200
MAX_BEST = 24


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what it says.
        order: what it sorts by.
        tone: of a verdict.
        short: what it says where there is little room.
        strong: whether the verdict is about this number.
    """

    text: str
    order: float | str
    tone: str = ""
    short: str = ""
    strong: bool = False


@dataclass(frozen=True, eq=False)
class Row:
    """One algorithm at one setting.

    Attributes:
        group: the runs behind it.
        cells: one a column.
    """

    group: Group
    cells: tuple[Cell, ...]


@dataclass(frozen=True, eq=False)
class ResultTable:
    """The results, one row per algorithm and setting.

    Attributes:
        columns: those that have something to say.
        best: the best setting of each algorithm on each game and temperature; empty where every
            algorithm has just one.
        rows: all settings, or of too many the best and others spread over the sweep.
        total: number of settings.
        seeds: the largest number of seeds behind a row.
        notes: what single rows need to be said about, one line each.
        common: (name, value) of what is the same in every row and therefore has no column.
    """

    columns: tuple[Column, ...]
    best: tuple[Row, ...]
    rows: tuple[Row, ...]
    total: int
    seeds: int
    notes: tuple[str, ...]
    common: tuple[tuple[str, str], ...]

    @property
    def others(self) -> tuple[Row, ...]:
        """The rows that are not among the best."""
        best = {id(row.group) for row in self.best}
        return tuple(row for row in self.rows if id(row.group) not in best)

    @property
    def selection(self) -> str:
        """Which of the settings the rows are, "" if they are all."""
        if self.total == len(self.rows):
            return ""
        return f"{len(self.rows)} of {self.total:,} rows, spread over the sweep"


#: Told once below the table where all rows agree.
_COMMON = ("step_size", "temperature", "iterations")


def result_table(content: ReportContent, limit: int = MAX_ROWS) -> ResultTable:
    """The table of a report.

    Columns that no row has a value for are left out, and so are costs that nobody spent.

    Args:
        content: of the report.
        limit: at most so many rows.
    """
    groups = group_rows(content.rows, content.swept)
    seeds = max((len(group.rows) for group in groups), default=0)  # equal settings: seeds differ
    common = _common(content)
    columns = [ALGORITHM, *_setting_columns(content, groups, common)]
    if seeds > 1:
        columns.append(RUNS)
    columns.append(VERDICT)
    columns += [c for c in METRICS if _present(content, c.key) and not _repeats(content, c.key)]
    columns += [c for c in COSTS if _present(content, c.key, spent=True) and c.key not in common]
    # What hardly anybody looks for comes last: a narrow page cuts the table there.
    columns.sort(key=lambda column: column.importance == 0)
    chosen = {id(group) for group in spread(groups, limit)}
    shown = [group for group in groups if id(group) in chosen]
    best = best_settings(groups, min(limit, MAX_BEST)) if has_choice(groups) else []
    notes = [f"{group.algorithm}: {note}" for group in shown for note in group.notes]
    return ResultTable(
        columns=tuple(columns),
        best=tuple(_row(group, columns) for group in best),
        rows=tuple(_row(group, columns) for group in shown),
        total=len(groups),
        seeds=seeds,
        notes=tuple(dict.fromkeys(notes)),
        common=tuple(common.items()),
    )


def _row(group: Group, columns: Sequence[Column]) -> Row:
    return Row(group, tuple(_cell(group, column) for column in columns))


def _common(content: ReportContent) -> dict[str, str]:
    """Settings with one value in all rows that read them."""
    common = {}
    for key in _COMMON:
        values = {identity(row.get(key)) for row in content.rows} - {None}
        if len(content.rows) > 1 and len(values) == 1 and key not in content.swept:
            common[key] = setting(values.pop())
    return common


def _setting_columns(
    content: ReportContent, groups: Sequence[Group], common: Mapping[str, str]
) -> list[Column]:
    """Those that tell rows apart first; the others only belong on the page."""
    told = varying(groups, ("game", "mode", *content.swept, "step_size", "temperature"))
    told = list(dict.fromkeys(told))
    rest = [key for key in ("step_size", "temperature") if key not in (*told, *common)]
    return [
        Column(key, key, SYMBOLS.get(key, key), "setting", "setting", importance)
        for keys, importance in ((told, 95), (rest, 0))
        for key in keys
        if _present(content, key, text=True)
    ]


def _repeats(content: ReportContent, key: str) -> bool:
    """Whether a column says nothing new: Eq. 9's gap of two players is half of Eq. 4's."""
    if key != "multiplayer_gap_last":
        return False

    def half(row: Mapping[str, Any], gap: str) -> bool:
        return math.isclose(2 * row[key], row.get(gap) or math.nan, rel_tol=1e-9)

    given = [row for row in content.rows if row.get(key) is not None and not math.isnan(row[key])]
    return all(half(row, "gap_last") or half(row, "regularized_gap_last") for row in given)


def _present(content: ReportContent, key: str, *, text: bool = False, spent: bool = False) -> bool:
    for row in content.rows:
        value = row.get(key)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            continue
        if isinstance(value, str) and not text:
            continue
        if not (spent and value == 0):
            return True
    return False


def _cell(group: Group, column: Column) -> Cell:
    if column.kind == "verdict":
        return _verdict_cell(group)
    if column.key == "runs":
        runs = count(len(group.rows))
        return Cell(runs, float(len(group.rows)), short=runs)
    if column.kind == "setting":
        value = group.setting.get(column.key)
        text = setting(value)
        numeric = isinstance(value, int | float) and text != MISSING
        short = f"{value:.4g}" if numeric else shortened(text, 24)
        return Cell(text, float(value) if numeric else text, short=short)  # type: ignore[arg-type]
    statistic = group.statistic(column.key)
    if column.kind == "cost":
        spent = count(statistic.mean)
        return Cell(spent, statistic.mean, short=spent)
    if statistic.n < len(group.rows) and statistic.n > 0:
        text = f"{mean_and_error(statistic.mean, statistic.error)} ({statistic.n})"
    else:
        text = mean_and_error(statistic.mean, statistic.error)
    strong = column.key == judged_metric(group)
    return Cell(text, statistic.mean, short=number(statistic.mean), strong=strong)


def _verdict_cell(group: Group) -> Cell:
    verdict, seeds = group.verdicts[0]
    shown = look(verdict)
    order = rank(verdict) + 1 - seeds / len(group.rows)
    if seeds == len(group.rows):
        return Cell(verdict, order, shown.tone, shown.short)
    parts = ", ".join(f"{name} {n}/{len(group.rows)}" for name, n in group.verdicts)
    return Cell(parts, order, shown.tone, f"{shown.short} {seeds}/{len(group.rows)}")
