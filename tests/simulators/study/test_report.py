"""What a finished study's report shows: which runs are drawn, how they are named."""

from pathlib import Path
from typing import Any

from simulators.report import ReportContent
from simulators.report.table import result_table
from simulators.study.config import StudyConfig
from simulators.study.executors import Serial
from simulators.study.plan import make_plan
from simulators.study.report import MAX_CURVES, report_content
from simulators.study.study import run_study


def content_of(tmp_path: Path, **settings: Any) -> ReportContent:
    config = StudyConfig(**settings)
    plan = make_plan(config)
    return report_content(run_study(config, plan, tmp_path / "run", Serial()), "command")


def test_games_swept_by_a_short_name_are_not_taken_for_seeds(tmp_path: Path) -> None:
    content = content_of(
        tmp_path, algorithms=("inpo",), iterations=12, sweep={"actions": (3, 4, 5)}
    )
    assert content.swept == ("game.actions",)
    table = result_table(content)
    assert (table.total, table.seeds) == (3, 1)
    assert [run.label for run in content.curves] == [f"inpo actions={k}" for k in (3, 4, 5)]
    assert [len(game.actions) for game in content.games] == [3, 4, 5]


def test_every_algorithm_is_drawn_at_its_best_and_over_the_axis(tmp_path: Path) -> None:
    names = ("inpo", "mnpo", "egpo")
    step_sizes = tuple(round(0.05 * k, 2) for k in range(1, 13))
    content = content_of(
        tmp_path,
        algorithms=names,
        iterations=12,
        sweep={"step_size": step_sizes, "temperature": (0.05, 0.1)},
    )
    assert {run.algorithm for run in content.curves} == set(names)
    assert len(content.curves) <= MAX_CURVES < len(content.rows)
    assert len({run.label for run in content.curves}) == len(content.curves)
    for run in content.curves:
        assert f"α={run.step_size:.3g}" in run.label
        assert f"τ={run.temperature:g}" in run.label
    for name in names:
        for temperature in (0.05, 0.1):
            rows = [
                row
                for row in content.rows
                if row["algorithm"] == name and row["temperature"] == temperature
            ]
            best = min(rows, key=lambda row: row["regularized_gap_last"])
            assert best["run"] in {run.run for run in content.curves}


def test_games_beyond_those_told_are_still_drawn(tmp_path: Path) -> None:
    content = content_of(
        tmp_path, algorithms=("mwu",), iterations=10, sweep={"actions": tuple(range(3, 12))}
    )
    assert len(content.games) == 6
    assert len(content.curves) == 9
    assert {run.game for run in content.curves if run.policies is not None} <= set(range(6))


def test_a_comparison_names_its_curves_by_algorithm(tmp_path: Path) -> None:
    content = content_of(tmp_path, algorithms=("inpo", "mwu"), iterations=10)
    assert [run.label for run in content.curves] == ["inpo", "mwu"]
