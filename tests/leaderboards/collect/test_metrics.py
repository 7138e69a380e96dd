"""Titles, units and directions."""

import pytest

from leaderboards.collect.metrics import (
    benchmark_place,
    benchmark_title,
    family_of,
    is_of,
    metric_of,
    metric_place,
)
from leaderboards.collect.names import LABELS, label
from leaderboards.collect.simulation_runs import METRICS as SIMULATED
from mnpo.algorithms.registry import list_algorithms
from simulators.study.outputs import CONTRACT_COLUMNS, FURTHER_COLUMNS


@pytest.mark.parametrize(
    ("benchmark", "metric", "title", "unit", "better"),
    [
        ("alpaca-eval-2", "length_controlled_win_rate", "LC win rate", "%", "higher"),
        ("alpaca-eval-2", "win_rate", "win rate", "%", "higher"),
        ("mt-bench", "score", "score", "points", "higher"),
        ("mt-bench", "score/turn-2", "score, turn-2", "points", "higher"),
        ("arena-hard-v2.0", "score/creative_writing", "score, creative_writing", "%", "higher"),
        ("arena-hard-v0.1", "official/score", "score (official)", "%", "higher"),
        ("lm-eval/paper", "accuracy/mmlu", "accuracy, mmlu", "%", "higher"),
        ("cross-play", "win_rate/against/a/b", "win rate vs a/b", "%", "higher"),
        ("cross-play", "exploitability", "exploitability", "%", "lower"),
        ("training", "kl", "KL", "nats", "neither"),
        ("of-somebody", "brand_new", "brand new", "", "neither"),
    ],
)
def test_metrics(benchmark, metric, title, unit, better) -> None:
    found = metric_of(benchmark, metric)
    assert (found.title, found.unit, found.better) == (title, unit, better)


def test_probabilities_and_percent() -> None:
    assert metric_of("cross-play", "win_rate/pool").bounds == (0, 100)
    found = metric_of("cross-play", "win_rate/pool", probability=True)
    assert (found.unit, found.bounds) == ("probability", (0, 1))
    assert metric_of("cross-play", "exploitability", probability=True).bounds == (0, 0.5)


def test_names_without_versions() -> None:
    assert is_of("arena-hard-v0.1", "arena-hard")
    assert is_of("alpaca-eval-2", "alpaca-eval")
    assert is_of("mini-v1", "mini")
    assert is_of("lm-eval/paper", "lm-eval")
    assert not is_of("mt-bench-pairwise", "mt-bench")
    assert not is_of("arena-harder", "arena-hard")
    assert family_of("mt-bench-pairwise") == "mt-bench-pairwise"
    assert benchmark_title("arena-hard-v0.1") == "Arena-Hard v0.1"
    assert benchmark_title("other") == "other"
    assert benchmark_place("alpaca-eval-2") < benchmark_place("mini-v1") < benchmark_place("x")
    assert metric_place("win_rate") < metric_place("official/win_rate")


def test_every_algorithm_has_a_label() -> None:
    assert {own.name for own in list_algorithms()} <= LABELS.keys()
    assert label("ht-mnpo/player-2") == "HT-MNPO, player 2"
    assert label("<b>") == "<b>"


def test_simulated_metrics_are_columns_of_the_summary() -> None:
    assert SIMULATED.keys() - {"converged"} <= {*CONTRACT_COLUMNS, *FURTHER_COLUMNS}
