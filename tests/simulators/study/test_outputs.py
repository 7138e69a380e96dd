"""Summaries, parts and trajectories as files."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnpo.runs import RunDirectory
from simulators.study.config import parse_config
from simulators.study.job import JobOutput, run_job, trajectory_schema
from simulators.study.outputs import (
    CONTRACT_COLUMNS,
    json_ready,
    read_part,
    summary_rows,
    write_part,
    write_summary_csv,
    write_trajectories,
)
from simulators.study.plan import make_plan


@pytest.fixture(scope="module")
def output() -> JobOutput:
    config = parse_config({"algorithms": ["inpo"], "iterations": 3, "seeds": 2})
    return run_job(make_plan(config).jobs[0])


def test_a_part_comes_back_as_it_was(tmp_path: Path, output: JobOutput) -> None:
    run = RunDirectory.open(tmp_path, {})
    assert read_part(run, "key") is None
    write_part(run, "key", output)
    back = read_part(run, "key")
    assert back is not None
    assert json.dumps(back.rows) == json.dumps(output.rows)  # NaN included
    assert back.trajectories.equals(output.trajectories)


def test_rows_and_trajectories_both_make_a_part(tmp_path: Path, output: JobOutput) -> None:
    run = RunDirectory.open(tmp_path, {})
    for suffix in ("json", "parquet"):
        write_part(run, "key", output)
        run.part("key", suffix).unlink()
        assert read_part(run, "key") is None


def test_the_summary(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"game": "file:a,b", "gap_last": 0.1 + 0.2, "note": 'say "why"', "axes": {"eta": 1 / 3}},
        {"game": "tie", "gap_last": math.nan, "seed": 0, "axes": {}, "parameters": {"b": 1}},
        {"game": "tie", "gap_last": None, "external_regret": -0.0, "parameters": {}},
    ]
    write_summary_csv(tmp_path / "summary.csv", summary_rows(rows))
    with (tmp_path / "summary.csv").open(newline="") as file:
        first, second, third = csv.DictReader(file)
    assert tuple(first)[: len(CONTRACT_COLUMNS)] == CONTRACT_COLUMNS
    assert tuple(first)[len(CONTRACT_COLUMNS)] == "eta"
    assert first["game"] == "file:a,b"
    assert float(first["gap_last"]) == 0.1 + 0.2  # every digit
    assert float(first["eta"]) == 1 / 3
    assert first["note"] == 'say "why"'
    assert (second["gap_last"], third["gap_last"], second["eta"]) == ("", "", "")
    assert second["seed"] == "0"
    assert json.loads(second["parameters"]) == {"b": 1}
    assert third["parameters"] == ""
    assert "axes" not in first


def test_trajectories_of_several_jobs(tmp_path: Path, output: JobOutput) -> None:
    import pandas as pd

    nothing = trajectory_schema().empty_table()
    tables = [output.trajectories, nothing, output.trajectories]
    write_trajectories(tmp_path / "t.parquet", tables)
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert list(frame.columns) == [
        *("run", "iteration", "gap", "gap_average", "regularized_gap"),
        *("kl_to_regularized_equilibrium", "policy"),
    ]
    assert len(frame) == 2 * 2 * 4
    assert pa.parquet.read_table(tmp_path / "t.parquet").schema.equals(trajectory_schema())


def test_trajectories_of_no_job(tmp_path: Path) -> None:
    write_trajectories(tmp_path / "t.parquet", [])
    assert pa.parquet.read_table(tmp_path / "t.parquet").num_rows == 0


@given(
    st.recursive(
        st.floats() | st.integers() | st.text() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
        max_leaves=8,
    )
)
def test_json_ready_is(value: object) -> None:
    json.dumps(json_ready(value), allow_nan=False)
