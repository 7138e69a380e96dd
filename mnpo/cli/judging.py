"""The end of a training run: cross-play of the final policies, as files of the run directory."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.crossplay import CrossPlay, cross_play
from evaluation.statistics import Interval
from evaluation.tidy import COLUMNS, Origin, Result, results_csv
from mnpo.training.runs.calibration import asks_a_judge
from mnpo.training.runs.export import policy_name
from mnpo.training.runs.results import MethodResult, describe_results
from mnpo.training.runs.run import START, RunResult
from mnpo.training.workbench import Workbench


def judge_policies(bench: Workbench, result: RunResult) -> Mapping[str, str | bytes]:
    """Play the final policies and the start against one another.

    A judge that costs money for every question is only asked about each policy against the start,
    once a prompt; any other oracle about all pairs of as many responses as the recipe samples.

    Returns:
        files and their content: ``results.csv`` (the long table of everything measured, training
        curves' ends included), ``crossplay.csv``, ``crossplay.md``, ``crossplay-wins.parquet`` (win
        rates of every prompt), ``summary.json``.

    Raises:
        UserError: from sampling or asking.
    """
    recipe = bench.recipe
    dear = asks_a_judge(recipe.oracle) or any(map(asks_a_judge, recipe.annotators))
    policies = {START: bench.start, **result.policies}
    played = cross_play(
        bench,
        policies,
        responses=1 if dear else recipe.sampling.responses,
        against="start" if dear else "all",
    )
    run = result.folder.name
    origins = {START: Origin(run, START, 0, None)}
    for own in result.results:
        for player in range(len(own.final)):
            several = len(own.final) > 1
            name = policy_name(own.method, own.seed, player if several else None)
            origins[name] = Origin(run, _algorithm(own, player), len(own.policies[0]) - 1, own.seed)
    with tempfile.TemporaryDirectory(prefix="mnpo-bench-") as scratch:
        files = {path.name: path.read_bytes() for path in played.write(Path(scratch), origins)}
    measured = results_csv(
        row for own in result.results for row in _training_rows(run, own)
    ).removeprefix(",".join(COLUMNS) + "\n")
    summary = {
        "run": run,
        "recipe": recipe.recipe,
        "policies": _policies(played),
        "crossplay": _cells(played),
        "runs": describe_results(result.results),
        "failed": [[f.method, f.seed, f.reason] for f in result.failures],
    }
    return {
        "results.csv": files.pop("crossplay-results.csv") + measured.encode(),
        **files,
        "summary.json": json.dumps(summary, indent=1) + "\n",
    }


def _algorithm(result: MethodResult, player: int) -> str:
    several = len(result.final) > 1
    return f"{result.method}/player-{player + 1}" if several else result.method


def _training_rows(run: str, result: MethodResult) -> list[Result]:
    """The last gradient step of each iteration."""
    rows = []
    ends = {(log.player, log.iteration): log for log in result.logs}
    for (player, iteration), log in ends.items():
        lines = log.path.read_text().splitlines()
        last = json.loads(lines[-1])
        origin = Origin(run, _algorithm(result, player), iteration + 1, result.seed)
        policy = {"policy": result.policies[player][iteration + 1].sha256}
        for metric in ("loss", "margin", "log_ratio", "kl"):
            value = Interval(float(last[metric]), None, None, 1, 1)
            rows.append(Result(origin, "training", metric, value, "", policy))
    return rows


def _policies(played: CrossPlay) -> list[dict[str, Any]]:
    def interval(found: Interval | None) -> dict[str, float | None] | None:
        return (
            None if found is None else {"value": found.value, "low": found.low, "high": found.high}
        )

    return [
        {
            "name": own.name,
            "sha256": own.sha256,
            "win_rate_against_start": interval(own.against_start),
            "win_rate_against_pool": interval(own.against_pool),
            "exploitability": own.exploitability,
            "nash_average": own.nash,
            "tokens": own.tokens.value,
            "unfinished": own.unfinished.value,
        }
        for own in played.summaries
    ]


def _cells(played: CrossPlay) -> dict[str, Any]:
    """The terminal's table, so that a finished run can show it again."""
    table = played.table()
    columns = [list(map(str, column.cells)) for column in table.columns]
    return {
        "caption": str(table.caption or ""),
        "columns": [str(column.header) for column in table.columns],
        "rows": [list(row) for row in zip(*columns, strict=True)],
    }
