"""Ratings that need no complete matrix: Bradley-Terry and Elo, with intervals and ranks."""

from dataclasses import dataclass

import numpy as np

from evaluation.statistics import Interval
from leaderboards.board import Rating
from leaderboards.ratings import bradley_terry, elo
from leaderboards.ratings.comparing import around, compared, significant
from leaderboards.ratings.connected import connected, groups, reachable
from leaderboards.ratings.draws import Draws
from leaderboards.ratings.games import Array, Games
from leaderboards.ratings.ranks import rank_groups

#: Of the draws, at least this share must link all players by games.
LINKED = 0.9


@dataclass(frozen=True, eq=False)
class Rated:
    """A rating with its draws.

    Attributes:
        values: (N,) of the sample.
        drawn: (R, N) of the draws, all players' from the same ones; R is 0 without intervals.
    """

    values: Array
    drawn: Array


@dataclass(frozen=True, eq=False)
class Scales:
    """The ratings that need no complete matrix, where the games allow them.

    Attributes:
        bradley_terry, elo: None where the games do not allow them.
        notes: why not, and what was done to the draws.
    """

    bradley_terry: Rated | None
    elo: Rated | None
    notes: tuple[str, ...]


def rate_scales(games: Games, draws: Draws) -> Scales:
    """Bradley-Terry and Elo, of the sample and of its draws."""
    points, played = games.points.sum(axis=0), games.played.sum(axis=0)
    apart = groups(reachable(played > 0))
    if len(apart) > 1:
        told = _told(games, apart[-1])
        return Scales(
            None, None, (f"Bradley-Terry and Elo left out: no games link {told} with the others",)
        )
    usable, notes = _linked(draws)
    fitted = None
    if never := _separated(games, points):
        notes.append(f"Bradley-Terry left out, ratings would be infinite: {never}")
    else:
        fitted, changed = bradley_terry_draws(games, usable)
        if changed:
            notes.append(
                f"Bradley-Terry: in {changed} of {len(usable.points)} draws somebody never lost or "
                "never won; there everybody was given half a game's points against the others"
            )
    moved = None
    if games.units < 2:
        notes.append("Elo left out: it depends on how many games were played")
    elif fitted is not None and elo.settles(fitted.values, played):
        value = elo.elo_ratings(points[None], played[None])[0]
        moved = Rated(value, fitted.drawn)
    else:
        moved = Rated(
            elo.elo_ratings(points[None], played[None])[0],
            elo.elo_ratings(usable.points, usable.played),
        )
    return Scales(fitted, moved, tuple(notes))


def scale_ratings(games: Games, scales: Scales) -> tuple[Rating, ...]:
    """As they stand on a board."""
    found = []
    if scales.bradley_terry is not None:
        found.append(
            ranked(
                games,
                scales.bradley_terry,
                key="bradley-terry",
                title="Bradley-Terry",
                explanation=(
                    "Ratings under which the games are likeliest; 400 points are odds of ten to "
                    "one, and the mean is 1000"
                ),
            )
        )
    if scales.elo is not None:
        found.append(
            ranked(
                games,
                scales.elo,
                key="elo",
                title="Elo",
                explanation=(
                    "From 1000, moves by up to 4 points a game, in any order; with few games it "
                    "stays near 1000"
                ),
            )
        )
    return tuple(found)


def ranked(
    games: Games,
    rated: Rated,
    *,
    key: str,
    title: str,
    explanation: str,
    unit: str = "Elo points",
    intervals: tuple[Interval, ...] = (),
) -> Rating:
    """A rating whose differences are estimated from joint draws.

    Args:
        games: what was rated.
        rated: the rating.
        key: of the `Rating`.
        title: over its column.
        explanation: one line.
        unit: of the values; higher is better.
        intervals: in place of those from the draws.
    """
    pairs = compared(games.names, rated.values, rated.drawn, games.units)
    ranks, letters = rank_groups(
        rated.values.tolist(), significant(games.names, pairs), better="higher"
    )
    return Rating(
        key=key,
        title=title,
        explanation=explanation,
        unit=unit,
        better="higher",
        values=intervals or around(rated.values, rated.drawn, games=games.total, units=games.units),
        ranks=tuple(ranks) if len(rated.drawn) else (),
        letters=tuple(letters) if len(rated.drawn) else (),
    )


def bradley_terry_draws(games: Games, draws: Draws) -> tuple[Rated, int]:
    """Ratings, and how many draws were corrected (`bradley_terry.corrected`).

    Args:
        games: with a Bradley-Terry fit.
        draws: each links all players.
    """
    points, played = games.points.sum(axis=0), games.played.sum(axis=0)
    values = bradley_terry.fit(points)
    start = (values - bradley_terry.MEAN) / bradley_terry.SCALE
    made = bradley_terry.corrected(draws.points, played > 0)
    if made is draws.points:
        return Rated(values, bradley_terry.fit_many(made, draws.played, start)), 0
    changed = int((made != draws.points).any(axis=(1, 2)).sum())
    both = made + np.swapaxes(made, 1, 2)
    return Rated(values, bradley_terry.fit_many(made, both, start)), changed


def _linked(draws: Draws) -> tuple[Draws, list[str]]:
    """The draws that link all players by games."""
    total = len(draws.points)
    if not total:
        return draws, []
    if len(draws.played) == 1:
        return draws, []
    good = connected(draws.played)
    if good.all():
        return draws, []
    if good.mean() < LINKED:
        return Draws(draws.points[:0], draws.played[:1]), [
            f"Bradley-Terry and Elo have no intervals: {total - int(good.sum())} of {total} draws "
            "do not link all players"
        ]
    return Draws(draws.points[good], draws.played[good]), [
        f"Bradley-Terry and Elo: {total - int(good.sum())} of {total} draws do not link all "
        "players and are left out"
    ]


def _separated(games: Games, points: Array) -> str:
    """Who never lost, or never won, where the Bradley-Terry fit does not exist; else ""."""
    paths = reachable(points > 0)
    if paths.all():
        return ""
    for group in groups(paths):
        others = [i for i in range(len(points)) if i not in group]
        if not points[np.ix_(others, list(group))].any():
            return f"{_told(games, group)} scored every point against the others"
    raise AssertionError("some group of players has lost nothing to the others")


def _told(games: Games, group: tuple[int, ...]) -> str:
    told = ", ".join(games.names[i] for i in group[:5])
    return told + (f" and {len(group) - 5} more" if len(group) > 5 else "")
