"""The best settings of a sweep, and which others stand for the rest."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.report.best import best_settings, has_choice, judged_metric, spread
from simulators.report.groups import Group, group_rows, problem

Row = Callable[..., dict[str, Any]]


def steps(groups: list[Group]) -> list[float]:
    return [float(group.setting["step_size"]) for group in groups]


def test_the_best_setting_has_the_smallest_gap_of_the_game_played(make_row: Row) -> None:
    plain = {0.1: 0.3, 0.2: 0.1, 0.4: 0.2}
    rows = [
        make_row(name, step_size=s, gap_last=gap, regularized_gap_last=1 - gap)
        for name in ("inpo", "mwu")
        for s, gap in plain.items()
    ]
    groups = group_rows(rows)
    assert steps(best_settings(groups, 10)) == [0.1, 0.2]
    assert [judged_metric(g) for g in (groups[0], groups[-1])] == [
        "regularized_gap_last",
        "gap_last",
    ]


def test_the_mean_over_the_seeds_counts_and_a_missing_gap_comes_last(make_row: Row) -> None:
    gaps = {0.1: (0.0, 0.9), 0.2: (0.3, 0.3), 0.4: (0.0, math.nan)}
    rows = [
        make_row("mwu", seed, step_size=s, gap_last=gap)
        for s, both in gaps.items()
        for seed, gap in enumerate(both)
    ]
    assert steps(best_settings(group_rows(rows), 10)) == [0.2]


def test_ties_go_to_fewer_oracle_rounds_then_to_the_faster_rate(make_row: Row) -> None:
    rows = [
        make_row("mwu", step_size=0.1, gap_last=1e-17, oracle_rounds=400),
        make_row("mwu", step_size=0.2, gap_last=3e-16, oracle_rounds=200),
        make_row("mwu", step_size=0.4, gap_last=9e-16, oracle_rounds=200, fitted_multiplier=0.5),
    ]
    assert steps(best_settings(group_rows(rows), 10)) == [0.4]
    assert steps(best_settings(group_rows(rows[:2]), 10)) == [0.2]


def test_settings_of_different_games_or_temperatures_do_not_compete(make_row: Row) -> None:
    rows = [
        make_row(name, step_size=s, temperature=t, **{"game.actions": k})
        for k in (3, 5)
        for name in ("inpo", "egpo")
        for s in (0.1, 0.2)
        for t in (0.05, 0.1)
    ]
    groups = group_rows(rows, ["game.actions"])
    best = best_settings(groups, 10)
    assert len(best) == 8
    assert len({(problem(g), g.algorithm) for g in best}) == 8
    assert has_choice(groups)
    assert not has_choice(best)


def test_the_others_are_spread_over_the_whole_axis(make_row: Row) -> None:
    rows = [
        make_row(name, step_size=float(s), temperature=t, gap_last=1.0 + s)
        for name in ("inpo", "mnpo", "egpo")
        for s in range(1, 51)
        for t in (0.05, 0.1)
    ]
    chosen = spread(group_rows(rows), 24)
    assert len(chosen) == 24
    for name in ("inpo", "mnpo", "egpo"):
        for t in (0.05, 0.1):
            own = [g for g in chosen if g.algorithm == name and g.setting["temperature"] == t]
            assert len(own) == 4
            assert max(steps(own)) == 50.0


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 9), st.integers(1, 30))
def test_a_selection_is_as_large_as_it_may_be_and_has_everybody(
    algorithms: int, problems: int, settings: int, limit: int
) -> None:
    rows = [
        {"game": f"g{p}", "algorithm": f"a{a}", "step_size": s, "gap_last": 1.0, "verdict": "x"}
        for a in range(algorithms)
        for p in range(problems)
        for s in range(settings)
    ]
    groups = group_rows(rows)
    chosen = spread(groups, limit)
    assert len({id(g) for g in chosen}) == len(chosen) <= limit
    assert len({g.algorithm for g in chosen}) == min(algorithms, limit)
    if algorithms * problems <= limit:
        assert len(chosen) == min(limit, len(groups))
        assert {problem(g) for g in chosen} == {problem(g) for g in groups}


@pytest.mark.parametrize("limit", [1, 5])
def test_nothing_to_choose_from(limit: int) -> None:
    assert spread([], limit) == []
    assert best_settings([], limit) == []
