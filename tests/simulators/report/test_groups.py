"""Rows over seeds brought together."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from simulators.metrics.verdict import Verdict
from simulators.report.content import swept_columns
from simulators.report.findings import findings, plays_regularized
from simulators.report.groups import group_rows, varying
from simulators.report.table import result_table
from simulators.report.tallies import tally

Row = Callable[..., dict[str, Any]]


def test_seeds_are_grouped_and_settings_are_not(make_row: Row) -> None:
    rows = [make_row("inpo", seed, step_size=step) for step in (0.1, 0.5) for seed in range(3)] + [
        make_row("dpo", seed) for seed in range(3)
    ]
    groups = group_rows(rows)
    assert [(g.algorithm, len(g.rows)) for g in groups] == [("inpo", 3), ("inpo", 3), ("dpo", 3)]
    # NaN differs from itself, yet it is one setting: not read
    assert math.isnan(groups[2].setting["step_size"])
    assert varying(groups, ["step_size", "temperature"]) == ["step_size"]


def test_swept_lists_are_settings_too(make_row: Row) -> None:
    rows = [make_row("mnpo", s, history=h) for h in ([1.0], [0.5, 0.5]) for s in (0, 1)]
    assert len(group_rows(rows, ["history"])) == 2
    assert len(group_rows(rows)) == 1


def test_a_game_parameter_swept_by_its_short_name_tells_games_apart(
    make_row: Row, make_content: Any
) -> None:
    gaps = {3: 0.1, 4: 0.2, 5: 0.3}
    rows = [make_row("inpo", gap_last=gap, **{"game.actions": k}) for k, gap in gaps.items()]
    content = make_content(rows=rows, settings={"sweep": {"actions": [3, 4, 5]}})
    assert content.swept == ("game.actions",)
    table = result_table(content)
    assert table.seeds == 1
    assert [row.cells[1].text for row in table.rows] == ["3", "4", "5"]
    assert not table.best  # each game has but one setting


def test_an_axis_of_algorithm_and_game_has_both_columns(make_row: Row) -> None:
    rows = [make_row("mnpo-n", players=3), make_row("inpo", **{"game.players": 3})]
    assert swept_columns({"players": [3]}, rows) == ("players", "game.players")
    assert swept_columns({"absent": [3]}, rows) == ()


def test_columns_that_repeat_or_never_change_are_told_once(
    make_content: Any, make_row: Row
) -> None:
    rows = [make_row("inpo"), make_row("mwu")]
    table = result_table(make_content(rows=rows))
    keys = [column.key for column in table.columns]
    assert "multiplayer_gap_last" not in keys  # half of the gap
    assert not {"iterations", "step_size", "temperature"} & set(keys)
    assert dict(table.common) == {"step_size": "0.5", "temperature": "0.1", "iterations": "200"}
    several = [rows[0] | {"multiplayer_gap_last": 0.02, "iterations": 3}, rows[1]]
    keys = [column.key for column in result_table(make_content(rows=several)).columns]
    assert {"multiplayer_gap_last", "iterations"} <= set(keys)


def test_mean_and_standard_error_leave_missing_values_out(make_row: Row) -> None:
    values = [1.0, 2.0, 6.0, math.nan]
    rows = [make_row("inpo", seed, gap_last=value) for seed, value in enumerate(values)]
    statistic = group_rows(rows)[0].statistic("gap_last")
    assert (statistic.mean, statistic.n) == (3.0, 3)
    # sample standard deviation sqrt(7), over sqrt(3)
    assert statistic.error == pytest.approx(math.sqrt(7 / 3))
    assert group_rows(rows)[0].statistic("absent").n == 0


def test_the_most_frequent_verdict_leads(make_row: Row, make_content: Any) -> None:
    names = [Verdict.CYCLES, Verdict.CONVERGES, Verdict.CYCLES]
    rows = [make_row("inpo", seed, verdict=str(v)) for seed, v in enumerate(names)]
    content = make_content(rows=rows, curves=[])
    table = result_table(content)
    place = [column.key for column in table.columns].index("verdict")
    cell = table.rows[0].cells[place]
    assert cell.text == "cycles 2/3, converges (last iterate) 1/3"
    assert cell.short == "cycles 2/3"
    counted = tally(content)
    assert counted is not None
    assert counted.verdicts == ("converges (last iterate)", "cycles")
    assert counted.counts == (("inpo", (1, 2)),)


def test_columns_that_say_nothing_are_left_out(make_content: Any, make_row: Row) -> None:
    keys = [column.key for column in result_table(make_content()).columns]
    assert "swap_regret" not in keys  # NaN in every row
    assert "preference_queries" not in keys  # nobody asked any
    assert "oracle_rounds" in keys
    assert "runs" not in keys
    sampled = make_content(rows=[make_row("inpo", s, preference_queries=9) for s in (0, 1)])
    keys = [column.key for column in result_table(sampled).columns]
    assert {"preference_queries", "runs"} <= set(keys)


def test_findings_name_the_game_that_each_verdict_is_about(make_content: Any) -> None:
    said = dict(findings(make_content(("inpo", "mwu", "nash-md"))))
    assert said["converges (last iterate)"] == "inpo in the regularised game"
    assert said["cycles"] == "mwu in the unregularised game"
    assert list(said) == ["converges (last iterate)", "settles elsewhere", "cycles"]


def test_without_a_regularised_equilibrium_the_plain_game_is_judged(make_row: Row) -> None:
    assert plays_regularized(make_row("inpo"))
    assert not plays_regularized(make_row("inpo", kl_to_regularized_equilibrium=math.nan))
    assert not plays_regularized(make_row("unheard-of"))


def test_speed_is_compared_per_oracle_round(make_content: Any, make_row: Row) -> None:
    rows = [
        make_row("inpo", fitted_multiplier=0.8, oracle_rounds=200),
        make_row("egpo", fitted_multiplier=0.7, oracle_rounds=400),  # sqrt(0.7) = 0.837 a round
    ]
    said = dict(findings(make_content(rows=rows)))
    assert said[""].startswith("Fastest towards the regularised equilibrium: inpo,")
    assert "0.800 an oracle round" in said[""]
    elsewhere = [rows[0], rows[1] | {"temperature": 0.5}]
    assert "" not in dict(findings(make_content(rows=elsewhere)))
    other_game = [row | {"game.actions": k} for k, row in enumerate(rows)]
    settings = {"sweep": {"actions": [0, 1]}}
    assert "" not in dict(findings(make_content(rows=other_game, settings=settings)))
    rows[1]["fitted_multiplier"] = 0.5
    said = dict(findings(make_content(rows=rows)))
    assert "egpo" in said[""]
    assert "0.707 an oracle round (0.500 an iteration)" in said[""]
