"""Scores with bootstrap draws, one model a line, as Arena-Hard's authors keep other benchmarks'."""

import json
import math
from pathlib import Path
from typing import Any

from evaluation.statistics import Interval
from leaderboards.board import Column
from leaderboards.collect.official.parts import Z95, Cell, Official, OfficialColumn, outside
from leaderboards.collect.official.table import read_text
from mnpo.errors import UserError
from mnpo.printable import shown

_KEYS = ("model", "score", "lower", "upper")
#: By what the file is called: benchmark, metric, unit. The longest that fits counts.
_NAMES = {
    "mt_bench": ("mt-bench", "score", "points"),
    "arena_hard": ("arena-hard-v0.1", "score", "%"),
    "alpaca_lc": ("alpaca-eval-2", "length_controlled_win_rate", "%"),
    "alpaca": ("alpaca-eval-2", "win_rate", "%"),
    "votes": ("chatbot-arena", "rating", "Elo points"),
}


def is_bootstrap(line: str) -> bool:
    """Whether a file that begins with this line is of this kind."""
    if not line.startswith("{"):
        return False
    # A line of ten thousand draws is longer than what is looked at of it.
    return all(f'"{key}"' in line[:2000] for key in _KEYS)


def read_bootstraps(path: Path) -> Official:
    """Read JSON lines with ``model``, ``score``, ``lower``, ``upper`` and perhaps ``results``.

    Which benchmark it is only the file's name says.

    Raises:
        UserError: a line is no such object, a figure is no number, a model is there twice.
    """
    cells: dict[str, Cell] = {}
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        where = f"{path.name}, row {number}"
        row = _object(line, where)
        name = row["model"]
        if not isinstance(name, str) or not name.strip():
            raise UserError(f"{where}: 'model' is {shown(name)}, no name")
        if name in cells:
            raise UserError(f"{where}: '{name}' is there twice")
        score, low, high = (_number(row[key], key, where) for key in _KEYS[1:])
        cells[name] = Cell(
            Interval(score, low, high, 0, 0),
            number,
            error=max(0.0, high - low) / (2 * Z95),
            flags=outside(score, low, high),
        )
    stem = path.name.lower().removesuffix(".gz").rpartition(".")[0]
    fits = [name for name in _NAMES if name in stem]
    benchmark, metric, unit = _NAMES[max(fits, key=len)] if fits else (stem, "score", "")
    column = Column(
        key=f"{benchmark}/{metric}",
        title=metric.replace("_", " "),
        benchmark=benchmark,
        metric=metric,
        judge="not stated in the file",
        unit=unit,
        explanation="published score; interval: 2.5 and 97.5 percentiles of its bootstrap",
    )
    return Official(
        title=f"{benchmark}, as published with bootstrap draws",
        benchmark=benchmark,
        judge=column.judge,
        columns=(OfficialColumn(column, cells),),
        rows=len(lines),
        notes=(
            "Intervals: 2.5 and 97.5 percentiles of the official bootstrap, as published.",
            "That it is this benchmark is told by the file's name alone.",
        ),
    )


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise UserError(f"{where}: not JSON") from None
    if not isinstance(row, dict):
        raise UserError(f"{where}: not an object")
    absent = [key for key in _KEYS if key not in row]
    if absent:
        raise UserError(f"{where}: the key '{absent[0]}' is missing")
    return row


def _number(value: object, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{where}: '{key}' is {shown(value)}, not a number")
    return float(value)
