"""AlpacaEval's leaderboard: win rates with standard errors, and the counts they are made of."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from evaluation.statistics import Interval
from leaderboards.board import Column
from leaderboards.collect.official.parts import (
    NOT_STATED,
    Z95,
    Cell,
    Official,
    OfficialColumn,
)
from leaderboards.collect.official.table import Row, read_rows
from mnpo.errors import UserError

#: A header with these is AlpacaEval's.
MARKS = frozenset({"win_rate", "n_wins", "n_wins_base", "n_total"})
_NEEDED = ("win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws", "n_total")
_CONTROLLED, _ITS_ERROR = "length_controlled_winrate", "lc_standard_error"
_BENCHMARK = "alpaca-eval-2"
#: Names of annotators that files are called by.
_ANNOTATORS = ("weighted_alpaca_eval_gpt4_turbo", "alpaca_eval_gpt4_turbo_fn", "alpaca_eval_gpt4")
#: Percent by which a printed rate may be off its counts: what rounding may do.
_ROUNDING = 0.005


def read_alpaca_eval(path: Path) -> Official:
    """Read the leaderboard that AlpacaEval's package keeps for an annotator.

    Intervals are normal ones of 95 % from the published standard errors, cut at 0 and 100. A row
    whose rates and counts contradict one another is kept as it is and flagged.

    Raises:
        UserError: a column is missing, a cell is no number of its kind, a model is there twice.
    """
    rows = read_rows(path, _NEEDED)
    names = next(iter(rows[0].cells))
    models = _by_model(rows, names)
    judge = next((name for name in _ANNOTATORS if name in path.name), NOT_STATED)
    flags = {model: _contradictions(row) for model, row in models.items()}
    controlled = _CONTROLLED in rows[0].cells
    columns = [
        _rates(
            models,
            judge,
            flags,
            "win_rate",
            "standard_error",
            Column(
                key=f"{_BENCHMARK}/win_rate",
                title="WR %",
                benchmark=_BENCHMARK,
                metric="win_rate",
                judge=judge,
                unit="%",
                explanation="mean preference over the baseline's answers",
            ),
        )
    ]
    if controlled:
        column = Column(
            key=f"{_BENCHMARK}/length_controlled_win_rate",
            title="LC %",
            benchmark=_BENCHMARK,
            metric="length_controlled_win_rate",
            judge=judge,
            unit="%",
            explanation="win rate that a logistic regression predicts for answers of equal length",
        )
        columns.insert(0, _rates(models, judge, flags, _CONTROLLED, _ITS_ERROR, column))
    columns += _descriptions(models, judge, flags)
    return Official(
        title="AlpacaEval, as published",
        benchmark=_BENCHMARK,
        judge=judge,
        columns=tuple(columns),
        rows=len(rows),
        notes=_notes(models, flags, columns[0]),
    )


def _by_model(rows: Sequence[Row], names: str) -> dict[str, Row]:
    models: dict[str, Row] = {}
    for row in rows:
        name = row.text(names)
        if name in models:
            raise UserError(
                f"{row.file}, rows {models[name].number} and {row.number}: '{name}' is there twice"
            )
        models[name] = row
    return models


def _rates(
    models: Mapping[str, Row],
    judge: str,
    flags: Mapping[str, tuple[str, ...]],
    rate: str,
    error: str,
    column: Column,
) -> OfficialColumn:
    cells = {}
    for model, row in models.items():
        value = row.optional(rate, 0.0, 100.0)
        if value is None and rate == "win_rate":
            raise row.refuse(rate, "is empty")
        if value is None:
            continue
        deviation = row.optional(error, 0.0, 100.0)
        n = row.count("n_total")
        if deviation is None and value == 50.0 and row.optional("standard_error") == 0.0:
            deviation = 0.0  # the baseline against itself
        low = high = None
        if deviation is not None:
            low, high = max(0.0, value - Z95 * deviation), min(100.0, value + Z95 * deviation)
        own = flags[model] if rate == "win_rate" else ()
        cells[model] = Cell(Interval(value, low, high, n, n), row.number, deviation, own)
    return OfficialColumn(column, cells)


def _descriptions(
    models: Mapping[str, Row], judge: str, flags: Mapping[str, tuple[str, ...]]
) -> list[OfficialColumn]:
    """What is there beside the rates, where the file has it."""

    def add(name: str, column: Column, read: Callable[[Row], float | None]) -> None:
        cells = {}
        for model, row in models.items():
            value, n = read(row), row.count("n_total")
            if value is not None:
                cells[model] = Cell(
                    Interval(value, None, None, n, n), row.number, None, flags[model]
                )
        if cells:
            found.append(OfficialColumn(column, cells))

    found: list[OfficialColumn] = []
    add(
        "discrete_win_rate",
        Column(
            key=f"{_BENCHMARK}/discrete_win_rate",
            title="discrete WR %",
            benchmark=_BENCHMARK,
            metric="discrete_win_rate",
            judge=judge,
            unit="%",
            headline=False,
            explanation="wins, and half of the draws, in all comparisons",
        ),
        lambda row: row.optional("discrete_win_rate", 0.0, 100.0),
    )
    add(
        "avg_length",
        Column(
            key=f"{_BENCHMARK}/mean_length",
            title="length",
            benchmark=_BENCHMARK,
            metric="mean_length",
            unit="characters",
            better="neither",
            headline=False,
            explanation="mean length of the answers",
        ),
        lambda row: row.optional("avg_length", 0.0),
    )
    return found


def _contradictions(row: Row) -> tuple[str, ...]:
    """Where the row does not agree with its own counts."""
    wins, losses, draws, total = (
        row.count(name) for name in ("n_wins", "n_wins_base", "n_draws", "n_total")
    )
    found = []
    if wins + losses + draws != total:
        found.append(
            f"counts do not add up: {wins} wins, {losses} losses and {draws} draws of {total}"
        )
    printed = row.optional("discrete_win_rate", 0.0, 100.0)
    counted = 100.0 * (wins + draws / 2) / total if total else math.nan
    if printed is not None and not abs(printed - counted) <= _ROUNDING:
        found.append(
            f"discrete win rate is published as {printed:.2f}, its counts give {counted:.2f}"
        )
    error = row.optional("standard_error", 0.0, 100.0)
    # No preferences in [0, 1] vary more than those that are all 0 or 1, half of each.
    most = 50.0 / math.sqrt(total - 1) if total > 1 else math.inf
    if error is not None and error > most + _ROUNDING:
        found.append(
            f"standard error {error:.2f} is more than {total} preferences can have ({most:.2f})"
        )
    return tuple(found)


def _notes(
    models: Mapping[str, Row], flags: Mapping[str, tuple[str, ...]], first: OfficialColumn
) -> tuple[str, ...]:
    bad = [model for model, own in flags.items() if own]
    notes = [
        "Intervals: normal, 95 %, from the published standard errors; official, not ours.",
        f"{len(models) - len(bad)} of {len(models)} rows agree with their own counts"
        + (f"; not: {', '.join(bad)}." if bad else "."),
    ]
    if first.column.metric.startswith("length"):
        notes.insert(
            1,
            "The published error of LC is that of the fitted model's predictions, the fit taken as "
            "known: its intervals, and the ranks that follow, are too narrow.",
        )
    modes = Counter(row.cells.get("mode", "").strip() for row in models.values())
    modes.pop("", None)
    if modes:
        counted = ", ".join(f"{count} {mode}" for mode, count in modes.most_common())
        notes.append(f"How rows got there, in AlpacaEval's words: {counted}.")
    fewer = sorted({row.count("n_total") for row in models.values()})
    if len(fewer) > 1:
        notes.append(
            f"Rows rest on {fewer[0]} to {fewer[-1]} comparisons; a model is not scored where the "
            "judge gave no verdict."
        )
    return tuple(notes)
