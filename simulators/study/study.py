"""Run a study: resume what is there, run the rest, write the results."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnpo.runs import RunDirectory, write_atomically
from mnpo.runs.alive import at_work
from simulators.study.config import StudyConfig
from simulators.study.executors import Executor
from simulators.study.inputs import input_files
from simulators.study.job import JobOutput
from simulators.study.outputs import (
    json_ready,
    read_part,
    summary_rows,
    write_part,
    write_summary_csv,
    write_trajectories,
)
from simulators.study.plan import Plan

Advance = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class StudyResult:
    """A finished study.

    Attributes:
        directory: the run directory.
        rows: the summary rows.
        outputs: job outputs in the order of the plan.
        resumed: how many jobs had been finished before.
        seconds: wall time of this invocation.
    """

    directory: RunDirectory
    config: StudyConfig
    plan: Plan
    rows: list[dict[str, Any]]
    outputs: list[JobOutput]
    resumed: int
    seconds: float


def run_study(
    config: StudyConfig,
    plan: Plan,
    output: Path,
    executor: Executor,
    *,
    overwrite: bool = False,
    advance: Advance = lambda _: None,
) -> StudyResult:
    """Run a planned study in a run directory, and write its tables.

    Every finished job is kept at once; an interrupted study goes on where it was when it is run
    again with the same configuration. Damaged parts are detected by their hashes and run again.

    Args:
        config: the configuration, kept as ``run.yaml``.
        plan: its jobs, see `simulators.study.plan.make_plan`.
        output: the run directory.
        executor: where jobs run.
        overwrite: replace a run with another configuration.
        advance: told of progress in run-iterations.

    Raises:
        UserError: the directory belongs to something else.
        OSError: it cannot be written.
    """
    begun = time.perf_counter()
    resolved = json_ready(config.model_dump(mode="json"))
    directory = RunDirectory.open(output, resolved, inputs=input_files(config), overwrite=overwrite)
    keys = [job.key for job in plan.jobs]
    with at_work(output):
        done = {i: part for i, key in enumerate(keys) if (part := read_part(directory, key))}
        for index in done:
            advance(plan.jobs[index].runs * max(plan.jobs[index].iterations, 1))
        missing = [index for index in range(len(keys)) if index not in done]
        resumed = len(done)
        if missing:
            directory.begin(taken_over=resumed > 0, jobs=len(keys), **_inputs(plan))
        with closing(executor.run([plan.jobs[index] for index in missing], advance)) as finished:
            for position, part in finished:
                index = missing[position]
                write_part(directory, keys[index], part)
                done[index] = part
    outputs = [done[index] for index in range(len(keys))]
    rows = summary_rows(row for part in outputs for row in part.rows)
    write_summary_csv(output / "summary.csv", rows)
    write_trajectories(output / "trajectories.parquet", [part.trajectories for part in outputs])
    summary = {"config": resolved, "warnings": plan.warnings, "rows": rows}
    write_atomically(output / "summary.json", json.dumps(json_ready(summary), indent=1) + "\n")
    return StudyResult(directory, config, plan, rows, outputs, resumed, time.perf_counter() - begun)


def _inputs(plan: Plan) -> dict[str, Any]:
    """What the manifest says of the study's data: the seeds, and a hash of every game."""
    games = {job.game_sha256: job.game for job in plan.jobs}
    return {
        "seeds": sorted({seed for job in plan.jobs for seed in job.seeds}),
        "games": [{"game": game, "sha256": sha256} for sha256, game in games.items()],
    }
