"""From a finished study to its report: chooses what is drawn, and writes the files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnpo.runs.environment import environment
from simulators.games import Game
from simulators.metrics import verdict
from simulators.report import (
    GameFacts,
    ReportContent,
    RunCurves,
    terminal_table,
    write_html,
    write_markdown,
)
from simulators.report.best import spread
from simulators.report.content import swept_columns
from simulators.report.formats import SYMBOLS, setting
from simulators.report.groups import Group, group_rows, identity, varying
from simulators.study.facts import game_facts
from simulators.study.job import Job, JobOutput, build_game
from simulators.study.study import StudyResult

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

Array = NDArray[np.float64]

#: Games whose facts are shown, and runs that are drawn; the tables hold all of them.
MAX_GAMES, MAX_CURVES = 6, 24
FEW_CURVES = 12


def write_reports(result: StudyResult, command: str) -> "RenderableType":
    """Write ``report.md`` and ``report.html``, seal the manifest, and return the terminal table.

    Args:
        result: the finished study, its tables written.
        command: the command line to show.
    """
    content = report_content(result, command)
    folder = result.directory.path
    write_markdown(content, folder / "report.md")
    write_html(content, folder / "report.html")
    names = ("summary.csv", "summary.json", "trajectories.parquet", "report.md", "report.html")
    result.directory.finish({name: folder / name for name in names}, result.seconds)
    return terminal_table(content)


def report_content(result: StudyResult, command: str) -> ReportContent:
    """The plain values of a study's report."""
    games: list[GameFacts] = []
    index: dict[str, int] = {}
    labels = _chosen_runs(result)
    curves: dict[str, RunCurves] = {}
    for job, output in zip(result.plan.jobs, result.outputs, strict=True):
        for r, row in enumerate(output.rows):
            if row["run"] not in labels or not row["iterations"]:
                continue
            parameters = job.game_parameters[r if len(job.game_parameters) > 1 else 0]
            place = _game_index(job, dict(parameters), row, games, index)
            game = games[place] if place < len(games) else None
            curves[row["run"]] = _curves(output, row, place, game, labels[row["run"]])
    versions = environment()
    return ReportContent(
        title=f"{result.config.game}: {', '.join(result.config.algorithms)}",
        command=command,
        settings=result.config.model_dump(mode="json"),
        games=games,
        rows=result.rows,
        curves=[curves[run] for run in labels if run in curves],
        warnings=result.plan.warnings,
        verdict_rule=verdict.__doc__ or "",
        versions={"mnpo-bench": versions["mnpo_bench"], **versions["versions"]},
    )


def _chosen_runs(result: StudyResult) -> dict[str, str]:
    """Run -> label: one seed of each algorithm's best settings, then of others over the sweep.

    There are at most `MAX_CURVES`, and of a sweep only a few beside the best, so that single
    curves can be told apart.
    """
    swept = swept_columns(result.config.sweep, result.rows)
    groups = group_rows(result.rows, swept)
    limit = min(MAX_CURVES, max(FEW_CURVES, 3 * len(result.config.algorithms)))
    chosen = spread(groups, limit)
    told = varying(chosen, list(dict.fromkeys((*swept, "step_size", "temperature"))))
    labels = {}
    for group in chosen:
        row = next((row for row in group.rows if row["iterations"]), group.rows[0])
        labels[str(row["run"])] = _label(group, told)
    return labels


def _label(group: Group, told: Sequence[str]) -> str:
    """``inpo α=0.1 τ=0.05``: the settings that tell runs apart, where the algorithm reads them."""
    parts = []
    for key in told:
        value = group.setting.get(key)
        if identity(value) is not None:
            text = f"{value:.3g}" if isinstance(value, float) else setting(value)
            parts.append(f"{SYMBOLS.get(key, key.rpartition('.')[2])}={text}")
    return " ".join([group.algorithm, *parts])


def _game_index(
    job: Job,
    parameters: dict[str, Any],
    row: dict[str, Any],
    games: list[GameFacts],
    index: dict[str, int],
) -> int:
    """Index of a run's game; its facts are computed once, and not beyond the limit."""
    key = repr((job.game, sorted(parameters.items()), row["temperature"], job.reference))
    if key not in index:
        index[key] = len(index)
        if len(games) < MAX_GAMES:
            game = build_game(job.game, parameters)
            games.append(_facts(game, row["temperature"], job.reference))
    return index[key]


def _facts(game: Game, temperature: float, reference: tuple[float, ...] | None) -> GameFacts:
    known = game_facts(game, temperature, reference)

    def policy(name: str) -> Array | None:
        return np.array(known[name]) if name in known else None

    uniform = np.full(game.size, 1 / game.size)
    return GameFacts(
        name=game.name,
        actions=game.actions,
        parameters=known["parameters"],
        preferences=game.preferences if game.contexts == 1 else None,
        nash=policy("nash"),
        nash_unique=known.get("nash_unique"),
        regularized_equilibrium=policy("regularized_equilibrium"),
        temperature=temperature,
        reference=uniform if reference is None else np.array(reference),
        cyclic_share=known.get("cyclic_share", known.get("mean_cyclic_share")),
        cyclic_triples=known.get("cyclic_triples"),
        players=game.players,
        contexts=game.contexts,
    )


def _curves(
    output: JobOutput, row: dict[str, Any], place: int, game: GameFacts | None, label: str
) -> RunCurves:
    import pyarrow.compute as pc

    table = output.trajectories.filter(pc.equal(output.trajectories["run"], row["run"]))

    def series(name: str) -> Array:
        return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    iterations = table["iteration"].to_numpy()
    return RunCurves(
        run=row["run"],
        label=label,
        algorithm=row["algorithm"],
        seed=row["seed"],
        step_size=row["step_size"],
        temperature=row["temperature"],
        verdict=row["verdict"],
        iterations=iterations,
        gap=series("gap"),
        average_gap=series("gap_average"),
        regularized_gap=series("regularized_gap"),
        kl=series("kl_to_regularized_equilibrium"),
        policies=_policies(table, len(game.actions)) if game else None,
        policy_iterations=iterations,
        game=place,
    )


def _policies(table: "pa.Table", size: int) -> Array | None:
    """(T', K) policies, the players' mean where there are several; None where not kept."""
    column = table["policy"].combine_chunks()
    if column.null_count or not len(column):
        return None
    flat = np.asarray(column.flatten().to_numpy(zero_copy_only=False))
    return np.asarray(flat.reshape(len(column), -1, size).mean(axis=1))
