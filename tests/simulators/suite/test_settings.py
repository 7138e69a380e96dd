"""Suites as data: what comes with the package, and what is refused."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.algorithms import list_algorithms
from mnpo.errors import InvalidSetting
from simulators.games import list_games
from simulators.suite.results import STEP_COLUMNS, TABLES
from simulators.suite.settings import Grid, SuiteSettings, list_suites, load_suite, read_suite


def test_the_standard_suite_has_every_algorithm_and_every_game(standard: SuiteSettings) -> None:
    assert standard.algorithms == tuple(entry.name for entry in list_algorithms())
    games = {family.game for family in standard.families.values()}
    assert games == {spec.name for spec in list_games()} - {"file"}
    assert list_suites() == ("standard",)


@pytest.mark.parametrize("quick", [False, True])
def test_no_game_is_both_tuned_on_and_reported(quick: bool) -> None:
    settings = load_suite("standard", quick=quick)
    for regime in settings.regimes.values():
        assert not {*settings.tuning_seeds(regime)} & {*settings.held_out_seeds(regime)}


@pytest.mark.parametrize("quick", [False, True])
def test_the_budget_is_shared_out_whole(quick: bool) -> None:
    """By one, two and three rounds an iteration: extragradient, and three players."""
    for regime in load_suite("standard", quick=quick).regimes.values():
        assert regime.rounds % 6 == 0


@pytest.mark.parametrize("quick", [False, True])
def test_no_step_makes_a_weight_negative(quick: bool) -> None:
    settings = load_suite("standard", quick=quick)
    assert settings.step_sizes.high * settings.temperature <= 1


def test_overlapping_seeds_are_refused(values: dict[str, Any]) -> None:
    values["seeds"] = {"held_out": 0, "tuning": 2}
    with pytest.raises(InvalidSetting, match=r"2 tuning games from seed 2 and 3 held-out .*overl"):
        read_suite(values)
    values["seeds"] = {"held_out": 0, "tuning": 3}
    read_suite(values)


def test_too_many_held_out_games_are_refused() -> None:
    assert load_suite("standard", held_out=7).regimes["noisy"].held_out == 7
    with pytest.raises(InvalidSetting, match=r"regimes.*held_out must be at most 10000, got 10001"):
        load_suite("standard", held_out=10_001)
    with pytest.raises(InvalidSetting, match=r"regimes.*held_out must be at least 1, got 0"):
        load_suite("standard", held_out=0)


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="unknown suite 'standart'; did you mean 'standard'"):
        load_suite("standart")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithms": ["inpoo"]}, "unknown algorithm 'inpoo'; did you mean 'inpo'"),
        ({"algorithms": ["mnpo", "td-mnpo"]}, "an algorithm is named twice"),
        ({"families": {"f": {"game": "cyclik"}}}, "unknown game 'cyclik'; did you mean 'cyclic'"),
        ({"families": {"f": {"game": "file"}}}, "unknown game 'file'"),
        ({"step_sizes": {"low": 2.0, "high": 1.0, "count": 2}}, "high is 1, below low, 2"),
        ({"step_sizes": {"low": 0.0, "high": 1.0, "count": 2}}, "greater than 0"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperatur": 1}, "unknown key 'temperatur'; did you mean 'temperature'"),
        (
            {
                "regimes": {
                    "a": {"mode": "exact", "rounds": 1, "tuning": 1, "held_out": 1, "queries": 3}
                }
            },
            "mode sampled needs queries, and mode exact has none",
        ),
        (
            {"regimes": {"a": {"mode": "sampled", "rounds": 1, "tuning": 1, "held_out": 1}}},
            "mode sampled needs queries",
        ),
    ],
)
def test_bad_suites_are_refused(
    values: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidSetting, match=message) as caught:
        read_suite(values | change)
    assert "\n" not in str(caught.value)


@given(low=st.floats(1e-3, 1.0), ratio=st.floats(1.0, 1e4), count=st.integers(2, 20))
def test_step_sizes_are_evenly_spaced_in_their_logarithm(
    low: float, ratio: float, count: int
) -> None:
    values = Grid(low=low, high=low * ratio, count=count).values()
    assert len(values) == count
    assert list(values) == sorted(values)
    factor = ratio ** (1 / (count - 1))
    for one, next_ in pairwise(values):
        assert next_ / one == pytest.approx(factor, rel=1e-8)


def test_the_page_describes_the_suite_as_it_is(standard: SuiteSettings) -> None:
    text = " ".join((Path(__file__).parents[3] / "docs" / "suite.md").read_text().split())
    for name in (*standard.families, *STEP_COLUMNS, *(f"{table}.csv" for table in TABLES)):
        assert name in text
    exact, noisy = standard.regimes["exact"], standard.regimes["noisy"]
    assert f"`exact`: {exact.rounds} rounds" in text
    queries = noisy.rounds * (noisy.queries or 0)
    assert f"{noisy.rounds} rounds of {noisy.queries} comparisons, {queries:,} preference" in text
    assert f"({exact.tuning} exact, {noisy.tuning} noisy)" in text
    assert f"({exact.held_out} exact, {noisy.held_out} noisy)" in text
    grid = standard.step_sizes
    assert (grid.low, grid.high, grid.count) == (1 / 32, 8, 9)
    assert "Nine step sizes α from 1/32 to 8" in text
    assert f"τ = {standard.temperature:g}" in text
