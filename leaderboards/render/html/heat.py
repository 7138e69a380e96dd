"""The win matrix as a heat map: a table of numbers while they can be read, else a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leaderboards.board import Pool
from leaderboards.render.html.texts import short_names
from leaderboards.render.words import NOTHING, drawn_names
from simulators.report.figures.palette import VARIABLES, style

#: Policies: with numbers in the cells, and in all.
MOST_NUMBERS, MOST = 20, 60
#: Shades from a sure loss to a sure win; the middle one is an even game.
SHADES = 20
#: Share of pure colour in the deepest shade: text on it can still be read.
DEEPEST = 0.58
_NAME, _HEADING = 26, 18
SIDE, LEFT, TOP = 12, 190, 20


@dataclass(frozen=True)
class HeatCell:
    """One pair.

    Attributes:
        kind: class of its shade; "self" and "absent" for no game.
        text: win rate in per cent.
        sure: its interval leaves out 1/2.
    """

    kind: str
    text: str
    sure: bool = False


@dataclass(frozen=True)
class HeatView:
    """What the template writes.

    Attributes:
        names: of the policies, best first, shortened.
        headings: of the columns, shorter.
        rows: (N, N) cells; empty where a picture is drawn.
        shades: of the picture, by class: the path of all its squares.
        hidden: policies beyond `MOST`.
        absent: whether some pair was not measured.
    """

    names: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[HeatCell, ...], ...]
    shades: tuple[tuple[str, str], ...]
    hidden: int
    absent: bool

    @property
    def size(self) -> int:
        """Policies drawn."""
        return len(self.names)

    @property
    def width(self) -> int:
        """Of the picture."""
        return LEFT + SIDE * self.size

    @property
    def height(self) -> int:
        """Of the picture."""
        return TOP + SIDE * self.size


def heat_view(pool: Pool, order: Sequence[int]) -> HeatView:
    """The heat map.

    Args:
        pool: with its matrix.
        order: of the policies, best first.
    """
    drawn, names = list(order[:MOST]), drawn_names(pool)
    cells = tuple(tuple(_cell(pool, i, j) for j in drawn) for i in drawn)
    written = len(drawn) <= MOST_NUMBERS
    return HeatView(
        short_names([names[i] for i in drawn], _NAME),
        short_names([names[i] for i in drawn], _HEADING),
        cells if written else (),
        () if written else _shades(cells),
        len(order) - len(drawn),
        any(one.kind == "absent" for row in cells for one in row),
    )


def heat_rules() -> str:
    """The shades as CSS: from the colour of losses through the page's to that of wins."""
    loss, win = (VARIABLES[style(place).color][0] for place in (1, 0))
    rules = []
    for shade in range(SHADES + 1):
        lean = DEEPEST * (2 * shade / SHADES - 1)
        color = f"color-mix(in srgb, var({win if lean > 0 else loss}) {abs(lean):.0%}, "
        rules.append(f".h{shade} {{ --shade: {color}var(--surface)); }}")
    return "\n".join(rules)


def percent(rate: float) -> str:
    """Whole per cents; what rounds to 0 or 100 without being it is <1 or >99."""
    if 0 < rate < 0.005:
        return "<1"
    if 0.995 <= rate < 1:
        return ">99"
    return f"{100 * rate:.0f}"


def _cell(pool: Pool, i: int, j: int) -> HeatCell:
    if i == j:
        return HeatCell("self", "·")
    rate = float(pool.wins[i, j])
    if math.isnan(rate):
        return HeatCell("absent", NOTHING)
    shade = min(max(round(rate * SHADES), 0), SHADES)
    low, high = float(pool.low[i, j]), float(pool.high[i, j])
    return HeatCell(f"h{shade}", percent(rate), sure=low > 0.5 or high < 0.5)


def _shades(cells: Sequence[Sequence[HeatCell]]) -> tuple[tuple[str, str], ...]:
    """Squares of one shade are one path; neighbours in a row one rectangle."""
    kinds = np.array([[one.kind for one in row] for row in cells])
    paths: dict[str, list[str]] = {}
    for i, row in enumerate(kinds):
        starts = [0, *(np.flatnonzero(row[1:] != row[:-1]) + 1)]
        for start, stop in zip(starts, [*starts[1:], len(row)], strict=True):
            corner = f"M{LEFT + SIDE * start} {TOP + SIDE * i}"
            paths.setdefault(str(row[start]), []).append(
                f"{corner}h{SIDE * (stop - start)}v{SIDE}h-{SIDE * (stop - start)}z"
            )
    return tuple((kind, "".join(parts)) for kind, parts in sorted(paths.items()))
