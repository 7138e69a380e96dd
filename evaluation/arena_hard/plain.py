"""Scores without style control: both versions' official figures, and clustered intervals."""

import numpy as np

from evaluation.arena_hard.bradley_terry import (
    bootstrap_questions,
    bootstrap_ratings,
    predicted_win_rates,
    weighted_win_rates,
    win_rate_of,
)
from evaluation.arena_hard.table import POINTS, Array, Counts, Table
from evaluation.arena_hard.versions import ROUNDS
from evaluation.scores import Official
from evaluation.statistics import Interval, mean_interval

PERCENT = (0.0, 100.0)
#: Draws of whole questions where there is no closed form: battles between models.
REPLICATES = 1000


def win_rate(counts: Counts) -> Interval:
    """Mean points in percent of one model, (Q, 3) counts, clustered by question.

    Both orders of a question and the three rows of a strong verdict are one cluster.
    """
    question, kind = np.nonzero(counts)
    times = counts[question, kind]
    values = np.repeat(100 * POINTS[kind], times)
    return mean_interval(values, np.repeat(question, times).tolist(), bounds=PERCENT)


def scores(table: Table, *, seed: int) -> dict[str, Interval]:
    """Each model's score in percent: Bradley-Terry's predicted win rate against the baseline.

    Where all battles are against the baseline this is the weighted win rate and so is its interval;
    otherwise whole questions are drawn and the ratings fitted again.
    """
    rates = {model: win_rate(table.battles[i]) for i, model in enumerate(table.models)}
    if not table.between:
        return rates
    values = 100 * predicted_win_rates(table)
    draws = 100 * bootstrap_questions(table, REPLICATES, np.random.default_rng(seed))
    low, high = np.nanquantile(draws, [0.025, 0.975], axis=0)
    return {
        model: Interval(
            float(values[i]), float(low[i]), float(high[i]), rates[model].n, rates[model].clusters
        )
        for i, model in enumerate(table.models)
    }


def official_v01(table: Table, *, seed: int) -> dict[str, Official]:
    """The leaderboard of `show_result.py` of 2024: percentiles of ratings, shown as win rates."""
    values = 100 * predicted_win_rates(table)
    ratings = bootstrap_ratings(table, ROUNDS, np.random.default_rng(seed))
    low, high = 100 * win_rate_of(_percentiles(ratings, 2.5, 97.5))
    rule = (
        f"Bradley-Terry; 2.5 and 97.5 percentiles of {ROUNDS} bootstraps over battles, seed {seed}"
    )
    return {
        model: Official(float(values[i]), float(low[i]), float(high[i]), rule)
        for i, model in enumerate(table.models)
    }


def official_v20(table: Table, *, seed: int) -> dict[str, Official]:
    """The leaderboard of `show_result.py` of 2025: each model's battles drawn by themselves.

    The value is the mean over the draws, not that of the data. The official code has no questions
    with a verdict in one order only: leave them out before (`Table.of_whole_games`).
    """
    rng = np.random.default_rng(seed)
    rule = f"mean, 5 and 95 percentiles of {ROUNDS} bootstraps over battles, seed {seed}"
    found = {}
    for model, counts in zip(table.models, table.battles.sum(axis=1), strict=True):
        total = int(counts.sum())
        if total:
            draws = 100 * weighted_win_rates(rng.multinomial(total, counts / total, size=ROUNDS))
            low, high = np.percentile(draws, [5.0, 95.0])
            found[model] = Official(float(draws.mean()), float(low), float(high), rule)
    return found


def _percentiles(draws: Array, low: float, high: float) -> Array:
    result: Array = np.nanpercentile(draws, [low, high], axis=0)
    return result
