"""Policies of one cross-play, prompt by prompt."""

import numpy as np
import pytest

from evaluation.pool.wins_file import PromptWins
from evaluation.statistics import holm, p_value
from evaluation.winmatrix import WinMatrix
from leaderboards.collect.prompt_comparisons import compare_prompts


def test_every_pair_against_the_start_and_the_pool() -> None:
    rng = np.random.default_rng(0)
    wins = rng.uniform(0.2, 0.8, (9, 3, 3))
    wins[:, range(3), range(3)] = 0.5
    wins[4, 0, 2] = np.nan  # not measured: that prompt tells nothing of the start and the pool
    own = PromptWins(tuple("abcdefghi"), WinMatrix(("sft", "x", "y"), wins))
    start, *pool = compare_prompts("run", "judge", own)
    assert (start.metric, start.first, start.second) == ("win_rate/against/sft", "x", "y")
    assert start.p_value == pytest.approx(p_value(wins[:, 1, 0] - wins[:, 2, 0]))
    rates = [np.delete(wins[:, i], i, axis=1).mean(axis=1) for i in range(3)]
    expected = []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        difference = rates[i] - rates[j]
        expected.append(p_value(difference[~np.isnan(difference)]))
    assert [found.p_value for found in pool] == pytest.approx(expected)
    assert [found.adjusted for found in pool] == pytest.approx(holm(expected))
    assert {found.metric for found in pool} == {"win_rate"}
