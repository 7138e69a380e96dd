"""A board as tables for a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboards.board import Board, Column, Pool, Section
from leaderboards.render.markdown import figure_text
from leaderboards.render.rounding import rounded
from leaderboards.render.select import options_of, pool_order, ranking_column, shown_columns
from leaderboards.render.words import NOTHING, flags_of, heading, rank_range, title_of, told_apart
from mnpo.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

#: Letters of a name that stand on one line where there is room for no more.
NAME = 24


@dataclass(frozen=True)
class _Column:
    """Cells of one figure: with intervals, and shorter without."""

    title: str
    long: tuple[str, ...]
    short: tuple[str, ...]


def board_tables(board: Board, width: int = 150) -> "list[Table | str]":
    """A table for each section and each pool, as wide as the terminal.

    Where there is no room for it all, intervals go first, then columns from the last on; the
    caption says what went. Ranks, names and the first column stay.

    Args:
        board: to show.
        width: columns of the terminal.

    Returns:
        Tables, and lines of text: notes, what was left out.
    """
    items: list[Table | str] = list(board.notes)
    for section in board.sections:
        columns = told_apart(shown_columns(section, options_of(board)))
        if columns:
            items.append(_section(section, columns, width))
            items += [f"({number}) {flag}" for flag, number in flags_of(section, columns).items()]
            items += section.notes
    items += [_pool(pool, width) for pool in board.pools if pool.ratings]
    if board.left_out:
        items.append("left out:")
        items += [f"  {own.what}: {own.why}" for own in board.left_out]
    if not items:
        items.append(f"{title_of(board)}: nothing to show")
    return items


def _section(section: Section, columns: Sequence[Column], width: int) -> "Table":
    ranking = ranking_column(section, columns)
    flags = flags_of(section, columns)
    ranks = []
    for entry in section.entries:
        ranked = entry.figures.get(ranking.key) if ranking else None
        ranks.append(rank_range(ranked.rank if ranked else None) or NOTHING)
    made = []
    for column in columns:
        long, short = [], []
        for entry in section.entries:
            figure = entry.figures.get(column.key)
            if figure is None:
                long.append("")
                short.append("")
                continue
            marks = f" {figure.letters}" if figure.letters else ""
            marks += "".join(f" ({flags[flag]})" for flag in figure.flags)
            long.append(figure_text(figure.interval) + marks)
            short.append((rounded(figure.interval)[0] or NOTHING) + marks)
        made.append(_Column(heading(column), tuple(long), tuple(short)))
    names = [entry.name for entry in section.entries]
    return _fitted(section.title, ranks if ranking else None, names, made, width)


def _pool(pool: Pool, width: int) -> "Table":
    ranked = next((own for own in pool.ratings if own.ranks), None)
    order = pool_order(pool)
    made = []
    for own in pool.ratings:
        given = own.letters or ("",) * len(order)
        letters = [f" {given[i]}" if given[i] else "" for i in order]
        values = [own.values[i] for i in order]
        made.append(
            _Column(
                heading(own),
                tuple(figure_text(v) + x for v, x in zip(values, letters, strict=True)),
                tuple((rounded(v)[0] or NOTHING) + x for v, x in zip(values, letters, strict=True)),
            )
        )
    ranks = [rank_range(ranked.ranks[i]) for i in order] if ranked else None
    return _fitted(pool.title, ranks, [pool.names[i] for i in order], made, width)


def _fitted(
    title: str,
    ranks: Sequence[str] | None,
    names: Sequence[str],
    columns: Sequence[_Column],
    width: int,
) -> "Table":
    from rich.cells import cell_len
    from rich.table import Table

    longest = max((cell_len(printable(name)) for name in names), default=0)
    name_width = max(min(longest, NAME), len("policy"))
    fixed = [name_width] + ([max(4, *map(len, ranks))] if ranks else [])
    with_intervals = _width(fixed, columns, long=True) <= width
    kept = list(columns)
    while len(kept) > 1 and _width(fixed, kept, long=with_intervals) > width:
        kept.pop()
    gone = [] if with_intervals else ["intervals"]
    gone += [own.title for own in columns[len(kept) :]]
    table = Table(title=_text(title), title_justify="left", header_style="bold")
    fits = _width(fixed, kept, long=with_intervals) <= width
    if ranks:
        table.add_column("rank", justify="right", no_wrap=fits, overflow="fold")
    table.add_column("policy", overflow="fold", min_width=name_width if fits else None)
    for own in kept:
        table.add_column(_text(own.title), justify="right", no_wrap=fits, overflow="fold")
    for place, name in enumerate(names):
        cells = [own.long[place] if with_intervals else own.short[place] for own in kept]
        table.add_row(*([ranks[place]] if ranks else []), _text(name), *map(_text, cells))
    if gone:
        table.caption = _text(f"not shown for want of room: {', '.join(gone)}")
        table.caption_justify = "left"
    return table


def _width(fixed: Sequence[int], columns: Sequence[_Column], *, long: bool) -> int:
    """Of a table of these columns, its lines included."""
    from rich.cells import cell_len

    cells = [max(map(cell_len, [own.title, *(own.long if long else own.short)])) for own in columns]
    return 1 + sum(width + 3 for width in (*fixed, *cells))


def _text(text: str) -> str:
    """Free of markup and of what would do something to the terminal."""
    from rich.markup import escape

    return escape(printable(text))
