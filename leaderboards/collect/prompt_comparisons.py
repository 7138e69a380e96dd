"""Policies of one cross-play compared prompt by prompt, which their intervals alone cannot do."""

from collections.abc import Sequence

import numpy as np

from evaluation.pool.wins_file import PromptWins
from evaluation.statistics import Array, compare_all
from leaderboards.collect.measurements import Paired
from leaderboards.collect.names import START

CROSS_PLAY = "cross-play"


def compare_prompts(key: str, judge: str, own: PromptWins) -> list[Paired]:
    """All pairs of policies in their win rates against the start, and against the pool.

    Args:
        key: of the run.
        judge: whose win rates.
        own: they.
    """
    names, wins = own.wins.names, own.wins.wins
    found = []
    if START in names:
        start = names.index(START)
        others = [place for place in range(len(names)) if place != start]
        against = wins[:, others, start].T
        found += _compared(
            key, judge, f"win_rate/against/{START}", [names[i] for i in others], against
        )
    everyone = np.arange(len(names))
    rest = wins.copy()
    rest[:, everyone, everyone] = 0.0  # NaN elsewhere: a prompt that lacks an opponent is left out
    pool = rest.sum(axis=2).T / max(len(names) - 1, 1)
    return found + _compared(key, judge, "win_rate", names, pool)


def _compared(
    key: str, judge: str, metric: str, names: Sequence[str], values: Array
) -> list[Paired]:
    if len(names) < 2:
        return []
    return [
        Paired(
            key, CROSS_PLAY, judge, metric, found.first, found.second, found.p_value, found.adjusted
        )
        for found in compare_all(names, values.clip(0, 1), bounds=(0.0, 1.0))
    ]
