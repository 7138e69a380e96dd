"""A pool of policies: heat map, rating plots, and the table of all ratings."""

from collections.abc import Mapping
from dataclasses import dataclass

from leaderboards.board import Pool
from leaderboards.render.bold import bold_places
from leaderboards.render.column_places import of_rating
from leaderboards.render.html.cells import cell
from leaderboards.render.html.forest import ForestView, forest_views
from leaderboards.render.html.grid import (
    Explained,
    GridView,
    Head,
    RowView,
    axis_ends,
    direction,
    rank_order,
)
from leaderboards.render.html.heat import HeatView, heat_view
from leaderboards.render.html.scale import scale_of
from leaderboards.render.select import pool_order
from leaderboards.render.words import about_pool, about_rating, rank_range, sources_text, unit_of


@dataclass(frozen=True)
class PoolView:
    """What the template writes of a pool.

    Attributes:
        key: unique on the page.
        title: above it.
        judge: whose preferences.
        about: one line each: cyclic share, uniqueness, notes.
        heat: the matrix.
        forests: rating plots.
        grid: all ratings; None where there are none.
        sources: the files it was made of.
        folded: shown on demand: an earlier pool is of the same run.
    """

    key: str
    title: str
    judge: str
    about: tuple[str, ...]
    heat: HeatView
    forests: tuple[ForestView, ...]
    grid: GridView | None
    sources: str
    folded: bool


def pool_view(
    pool: Pool, place: int, labels: Mapping[str, str] | None = None, *, folded: bool = False
) -> PoolView:
    """The view of a pool.

    Args:
        pool: of the board.
        place: among the page's pools, from 1.
        labels: names of methods in papers, by policy.
        folded: as in the view.
    """
    key = f"pool-{place}"
    order = pool_order(pool)
    return PoolView(
        key,
        pool.title,
        pool.judge,
        tuple(about_pool(pool)),
        heat_view(pool, order),
        forest_views(pool),
        _grid(pool, order, key, labels or {}) if pool.ratings else None,
        sources_text(pool.sources),
        folded,
    )


def _grid(pool: Pool, order: list[int], key: str, labels: Mapping[str, str]) -> GridView:
    scales = [scale_of(rating.values) for rating in pool.ratings]
    drawn = [
        (own, scale, of_rating(own), bold_places(own))
        for own, scale in zip(pool.ratings, scales, strict=True)
    ]
    first = next((rating for rating in pool.ratings if rating.ranks), None)
    rows = []
    for i in order:
        rank = first.ranks[i] if first else None
        cells = tuple(
            cell(own.values[i], scale, places, best=best[i]) for own, scale, places, best in drawn
        )
        letters = first.letters[i] if first and first.letters else ""
        name = pool.names[i]
        under = labels.get(name, "")
        rows.append(RowView(name, under, rank_range(rank), rank_order(rank), letters, cells))
    heads = tuple(
        Head(
            rating.title,
            unit_of(rating),
            rating.better,
            axis_ends(scale),
            direction(rating.better) if place == 0 else "",
        )
        for place, (rating, scale) in enumerate(zip(pool.ratings, scales, strict=True))
    )
    return GridView(
        f"{key}-ratings",
        f"Ratings: {pool.title}",
        first.title if first else "",
        heads,
        tuple(rows),
        None,
        tuple(Explained(rating.title, about_rating(rating)) for rating in pool.ratings),
    )
