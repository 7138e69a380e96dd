"""A suite of simulations as tables, one for each regime: algorithms down, families of games across.

All algorithms play the same held-out games, so that they are compared game by game; the interval
of a mean counts the games.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.statistics import Interval, compare_all, mean_interval
from leaderboards.board import Column, Entry, Figure, Section, Source
from leaderboards.collect.filters import takes_algorithm, takes_benchmark
from leaderboards.collect.names import label
from leaderboards.collect.opening import Opened
from leaderboards.collect.ranks import Uncertain, column_ranks
from leaderboards.collect.suite_baselines import BASELINES_TOLD, read_baselines
from leaderboards.collect.suite_means import compare_means, mean_of_families
from leaderboards.collect.tables_read import Line, number, read_table
from leaderboards.options import BoardOptions
from mnpo.errors import DamagedRun

TABLE, GAMES = "suite.csv", "games.csv"
_NEEDED = ("regime", "family", "algorithm", "metric", "value", "n")
_TITLES = {
    "gap_last": ("gap, last", "Duality gap of the last policy, mean over held-out games."),
    "gap_average": ("gap, average", "Duality gap of the average policy, mean over held-out games."),
    "regularized_gap_last": (
        "regularised gap",
        "Gap of the last policy in the regularised game, mean over held-out games.",
    ),
}
_HEADLINE = "gap_last"
#: Two means of the same numbers differ by rounding at most; gaps may be tiny themselves.
_RELATIVE, _ROUNDING = 1e-9, 1e-15


@dataclass(frozen=True)
class _Cell:
    row: int
    line: Line
    value: float
    games: Mapping[str, float]


def suite_sections(opened: Opened, key: str, options: BoardOptions) -> list[Section]:
    """One table for each regime.

    Raises:
        DamagedRun: a file that is missing, damaged or broken, or a mean that is not that of the
            games.
    """
    games = _games(opened)
    cells: dict[str, dict[tuple[str, str], dict[str, _Cell]]] = {}
    lines = read_table(opened, TABLE, _NEEDED)
    for row, line in enumerate(lines, start=1):
        value = number(opened, TABLE, row, line, "value")
        taken = takes_algorithm(options, line["algorithm"])
        if value is None or not taken or not takes_benchmark(options, line["family"]):
            continue
        own = games.get((line["regime"], line["family"], line["algorithm"], line["metric"]), {})
        mean = float(np.mean(list(own.values()))) if own else np.nan
        if not math.isclose(mean, value, rel_tol=_RELATIVE, abs_tol=_ROUNDING):
            raise DamagedRun(
                f"{opened.path}: {TABLE}, row {row} is not the mean of the games in {GAMES}; run "
                "the command again"
            )
        place = (line["family"], line["metric"])
        by_place = cells.setdefault(line["regime"], {})
        by_place.setdefault(place, {})[line["algorithm"]] = _Cell(row, line, value, own)
    return [_section(opened, key, regime, own) for regime, own in cells.items()]


def _games(opened: Opened) -> dict[tuple[str, str, str, str], dict[str, float]]:
    found: dict[tuple[str, str, str, str], dict[str, float]] = {}
    lines = read_table(opened, GAMES, ("regime", "family", "algorithm", "seed", *_TITLES))
    for row, line in enumerate(lines, start=1):
        for metric in _TITLES:
            value = number(opened, GAMES, row, line, metric)
            if value is not None:
                place = (line["regime"], line["family"], line["algorithm"], metric)
                found.setdefault(place, {})[line["seed"]] = value
    return found


def _section(
    opened: Opened,
    key: str,
    regime: str,
    cells: Mapping[tuple[str, str], Mapping[str, _Cell]],
) -> Section:
    conditions = {
        "regime": regime,
        "configuration": str(opened.manifest.get("config_sha256", "")),
    }
    figures: dict[str, dict[str, Figure]] = {}
    columns = []
    for (family, metric), found in cells.items():
        title, explanation = _TITLES.get(metric, (metric, ""))
        column = Column(
            key=f"{family}/{metric}",
            title=f"{family}: {title}",
            benchmark=family,
            metric=metric,
            unit="win probability" if metric.startswith("gap") else "",
            better="lower",
            headline=metric == _HEADLINE,
            conditions=conditions,
            explanation=explanation,
        )
        columns.append(column)
        for algorithm, figure in _column(key, found).items():
            figures.setdefault(algorithm, {})[column.key] = figure
    whole = _mean_column(key, cells, conditions, figures)
    entries = tuple(
        Entry(name, name, label(name), origin=key, figures=own) for name, own in figures.items()
    )
    baselines = read_baselines(opened, key, regime, (*whole, *columns)) if entries else ()
    name, version = opened.config.get("suite"), opened.config.get("version")
    ordered = sorted(columns, key=lambda own: not own.headline)
    return Section(
        title=f"Simulator suite {name} {version or ''}".strip() + f": {regime}",
        kind="simulator",
        columns=(*whole, *ordered),
        entries=(*entries, *baselines),
        sorted_by="name",
        notes=(*_tuning(cells), *(BASELINES_TOLD if baselines else ())),
    )


def _tuning(cells: Mapping[tuple[str, str], Mapping[str, _Cell]]) -> list[str]:
    lines = [own.line for found in cells.values() for own in found.values()]
    tuned = [line for line in lines if line.get("step_size")]
    fixed = sorted({own["algorithm"] for own in lines if not own.get("step_size")})
    ends = sum(line.get("at_grid_end") == "true" for line in tuned)
    told = [
        "step sizes were tuned for each algorithm, family and metric by one procedure on games "
        "that are not among the held-out ones; in "
        f"{ends} of {len(tuned)} cells the best one is at an end of the grid that was tried"
    ]
    if fixed:
        told.append(f"without a step size, so not tuned: {', '.join(fixed)}")
    return told


def _column(key: str, cells: Mapping[str, _Cell]) -> dict[str, Figure]:
    names = list(cells)
    seeds = list(dict.fromkeys(seed for own in cells.values() for seed in own.games))
    table = np.array([[cells[name].games.get(seed, np.nan) for seed in seeds] for name in names])
    intervals = [mean_interval(list(cells[name].games.values())) for name in names]
    place = {name: index for index, name in enumerate(names)}
    compared = {
        (place[own.first], place[own.second]): (own.p_value, own.adjusted)
        for own in compare_all(names, table)
    }
    ranks: Sequence[tuple[int, int] | None] = [None] * len(names)
    letters: Sequence[str] = [""] * len(names)
    if len(names) > 1 and len(seeds) > 1:
        uncertain = [Uncertain(_above_zero(own), own.clusters - 1.0) for own in intervals]
        ranks, letters = column_ranks(uncertain, compared, "lower")
    return {
        name: Figure(
            interval=_above_zero(interval),
            basis="none" if interval.low is None else "games",
            rank=rank,
            letters=own,
            flags=_flags(cells[name].line),
            sources=(Source(key, TABLE, cells[name].row),),
        )
        for name, interval, rank, own in zip(names, intervals, ranks, letters, strict=True)
    }


def _mean_column(
    key: str,
    cells: Mapping[tuple[str, str], Mapping[str, _Cell]],
    conditions: Mapping[str, str],
    figures: dict[str, dict[str, Figure]],
) -> tuple[Column, ...]:
    """The unweighted mean over families, for algorithms that play all that count in it."""
    parts = [
        own
        for (_, metric), own in cells.items()
        if metric == _HEADLINE and all(c.line.get("in_mean") != "false" for c in own.values())
    ]
    names = [name for name in figures if all(name in own for own in parts)]
    if len(parts) < 2 or not names:
        return ()
    column = Column(
        key=f"all/{_HEADLINE}",
        title=f"mean of {len(parts)} families: {_TITLES[_HEADLINE][0]}",
        benchmark="all",
        metric=_HEADLINE,
        unit="win probability",
        better="lower",
        conditions=conditions,
        explanation=f"Unweighted mean over {len(parts)} families; of algorithms that play all.",
    )
    values = [[list(own[name].games.values()) for own in parts] for name in names]
    found = [mean_of_families(own) for own in values]
    ranks: Sequence[tuple[int, int] | None] = [None] * len(names)
    letters: Sequence[str] = [""] * len(names)
    if len(names) > 1 and all(own.freedom is not None for own in found):
        compared = compare_means([[own[name].games for own in parts] for name in names])
        ranks, letters = column_ranks(found, compared, "lower")
    for name, own, rank, text in zip(names, found, ranks, letters, strict=True):
        figures[name][column.key] = Figure(
            interval=_above_zero(own.interval),
            basis="none" if own.freedom is None else "games",
            rank=rank,
            letters=text,
            sources=tuple(Source(key, TABLE, part[name].row) for part in parts),
        )
    return (column,)


def _above_zero(own: Interval) -> Interval:
    """No gap is negative."""
    if own.low is None:
        return own
    return Interval(own.value, max(own.low, min(0.0, own.value)), own.high, own.n, own.clusters)


def _flags(line: Line) -> tuple[str, ...]:
    flags = []
    if line.get("at_grid_end") == "true":
        flags.append("the best step size is at the end of the grid that was tried")
    if line.get("note"):
        flags.append(line["note"])
    return tuple(flags)


def suite_names(opened: Opened) -> tuple[set[str], set[str]]:
    """Families and algorithms of a suite, whatever is asked for."""
    lines = read_table(opened, TABLE, _NEEDED)
    return {line["family"] for line in lines}, {line["algorithm"] for line in lines}
