"""Jobs: their addresses, and results that do not depend on how a study is cut into them."""

import csv
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulators import make_game, simulate
from simulators.study import job as jobs
from simulators.study import plan as planning
from simulators.study.config import parse_config
from simulators.study.executors import Executor, Processes, Serial, make_executor
from simulators.study.job import Job, game_digest, run_job
from simulators.study.plan import make_plan
from simulators.study.study import run_study


def job_of(**values: object) -> Job:
    return make_plan(parse_config({"algorithms": ["inpo"], "iterations": 3, **values})).jobs[0]


def test_the_address_changes_with_whatever_changes_the_numbers() -> None:
    base = job_of()
    changes = [
        {"game": "disc"},
        {"game_parameters": {"strength": 0.5}},
        {"algorithms": ["mwu"]},
        {"mode": "gradient"},
        {"iterations": 4},
        {"step_size": 0.4},
        {"temperature": 0.2},
        {"reference": "uniform"},
        {"initial": "random"},
        {"seed": 1},
        {"seeds": 2},
        {"parameters": {"schedule": "decaying"}},
        {"parameters": {"label_noise": 0.1}},
        {"keep_policies": False},
    ]
    keys = {job_of(**change).key for change in changes}
    assert len(keys | {base.key}) == len(changes) + 1
    assert job_of().key == base.key
    assert pickle.loads(pickle.dumps(base)).key == base.key


def test_the_address_changes_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = job_of().key
    monkeypatch.setattr(jobs, "source_digest", lambda: "another version")
    assert job_of().key != before


def test_game_digest_sees_every_number() -> None:
    game = make_game("condorcet", kind="utilities")
    assert game.annotators is not None
    assert game.annotator_weights is not None
    changed = [
        replace(game, preferences=game.preferences + 1e-12),
        replace(game, annotators=game.annotators + 1e-12),
        replace(game, annotator_weights=game.annotator_weights[::-1]),
        replace(game, annotators=None),
        replace(game, players=3),
    ]
    assert len({game_digest(one) for one in [game, *changed]}) == 6
    assert game_digest(replace(game, name="other", actions=("x", "y", "z"))) == game_digest(game)


def test_rows_are_those_of_simulate() -> None:
    job = job_of(
        game="random-skew",
        game_parameters={"actions": 4},
        seeds=2,
        sweep={"step_size": [0.1, 0.7]},
        reference=[0.4, 0.3, 0.2, 0.1],
    )
    output = run_job(job)
    assert len(output.rows) == 4
    for r, row in enumerate(output.rows):
        single = simulate(
            make_game("random-skew", actions=4, seed=job.seeds[r]),
            "inpo",
            step_size=job.step_sizes[r],
            temperature=0.1,
            reference=[0.4, 0.3, 0.2, 0.1],
            iterations=3,
        )
        expected = single.summary()
        for key in ("gap_last", "gap_average", "regularized_gap_last", "external_regret"):
            assert row[key] == pytest.approx(expected[key], abs=1e-13), key
        own = output.trajectories.filter(
            np.array(output.trajectories["run"].to_pylist()) == row["run"]
        )
        np.testing.assert_allclose(own["policy"].to_pylist(), single.policies, atol=1e-13)


def test_runs_without_a_minimiser_do_not_stop_the_others() -> None:
    """Label noise makes the fit finite; here one game of two is deterministic."""
    job = job_of(
        game="bradley-terry", algorithms=["dpo"], game_parameters={"utilities": [0.0, 1.0, 2.0]}
    )
    decided = {"utilities": [0.0, 2000.0, 4000.0]}
    mixed = replace(
        job,
        game_parameters=(*job.game_parameters, decided),
        step_sizes=job.step_sizes * 2,
        temperatures=job.temperatures * 2,
        seeds=(0, 1),
    )
    output = run_job(mixed)
    assert [row["verdict"] == "no minimiser" for row in output.rows] == [False, True]
    assert len({row["run"] for row in output.rows}) == 2
    assert set(output.trajectories["run"].to_pylist()) == {output.rows[0]["run"]}
    alone = run_job(job).rows[0]
    assert output.rows[0]["gap_last"] == alone["gap_last"]
    assert "always beat" in output.rows[1]["note"]


def test_long_trajectories_are_thinned() -> None:
    job = replace(job_of(iterations=5000, algorithms=["mwu"]), thin=True)
    kept = run_job(job).trajectories["iteration"].to_numpy()
    assert kept[0] == 0
    assert kept[-1] == 5000
    assert len(kept) <= jobs.THINNED
    assert (np.diff(kept) > 0).all()
    short = replace(job, iterations=50)
    assert len(run_job(short).trajectories) == 51


STUDY = {
    "game": "random-skew",
    "game_parameters": {"actions": 5},
    "algorithms": ["inpo", "dpo", "mwu"],
    "mode": "sampled",
    "parameters": {"queries": 40},
    "iterations": 5,
    "seeds": 4,
    "sweep": {"step_size": [0.1, 0.5]},
}


def results(folder: Path, executor: Executor, **changes: object) -> list[dict[str, str]]:
    config = parse_config(STUDY | changes)
    run_study(config, make_plan(config), folder, executor)
    with (folder / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    named = [row.pop("run") for row in rows]
    table = pq.read_table(folder / "trajectories.parquet")
    assert list(dict.fromkeys(table["run"].to_pylist())) == named
    return rows


def assert_close(rows: list[dict[str, str]], others: list[dict[str, str]]) -> None:
    """Equal but for the last bits, which a matrix product may turn with the width of its batch."""
    assert [set(row) for row in rows] == [set(row) for row in others]
    for row, other in zip(rows, others, strict=True):
        for key, value in row.items():
            if value != other[key]:
                assert float(value) == pytest.approx(float(other[key]), abs=1e-12), key


def test_results_do_not_depend_on_the_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = results(tmp_path / "whole", Serial())
    for size in (1, 3):
        monkeypatch.setattr(planning, "MAX_RUNS", size)
        cut = results(tmp_path / str(size), Serial())
        assert len(list((tmp_path / str(size) / "parts").glob("*.json"))) > 3
        assert_close(cut, whole)


def test_results_do_not_depend_on_what_runs_beside(tmp_path: Path) -> None:
    whole = results(tmp_path / "whole", Serial())
    mwu = [row for row in whole if row["algorithm"] == "mwu"]
    assert results(tmp_path / "alone", Serial(), algorithms=["mwu"]) == mwu
    one = results(tmp_path / "one", Serial(), algorithms=["mwu"], sweep={"step_size": [0.5]})
    assert_close(one, [row for row in mwu if row["step_size"] == "0.5"])


def test_results_do_not_depend_on_the_processes(tmp_path: Path) -> None:
    assert results(tmp_path / "two", Processes(2)) == results(tmp_path / "one", Serial())


def test_progress_adds_up(tmp_path: Path) -> None:
    for name, executor in (("one", make_executor("local", 1)), ("two", make_executor("local", 2))):
        config = parse_config(STUDY | {"iterations": 7})
        plan = make_plan(config)
        for attempt in ("fresh", "resumed"):
            told: list[int] = []
            result = run_study(config, plan, tmp_path / name, executor, advance=told.append)
            assert sum(told) == plan.run_iterations == 7 * 24 - 7 * 4, attempt
        assert result.resumed == 3
