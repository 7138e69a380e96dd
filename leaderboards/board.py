"""A leaderboard as a value: everything that a renderer shows, and where each figure comes from.

Nothing here computes. `leaderboards.collect` makes a board of runs, `leaderboards.render`
writes it, and `leaderboards.check` makes it anew from the files it names and compares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evaluation.statistics import Interval

Array: TypeAlias = NDArray[np.float64]
Direction = Literal["higher", "lower", "neither"]
#: What an interval counts: the same prompts only, seeds only, or both sources of chance.
Basis = Literal["none", "prompts", "seeds", "seeds and prompts", "games"]


@dataclass(frozen=True)
class Column:
    """One metric of one benchmark under one judge.

    Figures stand in one column only if everything that they depend on but the policy is the same:
    the benchmark's files, the judge and its settings, the subset of questions.

    Attributes:
        key: unique in its section, for ``--columns`` and ``--sort``: BENCHMARK/METRIC, and
            BENCHMARK/METRIC@JUDGE where several judges were asked.
        title: over the column, short.
        benchmark: name and version, e.g. "arena-hard-v0.1"; a game for simulations.
        metric: as in the tidy table, e.g. "length_controlled_win_rate".
        judge: whose preferences; "" where nobody was asked.
        unit: "%", "points", "win probability", "nats", ...; "" for plain numbers.
        better: which direction is better; "neither" for descriptions, such as lengths.
        headline: shown unless other columns are asked for.
        conditions: hashes, by role, that all figures share; how columns are told apart.
        explanation: one line, for readers who do not know the metric.
    """

    key: str
    title: str
    benchmark: str
    metric: str
    judge: str = ""
    unit: str = ""
    better: Direction = "higher"
    headline: bool = True
    conditions: Mapping[str, str] = field(default_factory=dict)
    explanation: str = ""


@dataclass(frozen=True)
class Source:
    """A row of a file that a figure was made of.

    Attributes:
        run: which of the board's runs, by its key.
        file: below the run directory.
        row: of the file's rows, from 1 (without the header); 0 for the whole file.
    """

    run: str
    file: str
    row: int = 0


@dataclass(frozen=True)
class Figure:
    """One cell.

    Attributes:
        interval: the value (over several seeds their mean, never the best), its 95 % interval.
        basis: what the interval counts.
        seeds: training seeds behind it; 0 where there are none.
        spread: standard deviation over seeds; None below two.
        rank: (best, worst) rank in its column that the comparisons leave open, from 1; None where
            the column is not ranked.
        letters: two policies share a letter exactly if their difference is not significant.
        flags: warnings that a reader must see, one line each.
        sources: the rows it was made of.
    """

    interval: Interval
    basis: Basis = "prompts"
    seeds: int = 0
    spread: float | None = None
    rank: tuple[int, int] | None = None
    letters: str = ""
    flags: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One row: a policy, over its training seeds.

    Attributes:
        name: unique in its section; what the row is called.
        algorithm: the method's name on the command line, or the model's name.
        label: the method's name in papers ("TD-MNPO" for mnpo); the name where it has none.
        origin: key of the training run it comes from; "" for models from elsewhere.
        iteration: after which; None where unknown.
        seeds: of the training runs.
        figures: by column key; a column that was not measured is absent.
    """

    name: str
    algorithm: str
    label: str
    origin: str = ""
    iteration: int | None = None
    seeds: tuple[int, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """One table.

    Attributes:
        title: above it.
        kind: "models" for language models, "simulator" for algorithms on games, "published" for a
            board that somebody else published.
        columns: in order.
        entries: sorted.
        sorted_by: the column key they are sorted by, or "name".
        notes: one line each, beneath it.
    """

    title: str
    kind: Literal["models", "simulator", "published"]
    columns: tuple[Column, ...]
    entries: tuple[Entry, ...]
    sorted_by: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rating:
    """One way to sum up a pool, for all of its policies.

    Attributes:
        key: "bradley-terry", "elo", "worst-case", "maximal-lottery", "alpha-rank", ...
        title: over its column.
        explanation: one line.
        unit: "Elo points", "win probability", "probability".
        better: which direction is better.
        values: of the policies, in the pool's order.
        ranks: as `Figure.rank`, in the same order; empty where ratings are not ranked.
        letters: as `Figure.letters`; empty where ratings are not ranked.
    """

    key: str
    title: str
    explanation: str
    unit: str
    better: Direction
    values: tuple[Interval, ...]
    ranks: tuple[tuple[int, int], ...] = ()
    letters: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pool:
    """Policies that played one another.

    Attributes:
        key: unique on the board.
        title: above it, with judge and questions.
        judge: whose preferences.
        names: of the policies.
        wins: (N, N) win rate of row against column; NaN where not measured, 1/2 on the diagonal.
        low, high: (N, N) ends of the intervals; NaN where there is none.
        ratings: in order of display.
        cyclic_share: of the squared advantages, freed of what noise adds; None where some pair was
            not measured.
        nash_is_unique: whether the maximal lottery is the only one; None where there is none.
        basis: what intervals count.
        notes: one line each.
        sources: the files it was made of.
    """

    key: str
    title: str
    judge: str
    names: tuple[str, ...]
    wins: Array
    low: Array
    high: Array
    ratings: tuple[Rating, ...]
    cyclic_share: Interval | None
    nash_is_unique: bool | None
    basis: Basis = "prompts"
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a plot.

    Attributes:
        label: of the line; the same algorithm has the same colour everywhere.
        x, y: (P,) the points.
        low, high: (P,) a band over seeds, or None.
    """

    label: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None


@dataclass(frozen=True, eq=False)
class Plot:
    """Lines that share their axes.

    Attributes:
        title: above it.
        x_label, y_label: with units.
        curves: the lines.
        log_y: logarithmic ordinate.
        caption: what one sees.
        sources: the files it was made of.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    log_y: bool = False
    caption: str = ""
    sources: tuple[Source, ...] = ()


Cell: TypeAlias = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A plain table: what was spent, a paper's figures beside ours, claims and verdicts.

    Attributes:
        title: above it.
        header: of the columns.
        rows: of cells; None is "–".
        notes: one line each, beneath it.
        sources: the files it was made of.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run directory, or a file, that the board was made of.

    Attributes:
        key: unique on the board.
        kind: what it holds.
        path: as given.
        status: of its manifest; "done" for plain files.
        files: name below the path -> sha256, of every file that was read.
        facts: what a reader would ask: command, versions, commit, judge, seconds, cost.
    """

    key: str
    kind: Literal["training", "evaluation", "simulation", "suite", "claims", "board", "matrix"]
    path: str
    status: str
    files: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LeftOut:
    """What was given and is not on the board.

    Attributes:
        what: a run, a row or a column.
        why: one line.
    """

    what: str
    why: str


@dataclass(frozen=True, eq=False)
class Board:
    """Everything.

    Attributes:
        title: of the page.
        sections: the tables, most important first.
        pools: with their ratings.
        plots: gap curves, training curves.
        tables: ledger, comparison with papers, claims.
        runs: what it was made of.
        left_out: what could not be used.
        options: that it was made with (filters, sort, columns), to make it again.
        command: that wrote it.
        notes: one line each, at the top.
    """

    title: str
    sections: tuple[Section, ...] = ()
    pools: tuple[Pool, ...] = ()
    plots: tuple[Plot, ...] = ()
    tables: tuple[Table, ...] = ()
    runs: tuple[Run, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    notes: tuple[str, ...] = ()
