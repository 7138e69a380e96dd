"""A section of the board as a grid of figures, and a second one for its further columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboards.board import Column, Entry, Section
from leaderboards.options import BoardOptions
from leaderboards.render.bold import bold_policies
from leaderboards.render.column_places import of_columns
from leaderboards.render.footnotes import Footnotes, footnotes
from leaderboards.render.html.cells import EMPTY, ITSELF, CellView, cell
from leaderboards.render.html.grid import (
    Explained,
    GridView,
    Head,
    RowView,
    axis_ends,
    direction,
    rank_order,
)
from leaderboards.render.html.scale import Scale, scale_of
from leaderboards.render.html.texts import counted, number, typeset
from leaderboards.render.rounding import Places
from leaderboards.render.select import ranking_column, shown_columns
from leaderboards.render.words import (
    NOTHING,
    about_column,
    is_opponent,
    label_of,
    rank_range,
    same_words,
    short,
    unit_of,
)

#: Cells of columns that were not asked for, of all sections; beyond, they are in the other files.
MOST_FURTHER_CELLS = 6000


@dataclass(frozen=True)
class SectionView:
    """What the template writes of a section.

    Attributes:
        key: unique on the page.
        title: above it.
        grid: the columns that are shown, or None where all that were asked for stand elsewhere.
        further: the other columns, or None.
        hidden: how many columns are on the page in neither.
        notes: one line each.
    """

    key: str
    title: str
    grid: GridView | None
    further: GridView | None
    hidden: int
    notes: tuple[str, ...]


def section_view(section: Section, options: BoardOptions, place: int) -> SectionView:
    """The grids of a section.

    Args:
        section: of the board.
        options: that the board was made with.
        place: of the section on the page, from 1.
    """
    shown = shown_columns(section, options)
    keys = {column.key for column in shown}
    others = tuple(column for column in section.columns if column.key not in keys)
    room = len(others) * len(section.entries) <= MOST_FURTHER_CELLS
    key = f"section-{place}"
    return SectionView(
        key,
        section.title,
        _grid(section, shown, key) if shown else None,
        _grid(section, others, f"{key}-further") if others and room else None,
        0 if room else len(others),
        section.notes,
    )


def _grid(section: Section, columns: Sequence[Column], key: str) -> GridView:
    scales = {column.key: _scale(section, column.key) for column in columns}
    best = {column.key: bold_policies(section, column) for column in columns}
    notes, places = footnotes(section, columns), of_columns(section, columns)
    ranked = ranking_column(section, columns)
    rows = tuple(
        _row(
            entry,
            ranked.key if ranked else "",
            tuple(
                _cell(entry, c, scales[c.key], places[c.key], entry.name in best[c.key], notes)
                for c in columns
            ),
        )
        for entry in section.entries
    )
    heads = tuple(_head(c, scales[c.key], c.key == section.sorted_by) for c in columns)
    explained = tuple(_explained(section, column) for column in columns)
    return GridView(
        key,
        section.title,
        ranked.title if ranked else "",
        heads,
        rows,
        notes if notes.notes else None,
        explained,
    )


def _scale(section: Section, key: str) -> Scale | None:
    return scale_of([e.figures[key].interval for e in section.entries if key in e.figures])


def _head(column: Column, scale: Scale | None, is_sorted: bool) -> Head:
    under = [part for part in (unit_of(column), column.judge) if part]
    return Head(
        column.title,
        " · ".join(under),
        column.better,
        axis_ends(scale),
        direction(column.better) if is_sorted else "",
    )


def _row(entry: Entry, ranked_by: str, cells: tuple[CellView, ...]) -> RowView:
    figure = entry.figures.get(ranked_by)
    rank = figure.rank if figure else None
    parts = [label] if (label := label_of(entry)) else []
    if not same_words(entry.algorithm, entry.name, entry.label):
        parts.append(entry.algorithm)
    if entry.iteration is not None:
        parts.append(f"iteration {number(entry.iteration)}")
    if len(entry.seeds) > 1:
        parts.append(counted(len(entry.seeds), "seed"))
    return RowView(
        entry.name,
        " · ".join(parts),
        rank_range(rank),
        rank_order(rank),
        figure.letters if figure else "",
        cells,
    )


def _cell(
    entry: Entry,
    column: Column,
    scale: Scale | None,
    places: Places,
    best: bool,
    notes: Footnotes,
) -> CellView:
    figure = entry.figures.get(column.key)
    if figure is None:
        return ITSELF if is_opponent(entry, column) else EMPTY
    spread = ""
    if figure.spread is not None:
        spread = f"SD {_spread(figure.spread)}"
    marks = notes.of(figure.flags)
    return cell(figure.interval, scale, places, best=best, notes=marks, spread=spread)


def _spread(spread: float) -> str:
    """A standard deviation, to two digits."""
    return typeset(f"{spread:#.2g}".rstrip(".")) if spread else "0"


def _explained(section: Section, column: Column) -> Explained:
    facts = [
        ("key", column.key),
        ("benchmark", column.benchmark),
        ("metric", column.metric),
        ("judge", column.judge),
        *((f"{role} (hash)", short(digest)) for role, digest in column.conditions.items()),
    ]
    kept = tuple((name, value) for name, value in facts if value)
    return Explained(column.title, about_column(section, column) or NOTHING, kept)
