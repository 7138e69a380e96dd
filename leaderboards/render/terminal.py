"""A board as tables for a terminal: the sections, and one pool of each run in short form."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from evaluation.statistics import Interval
from leaderboards.board import Board, Column, Pool, Rating, Section
from leaderboards.render.column_places import of_columns, of_rating
from leaderboards.render.fitting import Figures, fitted
from leaderboards.render.footnotes import Footnotes, footnotes
from leaderboards.render.markdown import figure_text
from leaderboards.render.rounding import Places
from leaderboards.render.select import (
    leading,
    options_of,
    pool_order,
    ranking_column,
    shown_columns,
)
from leaderboards.render.words import (
    NOTHING,
    heading,
    judges_told,
    label_of,
    labels_in_pools,
    rank_range,
    title_of,
    told_apart,
    with_label,
)

if TYPE_CHECKING:
    from rich.table import Table

#: Ratings of a pool that are shown, where it has them; else its first.
RATINGS = ("mean-win-rate", "bradley-terry", "worst-case", "exploitability")
#: Warnings of a section, and other pools, that are named.
MOST_WARNINGS, MOST_NAMED = 3, 6
#: Narrower than this, methods' names in papers are left away.
_ROOMY = 120


def board_tables(board: Board, width: int = 150) -> "list[Table | str]":
    """A table for each section, and for the first pool of each run.

    Where there is no room for it all, the first columns keep their intervals; see `fitted`.

    Args:
        board: to show.
        width: columns of the terminal.

    Returns:
        Tables, and lines of text: notes, warnings, what was left out.
    """
    items: list[Table | str] = list(board.notes)
    for section in board.sections:
        columns = shown_columns(section, options_of(board))
        if columns:
            notes = footnotes(section, columns)
            items.append(_section(section, columns, notes, width))
            items += [*_warnings(notes), *section.notes]
    rated = [pool for pool in board.pools if pool.ratings]
    labels = labels_in_pools(board) if width >= _ROOMY else {}
    first = leading(rated)
    items += [_pool(pool, labels, width) for pool in compress(rated, first)]
    others = [own for own, leads in zip(rated, first, strict=True) if not leads]
    items += [f"also on the page: {_named(others)}"] if others else []
    if board.left_out:
        items.append("left out:")
        items += [f"  {own.what}: {own.why}" for own in board.left_out]
    if not items:
        items.append(f"{title_of(board)}: nothing to show")
    return items


def _warnings(notes: Footnotes) -> Iterator[str]:
    for note in notes.notes[:MOST_WARNINGS]:
        yield f"({note.number}) {note.text}"
    more = len(notes.notes) - MOST_WARNINGS
    if more > 0:
        yield f"and {more} more in leaderboard.md"


def _named(pools: Sequence[Pool]) -> str:
    """The pools, by their judges where that is enough."""
    names = [own.judge for own in pools]
    by_judge = all(names) and len(set(names)) == len(names)
    names = names if by_judge else [own.title for own in pools]
    more = len(names) - MOST_NAMED
    text = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"the pool{'' if len(pools) == 1 else 's'} of judge {text}" if by_judge else text


def _section(section: Section, columns: Sequence[Column], notes: Footnotes, width: int) -> "Table":
    ranking = ranking_column(section, columns)
    ranks = []
    for entry in section.entries:
        ranked = entry.figures.get(ranking.key) if ranking else None
        ranks.append(rank_range(ranked.rank if ranked else None) or NOTHING)
    made, places = [], of_columns(section, columns)
    told = zip(columns, told_apart(columns), judges_told(columns), strict=True)
    for column, named, judge in told:
        figures = [entry.figures.get(column.key) for entry in section.entries]
        long, short = [], []
        for figure in figures:
            if figure is None:
                long.append(NOTHING)
                short.append(NOTHING)
                continue
            marks = f" {figure.letters}" if figure.letters else ""
            marks += notes.marks(figure.flags)
            long.append(figure_text(figure.interval, places[column.key]) + marks)
            short.append(_value(figure.interval, places[column.key]) + marks)
        made.append(Figures(heading(named), _lines(column, judge), tuple(long), tuple(short)))
    roomy = width >= _ROOMY
    names = [with_label(own.name, label_of(own) if roomy else "") for own in section.entries]
    return fitted(section.title, ranks if ranking else None, names, made, width)


def _pool(pool: Pool, labels: dict[str, str], width: int) -> "Table":
    by_key = {own.key: own for own in pool.ratings}
    ratings = [by_key[key] for key in RATINGS if key in by_key] or pool.ratings[: len(RATINGS)]
    ranked = next((own for own in pool.ratings if own.ranks), None)
    order = pool_order(pool)
    made = []
    for own in ratings:
        given = own.letters or ("",) * len(own.values)
        letters = [f" {given[i]}" if given[i] else "" for i in order]
        values, places = [own.values[i] for i in order], of_rating(own)
        long = tuple(figure_text(v, places) + x for v, x in zip(values, letters, strict=True))
        short = tuple(_value(v, places) + x for v, x in zip(values, letters, strict=True))
        made.append(Figures(heading(own), _lines(own), long, short))
    ranks = [rank_range(ranked.ranks[i]) for i in order] if ranked else None
    names = [with_label(pool.names[i], labels.get(pool.names[i], "")) for i in order]
    return fitted(pool.title, ranks, names, made, width)


def _value(interval: Interval, places: Places) -> str:
    return places.written(interval)[0] or NOTHING


def _lines(column: Column | Rating, judge: str = "") -> tuple[str, ...]:
    """Of a heading: benchmark, metric with unit and arrow, judge.

    A number between 0 and 1 under such words needs no "win rate" behind them.
    """
    text = heading(column).replace(" (win rate)", "").replace(" (win probability)", "")
    benchmark, colon, metric = text.partition(": ")
    lines = (benchmark, metric) if colon else (benchmark,)
    return (*lines, f"by {judge}") if judge else lines
