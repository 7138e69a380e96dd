"""A pool of players: its win matrix and all ratings that its games allow."""

from collections.abc import Iterator, Sequence

import numpy as np

from evaluation.statistics import Interval, PairedComparison
from evaluation.winmatrix import solve_pool
from leaderboards.board import Basis, Pool, Rating, Source
from leaderboards.ratings.comparing import compared
from leaderboards.ratings.complete import average_win_rates, complete_ratings
from leaderboards.ratings.draws import REPLICATES, Draws, draw
from leaderboards.ratings.games import Games
from leaderboards.ratings.methods import Seeded, games_over_seeds
from leaderboards.ratings.ranks import MOST
from leaderboards.ratings.sample import LARGE, by_draws, pair_intervals, sample_of
from leaderboards.ratings.scales import Rated, rate_scales, scale_ratings
from mnpo.errors import InvalidSetting


def make_pool(
    games: Games,
    *,
    key: str,
    title: str,
    judge: str = "",
    sources: tuple[Source, ...] = (),
    notes: tuple[str, ...] = (),
    seed: int = 0,
) -> Pool:
    """Rate everybody.

    Ratings that need every pair are left out where some did not play, Bradley-Terry and Elo where
    no games link some players, Bradley-Terry where somebody lost nothing; the notes say so.

    Args:
        games: what was counted.
        key: unique on the board.
        title: above the pool, with judge and questions.
        judge: whose preferences; "" where nobody was asked.
        sources: the files that the games were read from.
        notes: one line each, before those about the ratings.
        seed: of all draws.
    """
    return _rated(games, draw(games, seed=seed), key, title, judge, sources, notes, seed)


def make_method_pool(
    games: Games,
    methods: Sequence[str],
    *,
    key: str,
    title: str,
    judge: str = "",
    sources: tuple[Source, ...] = (),
    notes: tuple[str, ...] = (),
    seed: int = 0,
) -> Pool:
    """Rate methods over their training seeds; see `leaderboards.ratings.methods`.

    Args:
        games: of N policies on prompts.
        methods: (N,) of each policy.
        key: unique on the board.
        title: above the pool.
        judge: whose preferences.
        sources: the files that the games were read from.
        notes: one line each, before those about seeds and ratings.
        seed: of all draws.

    Raises:
        InvalidSetting: from `games_over_seeds`.
    """
    found = games_over_seeds(games, methods, seed=seed)
    told = (*notes, *_seeds_told(found)) if found.games.effective is not None else notes
    return _rated(found.games, found.draws, key, title, judge, sources, told, seed)


def _seeds_told(found: Seeded) -> tuple[str, str]:
    counted = zip(found.games.names, found.seeds, strict=True)
    single = [name for name, count in counted if count == 1]
    several = " or ".join(map(str, sorted({count for count in found.seeds if count > 1})))
    return (
        "a win rate is the mean over all pairs of the two methods' seeds; intervals count prompts "
        f"and training seeds, as if of {found.games.units} independent prompts",
        f"with {several} seeds a method what intervals say of other seeds is rough"
        + (f"; one policy each, whose seed is not counted: {', '.join(single)}" if single else ""),
    )


def _rated(
    games: Games,
    draws: Draws,
    key: str,
    title: str,
    judge: str,
    sources: tuple[Source, ...],
    notes: tuple[str, ...],
    seed: int,
) -> Pool:
    scales = rate_scales(games, draws)
    ratings, told = scale_ratings(games, scales), list(scales.notes)
    low, high = pair_intervals(games, draws)
    basis = _basis(games)
    cyclic, unique = None, None
    if games.complete:
        whole = complete_ratings(games, sample_of(games, draws, seed))
        ratings = (whole.average, *ratings, *whole.others)
        cyclic, unique = whole.cyclic_share, solve_pool(games.win_rates).nash_is_unique
    else:
        told.insert(0, _incomplete(games))
    if basis == "none":
        told.insert(0, "no intervals: it is not known how many prompts or games are behind this")
    if len(games.names) > MOST:
        told.append(f"more than {MOST} players: ranges of ranks, without letters")
    if by_draws(games) and games.effective is None and len(draws.points):
        told.append(
            f"more than {LARGE} players: intervals of single pairs come from the draws of all "
            "prompts"
        )
    if 0 < len(draws.points) < REPLICATES:
        told.append(
            f"{len(games.names)} players: intervals come from {len(draws.points)} draws, not from "
            f"{REPLICATES}, to bound time and memory"
        )
    if any(own.low is None for own in _shares(ratings)) and basis != "none":
        told.append(
            "maximal lottery, alpha-rank: where a share has no interval, no draw, or hardly one, "
            "had another"
        )
    return Pool(
        key=key,
        title=title,
        judge=judge,
        names=games.names,
        wins=games.win_rates,
        low=low,
        high=high,
        ratings=ratings,
        cyclic_share=cyclic,
        nash_is_unique=unique,
        basis=basis,
        notes=(*notes, *told),
        sources=sources,
    )


def _basis(games: Games) -> Basis:
    if games.units < 2:
        return "none"
    if games.effective is not None:
        return "seeds and prompts"
    return "prompts" if games.clustered else "games"


def _shares(ratings: Sequence[Rating]) -> Iterator[Interval]:
    for own in ratings:
        if own.unit == "probability":
            yield from own.values


def compare(
    games: Games, rating: str = "bradley-terry", *, seed: int = 0, level: float = 0.95
) -> tuple[PairedComparison, ...]:
    """The difference of every pair of players in a rating; as `make_pool` judges them for ranks.

    Args:
        games: what was counted.
        rating: "bradley-terry", "elo" or "mean-win-rate".
        seed: of all draws.
        level: of confidence.

    Raises:
        InvalidSetting: another rating, or one that these games do not allow.
    """
    draws = draw(games, seed=seed)
    found: Rated | None
    if rating == "mean-win-rate":
        if not games.complete:
            raise InvalidSetting(_incomplete(games))
        found = average_win_rates(games, sample_of(games, draws, seed))[0]
    elif rating in ("bradley-terry", "elo"):
        scales = rate_scales(games, draws)
        found = scales.elo if rating == "elo" else scales.bradley_terry
        if found is None:
            raise InvalidSetting("; ".join(scales.notes))
    else:
        raise InvalidSetting(
            f"rating must be 'bradley-terry', 'elo' or 'mean-win-rate', got {rating!r}"
        )
    return compared(games.names, found.values, found.drawn, games.units, level)


def _incomplete(games: Games) -> str:
    missing = int(np.isnan(games.win_rates).sum()) // 2
    pairs = len(games.names) * (len(games.names) - 1) // 2
    return (
        f"{missing} of {pairs} pairs never met: mean win rate, worst case, exploitability, maximal "
        "lottery, alpha-rank and cyclic share need them all and are left out"
    )
