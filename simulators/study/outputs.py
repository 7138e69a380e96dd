"""The files of a finished study, and its parts while it runs."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mnpo.runs import RunDirectory, write_atomically
from simulators.study.job import JobOutput, trajectory_schema

if TYPE_CHECKING:
    import pyarrow as pa

#: First columns of ``summary.csv``; a contract. Further ones may follow.
CONTRACT_COLUMNS = (
    "game",
    "algorithm",
    "mode",
    "seed",
    "step_size",
    "temperature",
    "iterations",
    "gap_last",
    "gap_average",
    "regularized_gap_last",
    "kl_to_regularized_equilibrium",
    "external_regret",
    "verdict",
    "preference_queries",
    "gradient_steps",
)
FURTHER_COLUMNS = (
    "oracle_rounds",
    "gap_initial",
    "regularized_gap_average",
    "swap_regret",
    "fitted_multiplier",
    "predicted_multiplier",
    "multiplayer_gap_last",
    "general_sum_distance",
    "worst_annotator_win_rate",
    "nash_welfare",
    "parameters",
    "run",
    "note",
)


def write_part(run: RunDirectory, key: str, output: JobOutput) -> None:
    """Keep a finished job: its trajectories, then its rows; the rows make it count as done."""
    import pyarrow.parquet as pq

    def write(file: BinaryIO) -> None:
        pq.write_table(output.trajectories, file, compression="zstd")

    run.write_part(key, "parquet", write)
    run.write_part(key, "json", json.dumps(output.rows))


def read_part(run: RunDirectory, key: str) -> JobOutput | None:
    """A job finished earlier, None if it is not there or damaged."""
    import pyarrow.parquet as pq

    if not (run.has_part(key, "json") and run.has_part(key, "parquet")):
        return None
    rows = json.loads(run.part(key, "json").read_text())
    return JobOutput(rows, pq.read_table(run.part(key, "parquet"), memory_map=False))


def summary_rows(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Flat rows of the summary: swept settings become columns of their own."""
    flat = []
    for row in rows:
        axes = row.get("axes", {})
        flat.append({key: value for key, value in row.items() if key != "axes"} | axes)
    return flat


def write_summary_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """``summary.csv``: a row per algorithm, setting and seed; missing values are empty."""
    fixed = {*CONTRACT_COLUMNS, *FURTHER_COLUMNS}
    swept = sorted({key for row in rows for key in row} - fixed)
    columns = [*CONTRACT_COLUMNS, *swept, *FURTHER_COLUMNS]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(row.get(key)) for key in columns})
    write_atomically(path, text.getvalue())


def write_trajectories(path: Path, tables: list["pa.Table"]) -> None:
    """``trajectories.parquet``: a row per run and iteration."""
    import pyarrow.parquet as pq

    def write(file: BinaryIO) -> None:
        with pq.ParquetWriter(file, trajectory_schema(), compression="zstd") as writer:
            for table in tables:
                writer.write_table(table)

    write_atomically(path, write)


def json_ready(value: Any) -> Any:
    """Numbers that JSON has no name for (NaN, infinity) as null, tuples as lists."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    return value


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True) if value else ""
    return value
