"""A suite's tables, as rows and as CSV."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from simulators.suite.cell import METRICS, Cell, CellResult, tunes
from simulators.suite.settings import SuiteSettings

_WHERE = ("suite", "version", "regime", "family", "algorithm")
#: Columns by table; a contract. Further ones may follow.
TABLES: dict[str, tuple[str, ...]] = {
    "suite": (
        *_WHERE,
        "metric",
        "step_size",
        "value",
        "std",
        "n",
        "tuning_value",
        "tuning_n",
        "at_grid_end",
        "in_mean",
        "note",
    ),
    "games": (
        *_WHERE,
        "seed",
        "step_size",
        "gap_last",
        "average_step_size",
        "gap_average",
        "external_regret",
        "regularized_step_size",
        "regularized_gap_last",
        "verdict",
        "iterations",
        "rounds",
        "queries",
        "query_seed",
        "note",
    ),
    "tuning": (*_WHERE, "step_size", *METRICS, "n", "chosen_for"),
    "families": (
        "suite",
        "version",
        "regime",
        "family",
        "in_mean",
        "n",
        "actions",
        "contexts",
        "players",
        "gap_start",
        "regularized_gap_start",
        "gap_equilibrium",
    ),
}
#: Which column of ``games.csv`` holds the step size behind a metric.
STEP_COLUMNS = {
    "gap_last": "step_size",
    "gap_average": "average_step_size",
    "regularized_gap_last": "regularized_step_size",
}

Row = dict[str, Any]


def suite_rows(
    settings: SuiteSettings, cells: Sequence[Cell], results: Sequence[CellResult]
) -> list[Row]:
    """One row for each cell and metric: mean and standard deviation over the held-out games.

    An algorithm that cannot run on a family has rows without a value, and the reason as note.
    """
    rows = []
    counted = _in_mean(settings, cells, results)
    for where, cell, result in _each(settings, cells, results):
        where["in_mean"] = (cell.regime_name, cell.family_name) in counted
        for metric in METRICS:
            if result.reason:
                rows.append(where | {"metric": metric, "n": 0, "note": result.reason})
                continue
            values = np.array([row[metric] for row in result.games])
            step = result.chosen[metric]
            tuned = next(row for row in result.tuning if row["step_size"] == step)
            has_step = len(cell.step_sizes) > 1
            at_end = has_step and step in (cell.step_sizes[0], cell.step_sizes[-1])
            rows.append(
                where
                | {
                    "metric": metric,
                    "step_size": step if tunes(cell.method.algorithm, settings) else None,
                    "value": float(values.mean()),
                    "std": float(values.std(ddof=1)) if len(values) > 1 else None,
                    "n": len(values),
                    "tuning_value": tuned[metric],
                    "tuning_n": tuned["n"],
                    "at_grid_end": at_end,
                }
            )
    return rows


def game_rows(
    settings: SuiteSettings, cells: Sequence[Cell], results: Sequence[CellResult]
) -> list[Row]:
    """One row for each held-out game of each cell."""
    rows = []
    for where, cell, result in _each(settings, cells, results):
        steps: Row = dict.fromkeys(STEP_COLUMNS.values())
        if tunes(cell.method.algorithm, settings):
            steps = {STEP_COLUMNS[name]: step for name, step in result.chosen.items()}
        rows += [where | steps | game for game in result.games]
    return rows


def tuning_rows(
    settings: SuiteSettings, cells: Sequence[Cell], results: Sequence[CellResult]
) -> list[Row]:
    """One row for each step size that was tried."""
    rows = []
    for where, cell, result in _each(settings, cells, results):
        if not tunes(cell.method.algorithm, settings):
            continue
        for row in result.tuning:
            won = [name for name in METRICS if result.chosen[name] == row["step_size"]]
            rows.append(where | row | {"chosen_for": " ".join(won)})
    return rows


def csv_text(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV; what is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(row.get(key)) for key in columns})
    return text.getvalue()


def _each(
    settings: SuiteSettings, cells: Sequence[Cell], results: Sequence[CellResult]
) -> Iterator[tuple[Row, Cell, CellResult]]:
    for cell, result in zip(cells, results, strict=True):
        where = {
            "suite": settings.suite,
            "version": settings.version,
            "regime": cell.regime_name,
            "family": cell.family_name,
            "algorithm": cell.method.algorithm,
        }
        yield where, cell, result


def _in_mean(
    settings: SuiteSettings, cells: Sequence[Cell], results: Sequence[CellResult]
) -> set[tuple[str, str]]:
    """(regime, family) in the mean: those it is asked over that most algorithms can run.

    Algorithms that can run nothing in a regime do not count.
    """
    ran = {
        (cell.regime_name, cell.family_name, cell.method.algorithm)
        for cell, result in zip(cells, results, strict=True)
        if not result.reason
    }
    counted = set()
    for regime in settings.regimes:
        able = {algorithm for where, _, algorithm in ran if where == regime}
        for name, family in settings.families.items():
            here = sum((regime, name, algorithm) in ran for algorithm in able)
            if family.in_mean and 2 * here > len(able):
                counted.add((regime, name))
    return counted


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
