"""Leaderboards that somebody else published, as sections of ours.

Read are the files of AlpacaEval (`official.alpaca_eval`) and Arena-Hard (`official.arena_hard`),
and scores with bootstrap draws, which MT-Bench's are published as (`official.bootstraps`).
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from evaluation.statistics import Interval
from leaderboards.board import Direction, Entry, Figure, Run, Section, Source
from leaderboards.collect.official.alpaca_eval import MARKS, read_alpaca_eval
from leaderboards.collect.official.arena_hard import FORMS
from leaderboards.collect.official.bootstraps import is_bootstrap, read_bootstraps
from leaderboards.collect.official.parts import Z95, Cell, Official, OfficialColumn
from leaderboards.collect.official.table import first_line, header_of
from leaderboards.collect.ranks import Uncertain, column_ranks
from mnpo.errors import UserError
from mnpo.runs.files import sha256_file

_ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")


def published_section(path: Path, key: str) -> tuple[Run, Section] | None:
    """A published leaderboard.

    Every figure, interval and row is the file's, in an order that any reader can check: by the
    first column, equal figures as in the file. Models that the first column lacks come last.

    Args:
        path: a file, plain or gzipped.
        key: of the run on the board.

    Returns:
        The run, whose path is the file and whose ``files`` has that file's own name; and the
        section. None where the file is something else.

    Raises:
        UserError: it is a published board, and broken: says which row and column.
    """
    read = _reader(path)
    if read is None:
        return None
    found = read(path)
    run = Run(
        key=key,
        kind="board",
        path=str(path),
        status="done",
        files={path.name: _hash(path)},
        facts={
            "published": found.title,
            "benchmark": found.benchmark,
            "judge": found.judge,
            "rows": found.rows,
        },
    )
    first = found.columns[0]
    names = sorted(first.cells, key=lambda name: -first.cells[name].interval.value)
    for own in found.columns[1:]:
        known = set(names)
        names += [name for name in own.cells if name not in known]
    figures: dict[str, dict[str, Figure]] = {name: {} for name in names}
    unranked: list[str] = []
    for own in found.columns:
        unranked += _add(figures, own, run)
    return run, Section(
        title=found.title,
        kind="published",
        columns=tuple(own.column for own in found.columns),
        entries=tuple(
            Entry(name=name, algorithm=name, label=name, figures=own)
            for name, own in figures.items()
        ),
        sorted_by=first.column.key,
        notes=(*found.notes, _RANKS, *unranked),
    )


_RANKS = (
    "Ranks: two-sided z tests of all pairs, Holm's correction, 5 %; they take the published "
    "intervals at their word, and models' figures as independent of one another."
)


def _reader(path: Path) -> Callable[[Path], Official] | None:
    if not path.is_file() or not path.name.lower().endswith(_ENDINGS):
        return None
    line = first_line(path)
    if is_bootstrap(line):
        return read_bootstraps
    columns = set(header_of(line))
    if columns >= MARKS:
        return read_alpaca_eval
    return next((read for marks, read in FORMS if columns >= marks), None)


def _add(figures: dict[str, dict[str, Figure]], own: OfficialColumn, run: Run) -> list[str]:
    """Put a column's figures where they belong; returns what must be said of its ranks."""
    column = own.column
    ranked = _ranks(own.cells, column.better)
    for name, cell in own.cells.items():
        rank, letters = ranked.get(name, (None, ""))
        figures[name][column.key] = Figure(
            interval=cell.interval,
            basis="none" if cell.interval.low is None else "prompts",
            rank=rank,
            letters=letters,
            flags=cell.flags,
            sources=(Source(run.key, next(iter(run.files)), cell.row),),
        )
    missing = len(own.cells) - len(ranked)
    if column.better == "neither" or not ranked or not missing:
        return []
    return [
        f"{column.title}: {missing} of {len(own.cells)} models have no published standard error "
        f"and are not ranked; ranks are among the other {len(ranked)}."
    ]


def _ranks(cells: Mapping[str, Cell], better: Direction) -> dict[str, tuple[tuple[int, int], str]]:
    """Rank range and letters of every model that has a standard error.

    Normal tests from the published standard errors. They are no better than these, and take the
    models' figures as independent of one another although all answered the same questions.
    """
    known = {name: cell for name, cell in cells.items() if cell.error is not None}
    if better == "neither" or not known:
        return {}
    figures = []
    for cell in known.values():
        value, half = cell.interval.value, Z95 * (cell.error or 0.0)
        figures.append(Uncertain(Interval(value, value - half, value + half, 0, 0), math.inf))
    ranks, letters = column_ranks(figures, {}, better)
    return {name: (ranks[i], letters[i]) for i, name in enumerate(known)}


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
