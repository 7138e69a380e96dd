"""From a finished study to its report: chooses what is drawn, and writes the files."""

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
from simulators.study.facts import game_facts
from simulators.study.job import Job, JobOutput
from simulators.study.study import StudyResult

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

Array = NDArray[np.float64]

#: Games whose facts are shown, and runs that are drawn; the tables hold all of them.
MAX_GAMES, MAX_CURVES = 6, 24


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
    chosen = _chosen_runs(result)
    curves = []
    for job, output in zip(result.plan.jobs, result.outputs, strict=True):
        for r, row in enumerate(output.rows):
            if row["run"] not in chosen:
                continue
            parameters = job.game_parameters[r if len(job.game_parameters) > 1 else 0]
            place = _game_index(job, dict(parameters), row, games, index)
            if place is not None and row["iterations"]:
                curves.append(_curves(job, output, row, place, games[place]))
    versions = environment()
    return ReportContent(
        title=f"{result.config.game}: {', '.join(result.config.algorithms)}",
        command=command,
        settings=result.config.model_dump(mode="json"),
        games=games,
        rows=result.rows,
        curves=curves,
        warnings=result.plan.warnings,
        verdict_rule=verdict.__doc__ or "",
        versions={"mnpo-bench": versions["mnpo_bench"], **versions["versions"]},
    )


def _chosen_runs(result: StudyResult) -> set[str]:
    """The first seed of every setting, spread evenly when there are too many."""
    first: dict[tuple[Any, ...], str] = {}
    for row in result.rows:
        swept = tuple(str(row.get(axis)) for axis in result.config.sweep)
        first.setdefault((row["game"], row["algorithm"], *swept), row["run"])
    runs = list(first.values())
    if len(runs) > MAX_CURVES:
        runs = [runs[i] for i in np.linspace(0, len(runs) - 1, MAX_CURVES).round().astype(int)]
    return set(runs)


def _game_index(
    job: Job,
    parameters: dict[str, Any],
    row: dict[str, Any],
    games: list[GameFacts],
    index: dict[str, int],
) -> int | None:
    """Index of a run's game in the report, its facts computed once; None beyond the limit."""
    key = repr((job.game, sorted(parameters.items()), row["temperature"], job.reference))
    if key not in index:
        if len(games) >= MAX_GAMES:
            return None
        from simulators.study.job import build_game

        game = build_game(job.game, parameters)
        games.append(_facts(game, row["temperature"], job.reference))
        index[key] = len(games) - 1
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
    job: Job, output: JobOutput, row: dict[str, Any], place: int, game: GameFacts
) -> RunCurves:
    import pyarrow.compute as pc

    table = output.trajectories.filter(pc.equal(output.trajectories["run"], row["run"]))
    axes = ", ".join(f"{axis.removeprefix('game.')}={value}" for axis, value in job.axes.items())

    def series(name: str) -> Array:
        return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    iterations = table["iteration"].to_numpy()
    return RunCurves(
        run=row["run"],
        label=f"{row['algorithm']} ({axes})" if axes else row["algorithm"],
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
        policies=_policies(table, len(game.actions)),
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
