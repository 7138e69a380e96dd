"""Ratings that need every pair: mean win rate, worst case, equilibrium, alpha-rank."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.pool.intervals import PoolIntervals, intervals_of_sample, worst_cases
from evaluation.pool.sample import PoolSample
from evaluation.statistics import Interval
from evaluation.statistics.quantiles import percentile_ends
from leaderboards.board import Direction, Rating
from leaderboards.ratings.alpha_rank import alpha_ranks
from leaderboards.ratings.comparing import apart, around
from leaderboards.ratings.games import Array, Games
from leaderboards.ratings.mean_win_rate import mean_win_rates
from leaderboards.ratings.ranks import rank_groups
from leaderboards.ratings.scales import Rated, ranked


@dataclass(frozen=True)
class Whole:
    """Ratings of a complete pool, and its cycles."""

    average: Rating
    others: tuple[Rating, ...]
    cyclic_share: Interval


def complete_ratings(games: Games, sample: PoolSample) -> Whole:
    """All of them.

    Args:
        games: every pair played.
        sample: their win matrix and its draws.
    """
    found = intervals_of_sample(sample)
    # Intervals that hold together (Bonferroni): those without a common point differ.
    exploited, worst = worst_cases(sample, level=1 - 0.05 / len(games.names))
    return Whole(
        average=_average(games, sample),
        others=(
            *_worst(found, apart(exploited), apart(worst)),
            *_nash(found),
            _alpha(games, sample),
        ),
        cyclic_share=found.cyclic_share,
    )


def _average(games: Games, sample: PoolSample) -> Rating:
    rated, intervals = average_win_rates(games, sample)
    return ranked(
        games,
        rated,
        key="mean-win-rate",
        title="Mean win rate",
        explanation="Win rate against every other policy, averaged over the pool",
        unit="win probability",
        intervals=intervals,
    )


def average_win_rates(games: Games, sample: PoolSample) -> tuple[Rated, tuple[Interval, ...]]:
    """Mean win rates with their draws, and their intervals; from prompts that all players share."""
    values, drawn = mean_win_rates(sample.mean[None])[0], mean_win_rates(sample.drawn)
    over_prompts = games.clustered and games.effective is None
    wins = games.wins if over_prompts else None
    if wins is None or not all(wins.shares_prompts(name) for name in games.names):
        found = around(values, drawn, games=games.total, units=games.units)
        return Rated(values, drawn), tuple(map(_within_bounds, found))
    intervals = tuple(wins.against_pool(name) for name in games.names)
    return Rated(np.array([own.value for own in intervals]), drawn), intervals


def _within_bounds(own: Interval) -> Interval:
    if own.low is None or own.high is None:
        return own
    return replace(own, low=max(own.low, 0.0), high=min(own.high, 1.0))


def _worst(
    found: PoolIntervals, exploited: NDArray[np.bool_], worst: NDArray[np.bool_]
) -> tuple[Rating, Rating]:
    return (
        _grouped(
            "worst-case",
            "Worst case",
            "Win rate against whichever other policy beats it most often",
            found.worst_opponent,
            "higher",
            worst,
        ),
        _grouped(
            "exploitability",
            "Exploitability",
            "How far the best response in the pool gets above 1/2 against it; 0 is unbeaten",
            found.exploitability,
            "lower",
            exploited,
        ),
    )


def _nash(found: PoolIntervals) -> tuple[Rating, Rating]:
    return (
        Rating(
            key="maximal-lottery",
            title="Maximal lottery",
            explanation="Share in the mixture that no policy of the pool beats (Nash average)",
            unit="probability",
            better="higher",
            values=_varied(found.nash),
        ),
        Rating(
            key="nash-win-rate",
            title="vs maximal lottery",
            explanation="Win rate against the maximal lottery; 1/2 is the most anybody can have",
            unit="win probability",
            better="higher",
            values=found.nash_win_rate,
        ),
    )


def _alpha(games: Games, sample: PoolSample) -> Rating:
    values, drawn = alpha_ranks(sample.mean[None])[0], alpha_ranks(sample.drawn)
    return Rating(
        key="alpha-rank",
        title="Alpha-rank",
        explanation=(
            "Share of time that evolution under strong selection spends at it; only who wins more "
            "than half counts"
        ),
        unit="probability",
        better="higher",
        values=_quantiles(games, values, drawn),
    )


def _varied(values: Sequence[Interval]) -> tuple[Interval, ...]:
    """Without ends where hardly a draw had another share: [1, 1] would promise certainty."""
    return tuple(
        replace(own, low=None, high=None) if own.low == own.value == own.high else own
        for own in values
    )


def _quantiles(games: Games, values: Array, drawn: Array) -> tuple[Interval, ...]:
    """How far shares move over the draws."""
    found = []
    for place, value in enumerate(values.tolist()):
        low = high = None
        if len(drawn):
            ends = percentile_ends(drawn[:, place], games.units, 0.95)
            low, high = min(ends[0], value), max(ends[1], value)
        found.append(Interval(value, low, high, games.total, games.units))
    return _varied(found)


def _grouped(
    key: str,
    title: str,
    explanation: str,
    values: tuple[Interval, ...],
    better: Direction,
    different: NDArray[np.bool_],
) -> Rating:
    known = any(own.low is not None for own in values)
    ranks, letters = rank_groups([own.value for own in values], different, better=better)
    return Rating(
        key=key,
        title=title,
        explanation=explanation,
        unit="win probability",
        better=better,
        values=values,
        ranks=tuple(ranks) if known else (),
        letters=tuple(letters) if known else (),
    )
