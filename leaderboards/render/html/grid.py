"""Tables of figures as the template sees them: headings, rows, cells, footnotes."""

from dataclasses import dataclass

from leaderboards.board import Direction
from leaderboards.render.footnotes import Footnotes
from leaderboards.render.html.cells import CellView
from leaderboards.render.html.scale import Scale

ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
WORDS = {"higher": "higher is better", "lower": "lower is better", "neither": ""}


@dataclass(frozen=True)
class Head:
    """A column's heading.

    Attributes:
        title: short.
        under: benchmark, judge and unit, small.
        better: which direction is.
        ends: of the axis that the cells' drawings share; empty where nothing is drawn.
        sorted: "ascending" or "descending" where the rows are sorted by it.
    """

    title: str
    under: str = ""
    better: Direction = "neither"
    ends: tuple[str, ...] = ()
    sorted: str = ""

    @property
    def arrow(self) -> str:
        """Points to the better end."""
        return ARROWS[self.better]

    @property
    def words(self) -> str:
        """The arrow, for those who do not see it."""
        return WORDS[self.better]


@dataclass(frozen=True)
class RowView:
    """One policy.

    Attributes:
        name: of the policy.
        under: label, iteration, seeds; small.
        rank: ``1–3`` or "".
        rank_order: that the rank sorts by.
        letters: of the policies that it cannot be told from.
        cells: one a column.
    """

    name: str
    under: str
    rank: str
    rank_order: str
    letters: str
    cells: tuple[CellView, ...]


@dataclass(frozen=True)
class Explained:
    """A column in words: its title, one line, and facts."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GridView:
    """A table of figures.

    Attributes:
        key: unique on the page.
        label: for readers who do not see it.
        ranked_by: what the ranks are about; "" where there is no column of ranks.
        heads, rows: of the table.
        footnotes: warnings of the figures; None where there are none.
        explained: what the columns mean.
    """

    key: str
    label: str
    ranked_by: str
    heads: tuple[Head, ...]
    rows: tuple[RowView, ...]
    footnotes: Footnotes | None = None
    explained: tuple[Explained, ...] = ()

    @property
    def tall(self) -> bool:
        """Whether it scrolls within its own box."""
        return len(self.rows) > 24


def axis_ends(scale: Scale | None) -> tuple[str, ...]:
    """Labels of both ends of an axis."""
    if scale is None or not scale.ticks:
        return ()
    return (scale.ticks[0][1], scale.ticks[-1][1])


def direction(better: Direction) -> str:
    """How rows lie that are sorted best first."""
    return "descending" if better == "higher" else "ascending"


def rank_order(rank: tuple[int, int] | None) -> str:
    """What ranks sort by: the best place, then the worst."""
    return f"{rank[0] + rank[1] / 1e6:.6f}" if rank else ""
