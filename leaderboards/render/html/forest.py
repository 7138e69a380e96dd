"""Rating plots: a dot and a whisker for each policy, and bars that join whom one cannot tell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.statistics import Interval
from leaderboards.board import Pool, Rating
from leaderboards.render.bold import bold_places
from leaderboards.render.html.cells import pixels
from leaderboards.render.html.scale import scale_of
from leaderboards.render.html.texts import short_names
from leaderboards.render.select import rating_order
from leaderboards.render.words import drawn_names, rank_range, unit_of

MOST, MOST_PLOTS, MOST_LANES = 60, 4, 11
#: Ratings that are shares of a mixture: policies below these two have none to speak of.
MIXTURES = ("maximal-lottery", "alpha-rank")
SHARE, UPPER = 0.005, 0.01
#: Which ratings are plotted first: those that differ from one another the most.
FIRST = ("bradley-terry", "worst-case", "maximal-lottery", "alpha-rank")
_NAME = 18
ROW, WIDTH, LEFT, TOP = 19, 480, 150, 6
_RIGHT = 372
_FOOT, _BAR = 22, 9


@dataclass(frozen=True)
class Mark:
    """One policy.

    Attributes:
        name: shortened.
        y: of its row.
        dot: abscissa, "" where there is no number.
        whisker: the path, "" without an interval.
        rank: ``1–3`` or "".
        best: bold; see `leaderboards.render.bold`.
    """

    name: str
    y: str
    dot: str
    whisker: str
    rank: str
    best: bool


@dataclass(frozen=True)
class ForestView:
    """What the template writes.

    Attributes:
        title, unit: of the rating.
        marks: of the policies, best first.
        ticks: abscissa and label.
        bars: paths: each joins policies that do not differ.
        height: of the picture.
        axis: ordinate of the axis.
        hidden: policies beyond `MOST`.
        without: of a mixture, how many policies have no share and are not drawn.
    """

    title: str
    unit: str
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[str, str], ...]
    bars: tuple[str, ...]
    height: int
    axis: int
    hidden: int
    without: int = 0


def forest_views(pool: Pool) -> tuple[ForestView, ...]:
    """Ratings that have intervals: those of `FIRST`, then others, at most `MOST_PLOTS`."""
    drawn = [rating for rating in pool.ratings if _has_intervals(rating)]
    drawn.sort(key=lambda own: FIRST.index(own.key) if own.key in FIRST else len(FIRST))
    return tuple(view for one in drawn[:MOST_PLOTS] if (view := _view(pool, one)))


def _has_intervals(rating: Rating) -> bool:
    return any(one.low is not None and one.high is not None for one in rating.values)


def _view(pool: Pool, rating: Rating) -> ForestView | None:
    order = rating_order(rating)
    shared = [i for i in order if _has_share(rating.values[i])] if rating.key in MIXTURES else order
    shared = shared or order
    drawn, bold = shared[:MOST], bold_places(rating)
    scale = scale_of([rating.values[i] for i in drawn], most=5)
    if scale is None:
        return None

    def x(value: float) -> str:
        return pixels(LEFT + scale.place(value) * (_RIGHT - LEFT))

    marks = []
    drawn_as = drawn_names(pool)
    names = short_names([drawn_as[i] for i in drawn], _NAME)
    for place, i in enumerate(drawn):
        one, y = rating.values[i], TOP + ROW * place + ROW / 2
        whisker = ""
        if one.low is not None and one.high is not None and math.isfinite(one.value):
            whisker = f"M{x(one.low)} {pixels(y)}H{x(one.high)}"
        rank = rating.ranks[i] if rating.ranks else None
        marks.append(
            Mark(
                names[place],
                pixels(y),
                x(one.value) if math.isfinite(one.value) else "",
                whisker,
                rank_range(rank),
                bold[i],
            )
        )
    axis = TOP + ROW * len(drawn)
    return ForestView(
        rating.title,
        unit_of(rating),
        tuple(marks),
        tuple((x(value), label) for value, label in scale.ticks),
        _bars([rating.letters[i] for i in drawn]) if rating.letters else (),
        axis + _FOOT,
        axis,
        len(shared) - len(drawn),
        len(order) - len(shared),
    )


def _has_share(share: Interval) -> bool:
    return share.value > SHARE or (share.high is not None and share.high > UPPER)


def _bars(letters: Sequence[str]) -> tuple[str, ...]:
    """A path a letter: a line from its first member to its last, a dot at each.

    A letter of one policy joins nothing, and too many letters could not be read.
    """
    groups = {
        letter: [place for place, own in enumerate(letters) if letter in own]
        for letter in sorted(set("".join(letters)))
    }
    joined = sorted(places for places in groups.values() if len(places) > 1)
    lanes: list[int] = []  # the last place taken in each
    paths = []
    for places in joined:
        lane = next((i for i, last in enumerate(lanes) if last + 1 < places[0]), len(lanes))
        lanes[lane:] = [places[-1], *lanes[lane + 1 :]]
        x = _RIGHT + 10 + lane * _BAR
        middles = [TOP + ROW * place + ROW / 2 for place in places]
        line = f"M{x} {pixels(middles[0] - 4)}V{pixels(middles[-1] + 4)}"
        paths.append(line + "".join(f"M{x - 2.5} {pixels(y)}h5" for y in middles))
    return tuple(paths) if len(lanes) <= MOST_LANES else ()
