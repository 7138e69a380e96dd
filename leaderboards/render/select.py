"""Which columns of a board are shown; one answer for all renderers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from leaderboards.board import Board, Column, Entry, Figure, Pool, Rating, Section
from leaderboards.matching import is_of
from leaderboards.options import BoardOptions
from mnpo.errors import InvalidSetting, suggest
from mnpo.printable import shown

#: Names that are offered in place of an unknown one.
_NEAR = 3


def shown_columns(
    section: Section, options: BoardOptions | Mapping[str, Any]
) -> tuple[Column, ...]:
    """The columns of a section that are shown, in order.

    Args:
        section: a table of the board.
        options: whose `columns` are asked for: a key; a METRIC alone, of every benchmark, or with
            its judge, METRIC@JUDGE; a BENCHMARK alone, with or without its version, all columns
            of it. Where none are, the headlines are shown, or everything if there are none. A
            board's own options, a mapping, will do as well.

    Returns:
        Empty where what was asked for stands in other sections only. `require_known` refuses what
        stands in none.
    """
    options = options if isinstance(options, BoardOptions) else read_options(options)
    if not options.columns:
        return tuple(own for own in section.columns if own.headline) or section.columns
    found: dict[str, Column] = {}
    for name in options.columns:
        for column in _matching(section.columns, name):
            found.setdefault(column.key, column)
    return tuple(found.values())


def require_known(sections: Iterable[Section], options: BoardOptions) -> None:
    """Refuse columns, or a sort order, that no section has.

    Raises:
        InvalidSetting: with the nearest name that there is.
    """
    columns = [column for section in sections for column in section.columns]
    if not columns:
        return
    known = {name for column in columns for name in _names(column)}
    for name in options.columns:
        if not _matching(columns, name):
            raise InvalidSetting(f"--columns: no column {shown(name)}{nearest(name, known)}")
    keys = {"name", *(column.key for column in columns)}
    if options.sort is not None and options.sort not in keys:
        raise InvalidSetting(
            f"--sort: no column {shown(options.sort)}{nearest(options.sort, keys)}"
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x', 'y' or 'z'?`` and where all names stand."""
    near = [shown(own) for own in get_close_matches(name, sorted(known), _NEAR, cutoff=0.0)]
    *others, last = near
    names = f"{', '.join(others)} or {last}" if others else last
    return (
        f"; did you mean {names}? All columns stand on the page of a board made without "
        "--columns and --sort, under 'What the columns mean'"
    )


def options_of(board: Board) -> BoardOptions:
    """The options that a board was made with.

    Raises:
        InvalidSetting: it has options that this version does not know.
    """
    return read_options(board.options)


def read_options(described: Mapping[str, Any]) -> BoardOptions:
    """The inverse of `BoardOptions.describe`; what is absent has its default.

    Raises:
        InvalidSetting: an unknown option.
    """
    known = [field.name for field in fields(BoardOptions)]
    for name in described:
        if name not in known:
            raise InvalidSetting(f"the board was made with {shown(name)}{suggest(name, known)}")
    values: dict[str, Any] = {
        name: tuple(own) if isinstance(own, list) else own for name, own in described.items()
    }
    return BoardOptions(**values)


def ranking_column(section: Section, columns: Sequence[Column]) -> Column | None:
    """The column whose rank stands before an entry.

    Args:
        section: a table of the board.
        columns: those shown.

    Returns:
        the one that the section is sorted by, else the first one shown; of those that have ranks.
    """
    by_key = {own.key: own for own in (*section.columns, *columns)}
    candidates = [by_key[section.sorted_by]] if section.sorted_by in by_key else []
    for column in (*candidates, *columns):
        figures = (entry.figures.get(column.key) for entry in section.entries)
        if any(figure is not None and figure.rank is not None for figure in figures):
            return column
    return None


def ranking_figure(section: Section, entry: Entry) -> Figure | None:
    """The figure of an entry in the column that its section is sorted by."""
    return entry.figures.get(section.sorted_by)


def pool_order(pool: Pool) -> list[int]:
    """Places of a pool's policies, best first by its first rating."""
    return rating_order(pool.ratings[0]) if pool.ratings else list(range(len(pool.names)))


def rating_order(rating: Rating) -> list[int]:
    """Places of policies, best first; without a number last; else in their own order."""
    sign = 1.0 if rating.better == "lower" else -1.0

    def place(index: int) -> tuple[bool, float]:
        value = rating.values[index].value
        return math.isnan(value), 0.0 if math.isnan(value) else sign * value

    return sorted(range(len(rating.values)), key=place)


def leading(pools: Sequence[Pool]) -> tuple[bool, ...]:
    """Whether a pool is the first of its run: others are of its single annotators, say."""
    runs = [own.sources[0].run if own.sources else own.key for own in pools]
    return tuple(run not in runs[:place] for place, run in enumerate(runs))


def _matching(columns: Iterable[Column], name: str) -> list[Column]:
    """By key if there is one, else by any other name."""
    columns = list(columns)
    return [own for own in columns if own.key == name] or [
        own for own in columns if name in _names(own) or is_of(own.benchmark, name)
    ]


def _names(column: Column) -> set[str]:
    """What a column may be called, besides its benchmark without the version."""
    of_metric = column.key.removeprefix(f"{column.benchmark}/")
    return {column.key, column.metric, of_metric, column.benchmark}
