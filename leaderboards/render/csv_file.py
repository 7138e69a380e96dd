"""``leaderboard.csv``: every section one under the other, then the ratings of every pool.

A text that a spreadsheet would run as a formula, one that begins with ``=``, ``+``, ``-``, ``@``
(or has one of them after a semicolon, where some spreadsheets begin a cell), gets an apostrophe
before that character; texts that begin with an apostrophe get another one. Control characters are
spelled out. Other texts, and all numbers, are as they are.
"""

import math
import re
from collections.abc import Iterator, Mapping

from evaluation.statistics import Interval
from evaluation.tidy import csv_text
from leaderboards.board import Board, Cell, Entry, Pool, Section
from leaderboards.render.select import options_of, shown_columns
from mnpo.printable import printable

_FIRST = ("section", "name", "algorithm", "label", "origin", "iteration", "seeds")
_PARTS = ("", " low", " high", " n", " rank best", " rank worst", " letters")
_EMPTY: list[Cell] = [None] * len(_PARTS)
_FORMULA = re.compile("(^|;)([\\s\"]*)(?=[=+\\-@＝＋－＠'])")


def render_csv(board: Board) -> str:
    """One row an entry, and one a policy of a pool.

    Columns: section, name, algorithm, label, origin, iteration, seeds (of training, with blanks
    between them); then for each shown column KEY, ``KEY low``, ``KEY high``, ``KEY n``,
    ``KEY rank best``, ``KEY rank worst`` (the ends of the range, whole numbers) and
    ``KEY letters``; first those that the first section has figures of. Then the same for each
    rating, ``rating/KEY``, filled in rows whose section is the title of a pool. Numbers at full
    precision; what is not known is empty.
    """
    options = options_of(board)
    keys: dict[str, None] = {}
    for section in board.sections:
        keys.update(dict.fromkeys(own.key for own in shown_columns(section, options)))
    first = board.sections[0].entries if board.sections else ()
    has_figures = {key for entry in first for key in entry.figures}
    keys = dict.fromkeys(sorted(keys, key=lambda key: key not in has_figures))
    for pool in board.pools:
        keys.update(dict.fromkeys(f"rating/{own.key}" for own in pool.ratings))
    header = [*_FIRST, *(f"{key}{part}" for key in keys for part in _PARTS)]
    rows = (
        [harmless(cell) if isinstance(cell, str) else cell for cell in row]
        for row in _rows(board, keys)
    )
    return csv_text(map(harmless, header), rows)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula and no terminal for a command."""
    return _FORMULA.sub(r"\1\2'", printable(text))


def _rows(board: Board, keys: Mapping[str, None]) -> Iterator[list[Cell]]:
    options = options_of(board)
    for section in board.sections:
        shown = {own.key for own in shown_columns(section, options)}
        for entry in section.entries:
            yield _entry(section, entry, [key if key in shown else "" for key in keys])
    for pool in board.pools:
        for place, name in enumerate(pool.names):
            yield _policy(pool, place, name, keys)


def _entry(section: Section, entry: Entry, keys: list[str]) -> list[Cell]:
    seeds = " ".join(map(str, entry.seeds))
    row: list[Cell] = [section.title, entry.name, entry.algorithm, entry.label, entry.origin]
    row += [entry.iteration, seeds]
    for key in keys:
        figure = entry.figures.get(key)
        if figure is None:
            row += _EMPTY
        else:
            row += _cells(figure.interval, figure.rank, figure.letters)
    return row


def _policy(pool: Pool, place: int, name: str, keys: Mapping[str, None]) -> list[Cell]:
    row: list[Cell] = [pool.title, name, None, None, None, None, None]
    ratings = {f"rating/{own.key}": own for own in pool.ratings}
    for key in keys:
        rating = ratings.get(key)
        if rating is None:
            row += _EMPTY
        else:
            rank = rating.ranks[place] if rating.ranks else None
            row += _cells(
                rating.values[place], rank, rating.letters[place] if rating.letters else ""
            )
    return row


def _cells(found: Interval, rank: tuple[int, int] | None, letters: str) -> list[Cell]:
    ends = [_number(x) for x in (found.value, found.low, found.high)]
    return [*ends, found.n, *(rank or (None, None)), letters or None]


def _number(x: float | None) -> float | None:
    return None if x is None or math.isnan(x) else float(x)
