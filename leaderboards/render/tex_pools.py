"""Pools as TeX: tables of ratings, and the win matrix where it fits a page."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from evaluation.statistics import Interval
from leaderboards.board import Pool
from leaderboards.render.bold import BOLD, bold_places
from leaderboards.render.column_places import of_matrix, of_rating
from leaderboards.render.select import pool_order
from leaderboards.render.tex_cells import NOTHING, arrow, figure_tex, legend, plain_letters
from leaderboards.render.tex_table import (
    MOST_FIGURES,
    TexTable,
    all_cells,
    ends,
    grouped_head,
    of_several,
    parts,
    row_line,
)
from leaderboards.render.tex_text import tex
from leaderboards.render.words import about_pool, rank_range, unit_of

#: Policies of a pool whose win matrix fits a page: with intervals, and without.
MOST_WITH_INTERVALS, MOST_IN_MATRIX = 5, 12


def pool_tables(pool: Pool, label: str, labels: Mapping[str, str]) -> Iterator[TexTable]:
    """The tables.

    Args:
        pool: of the board.
        label: to refer to them.
        labels: names of methods in papers, by policy.
    """
    names = [tex(own) for own in _names(pool, labels)]
    order = pool_order(pool)
    ranked = next((own for own in pool.ratings if own.ranks), None)
    sizes = parts([1] * len(pool.ratings), MOST_FIGURES) if pool.ratings else []
    for number, (start, stop) in enumerate(ends(sizes), 1):
        own = [(r, of_rating(r), bold_places(r)) for r in pool.ratings[start:stop]]
        rows = []
        for i in order:
            row = ([rank_range(ranked.ranks[i], "--")] if ranked else []) + [names[i]]
            for rating, places, bold in own:
                letters = plain_letters(rating.letters[i]) if rating.letters else ""
                row.append(figure_tex(rating.values[i], places, bold=bold[i], letters=letters))
            rows.append(tuple(row))
        heads = [
            f"{rating.title}{arrow(rating)}" + (f" ({unit_of(rating)})" if unit_of(rating) else "")
            for rating, _, _ in own
        ]
        caption = f"{tex(pool.title)}: ratings."
        caption += f" Ranked by {tex(ranked.title)}." if ranked else ""
        said = legend(all_cells(rows), BOLD)
        yield TexTable(
            ("r" if ranked else "") + "l" + "r" * len(own),
            grouped_head((["Rank"] if ranked else []) + ["Policy"], [("", h) for h in heads]),
            tuple(rows),
            of_several(caption, number, len(sizes)),
            f"{label}-{number}" if number > 1 else label,
            (said,) if said else (),
        )
    if len(names) <= MOST_IN_MATRIX:
        yield _matrix(pool, names, f"{label}-wins")


def _names(pool: Pool, labels: Mapping[str, str]) -> list[str]:
    """The methods' names in papers, where no two policies share them."""
    count = Counter(labels.get(name, name) for name in pool.names)
    found = []
    for name in pool.names:
        label = labels.get(name, name)
        found.append(label if count[label] == 1 else f"{label} ({name})" if label != name else name)
    return found


def _matrix(pool: Pool, names: Sequence[str], label: str) -> TexTable:
    order, places = pool_order(pool), of_matrix(pool)
    with_intervals = len(order) <= MOST_WITH_INTERVALS
    if not with_intervals:
        places = replace(places, decimals=2)
    head = ["", "Policy", *(str(number) for number in range(1, len(order) + 1))]
    rows = tuple(
        (
            str(number),
            names[i],
            *(
                NOTHING if i == j else figure_tex(_pair(pool, i, j, with_intervals), places)
                for j in order
            ),
        )
        for number, i in enumerate(order, 1)
    )
    caption = f"{tex(pool.title)}: win rates of row against column."
    said = tex(about_pool(pool)[0])
    if with_intervals:
        said = f"{said} {legend(all_cells(rows), '')}".rstrip()
    else:
        said += " The intervals are in leaderboard.json."
    return TexTable("rl" + "r" * len(order), (row_line(head),), rows, caption, label, (said,))


def _pair(pool: Pool, i: int, j: int, with_interval: bool) -> Interval:
    low, high = float(pool.low[i, j]), float(pool.high[i, j])
    known = with_interval and not math.isnan(low + high)
    return Interval(float(pool.wins[i, j]), low if known else None, high if known else None, 0, 0)
