"""Tuning and reporting: the same procedure for all, and nothing of the held-out games in it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.suite.cell import METRICS, Cell, cells_of, choose, judged_metric, run_cell, tunes
from simulators.suite.play import Method, play
from simulators.suite.settings import SuiteSettings, load_suite, read_suite


def cell_of(settings: SuiteSettings, regime: str, family: str, algorithm: str) -> Cell:
    (cell,) = (
        cell
        for cell in cells_of(settings)
        if (cell.regime_name, cell.family_name, cell.method.algorithm)
        == (regime, family, algorithm)
    )
    return cell


def test_every_combination_is_a_cell_with_a_key_of_its_own(tiny: SuiteSettings) -> None:
    cells = cells_of(tiny)
    assert len(cells) == 2 * 3 * 4
    assert len({cell.key for cell in cells}) == len(cells)


def test_held_out_games_do_not_change_what_is_chosen(values: dict[str, Any]) -> None:
    before = read_suite(values)
    values["seeds"] = {"held_out": 5000, "tuning": 100}
    after = read_suite(values)
    for regime in ("exact", "noisy"):
        one = run_cell(cell_of(before, regime, "cyclic", "inpo"))
        other = run_cell(cell_of(after, regime, "cyclic", "inpo"))
        assert one.tuning == other.tuning
        assert one.chosen == other.chosen
        assert one.games != other.games


def test_more_held_out_games_change_none_of_the_others(values: dict[str, Any]) -> None:
    short = run_cell(cell_of(read_suite(values), "noisy", "cyclic", "inpo"))
    values["regimes"]["noisy"]["held_out"] = 5
    long = run_cell(cell_of(read_suite(values), "noisy", "cyclic", "inpo"))
    assert long.games[:3] == short.games


def test_a_cell_is_tuning_and_held_out_runs_put_together(tiny: SuiteSettings) -> None:
    """The naive twin: every step size by itself, then the argmin, then the games."""
    cell = cell_of(tiny, "noisy", "cyclic", "egpo")
    found = run_cell(cell)
    iterations = 12 // 2
    for metric in METRICS:
        means = {}
        for step in cell.step_sizes:
            games = cell.games(cell.tuning)
            (outcomes,) = play(cell.method, games, [step], cell.regime, iterations)
            means[step] = sum(getattr(o, metric) for o in outcomes) / len(outcomes)
        best = min(means, key=means.__getitem__)
        assert found.chosen[metric] == best
        games = cell.games(cell.held_out)
        (outcomes,) = play(cell.method, games, [best], cell.regime, iterations)
        for row, outcome in zip(found.games, outcomes, strict=True):
            assert row[metric] == pytest.approx(getattr(outcome, metric), abs=1e-12)


@pytest.mark.parametrize("regime", ["exact", "noisy"])
def test_budgets_are_equal(regime: str) -> None:
    """Rounds and queries, not iterations: a method that asks twice an update has half of them."""
    settings = load_suite("standard", held_out=1)
    small = settings.regimes[regime].model_copy(update={"tuning": 1, "rounds": 12})
    settings = settings.model_copy(update={"regimes": {regime: small}})
    spent, iterations = {}, {}
    for cell in cells_of(settings):
        if cell.family_name == "condorcet":
            found = run_cell(replace(cell, step_sizes=cell.step_sizes[:1]))
            if not found.reason:
                (row,) = found.games
                spent[cell.method.algorithm] = row["rounds"], row["queries"]
                iterations[cell.method.algorithm] = row["iterations"]
    assert len(spent) == 21
    assert set(spent.values()) == {(12, 1200 if regime == "noisy" else 0)}
    assert (iterations["inpo"], iterations["egpo"], iterations["ht-mnpo"]) == (12, 6, 4)


def test_an_algorithm_that_cannot_run_says_why(tiny: SuiteSettings) -> None:
    found = run_cell(cell_of(tiny, "exact", "cyclic", "ht-mnpo"))
    assert found.reason.startswith("ht-mnpo gives each player an annotator of its own")
    assert found.games == []
    assert run_cell(cell_of(tiny, "exact", "condorcet", "ht-mnpo")).reason == ""


def test_methods_without_a_step_have_nothing_to_tune(standard: SuiteSettings) -> None:
    fixed = {name for name in standard.algorithms if not tunes(name, standard)}
    assert fixed == {"ipo", "ipo-online", "dpo", "dpo-online", "spin"}


def test_the_verdict_is_of_the_game_that_is_played() -> None:
    assert judged_metric(Method("inpo", {}, 0.1)) == "regularized_gap_last"
    assert judged_metric(Method("mwu", {}, 0.1)) == "gap_last"
    assert judged_metric(Method("dpo-iterative", {}, 0.1, True)) == "gap_last"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.sampled_from([0.0, 1e-9, 0.1]))
def test_the_least_mean_is_chosen_and_ties_go_to_the_smaller_step(
    means: list[float], tie: float
) -> None:
    rows = [{"step_size": float(k), "m": mean} for k, mean in enumerate(means)]
    chosen = int(choose(rows, "m", tie))
    assert means[chosen] <= min(means) + tie
    assert all(mean > min(means) + tie for mean in means[:chosen])
