"""A simulation as a table: every algorithm with every setting, over its seeds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evaluation.statistics import Interval
from leaderboards.board import Column, Direction, Entry, Figure, Section, Source
from leaderboards.collect.filters import takes_algorithm, takes_benchmark
from leaderboards.collect.names import label
from leaderboards.collect.opening import Opened
from leaderboards.collect.ranks import Uncertain, column_ranks
from leaderboards.collect.seeds import over_seeds
from leaderboards.collect.tables_read import Line, number, read_table
from leaderboards.options import BoardOptions
from mnpo.runs.files import digest
from simulators.study.outputs import CONTRACT_COLUMNS, FURTHER_COLUMNS

SUMMARY, TRAJECTORIES = "summary.csv", "trajectories.parquet"
Setting = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Metric:
    title: str
    better: Direction
    unit: str
    headline: bool
    explanation: str


#: Columns of the summary that go on a board.
METRICS = {
    "gap_last": _Metric(
        "gap, last", "lower", "win probability", True, "Duality gap of the last iterate."
    ),
    "gap_average": _Metric(
        "gap, average", "lower", "win probability", True, "Duality gap of the average iterate."
    ),
    "regularized_gap_last": _Metric(
        "regularised gap",
        "lower",
        "",
        True,
        "Gap of the last iterate in the KL-regularised game, which regularised methods solve.",
    ),
    "kl_to_regularized_equilibrium": _Metric(
        "KL to equilibrium",
        "lower",
        "nats",
        False,
        "KL divergence of the regularised equilibrium from the last iterate.",
    ),
    "external_regret": _Metric(
        "external regret",
        "lower",
        "win probability",
        True,
        "Win probability lost over all iterations against the best fixed policy.",
    ),
    "converged": _Metric(
        "converged", "higher", "%", True, "Share of seeds whose last iterate converges (verdict)."
    ),
    "preference_queries": _Metric(
        "queries", "neither", "", True, "Questions to the preference oracle."
    ),
    "gradient_steps": _Metric("gradient steps", "neither", "", False, "Gradient steps taken."),
    "worst_annotator_win_rate": _Metric(
        "worst annotator", "higher", "win probability", False, "Win rate under the worst annotator."
    ),
    "nash_welfare": _Metric(
        "Nash welfare", "higher", "", False, "Geometric mean of the annotators' win rates."
    ),
}
_NOT_SETTINGS = frozenset(
    {*CONTRACT_COLUMNS, *FURTHER_COLUMNS} - {"step_size", "temperature", "parameters"}
)


@dataclass(frozen=True)
class Simulated:
    """Rows of one algorithm with one setting.

    Attributes:
        name: unique in its run.
        algorithm: by its name.
        rows: number of the row, and the row; one for each seed.
    """

    name: str
    algorithm: str
    rows: tuple[tuple[int, Line], ...]


def read_simulated(opened: Opened, options: BoardOptions) -> list[Simulated]:
    """The summary's rows by algorithm and setting; never the best of several settings.

    Raises:
        DamagedRun: the summary is missing, damaged or broken.
    """
    opened.require(TRAJECTORIES)
    lines = read_table(opened, SUMMARY, CONTRACT_COLUMNS)
    found: dict[tuple[str, Setting], list[tuple[int, Line]]] = {}
    for row, line in enumerate(lines, start=1):
        if not (
            takes_algorithm(options, line["algorithm"]) and takes_benchmark(options, line["game"])
        ):
            continue
        setting = tuple((key, text) for key, text in line.items() if key not in _NOT_SETTINGS)
        found.setdefault((line["algorithm"], setting), []).append((row, line))
    told = _told(list(found))
    return [
        Simulated(" ".join([algorithm, *told[algorithm, setting]]), algorithm, tuple(rows))
        for (algorithm, setting), rows in found.items()
    ]


def simulation_section(opened: Opened, key: str, simulated: Sequence[Simulated]) -> Section | None:
    """The table; None where the options leave nothing of it."""
    if not simulated:
        return None
    first = simulated[0].rows[0][1]
    game, mode = first["game"], first["mode"]
    conditions = {
        "game": digest(opened.manifest.get("games")),
        "mode": mode,
        "configuration": str(opened.manifest.get("config_sha256", "")),
    }
    cells: dict[str, dict[str, Figure]] = {own.name: {} for own in simulated}
    columns = []
    for metric, about in METRICS.items():
        column = Column(
            key=f"{game}/{metric}",
            title=about.title,
            benchmark=game,
            metric=metric,
            unit=about.unit,
            better=about.better,
            headline=about.headline,
            conditions=conditions,
            explanation=about.explanation,
        )
        figures = _column(opened, key, metric, simulated)
        if not figures:
            continue
        if about.headline and about.better != "neither":
            figures = _ranked(figures, about.better)
        columns.append(column)
        for name, (figure, _) in figures.items():
            cells[name][column.key] = figure
    iterations = opened.config.get("iterations")
    return Section(
        title=f"Simulator: {game}, {mode}, {iterations} iterations ({key})",
        kind="simulator",
        columns=tuple(columns),
        entries=tuple(
            Entry(
                name=own.name,
                algorithm=own.algorithm,
                label=label(own.algorithm),
                origin=key,
                seeds=_seeds(own),
                figures=cells[own.name],
            )
            for own in simulated
        ),
        sorted_by="name",
        notes=("every row is one setting, over all of its seeds",),
    )


def _told(keys: Sequence[tuple[str, Setting]]) -> dict[tuple[str, Setting], list[str]]:
    """What tells an algorithm's settings apart, in words."""
    by_algorithm: dict[str, list[Setting]] = {}
    for algorithm, setting in keys:
        by_algorithm.setdefault(algorithm, []).append(setting)
    found = {}
    for algorithm, settings in by_algorithm.items():
        values: dict[str, set[str]] = {}
        for setting in settings:
            for name, text in setting:
                values.setdefault(name, set()).add(text)
        for setting in settings:
            found[algorithm, setting] = [
                f"{name}={text or 'none'}" for name, text in setting if len(values[name]) > 1
            ]
    return found


def _seeds(own: Simulated) -> tuple[int, ...]:
    texts = (line["seed"] for _, line in own.rows)
    return tuple(sorted({int(text) for text in texts if text.isdecimal() and len(text) <= 20}))


def _column(
    opened: Opened, key: str, metric: str, simulated: Sequence[Simulated]
) -> dict[str, tuple[Figure, float | None]]:
    found = {}
    for own in simulated:
        parts: list[tuple[int, float]] = []
        for row, line in own.rows:
            if metric == "converged":
                parts.append((row, 100.0 * line["verdict"].startswith("converges (last")))
            elif (value := number(opened, SUMMARY, row, line, metric)) is not None:
                parts.append((row, value))
        if not parts:
            continue
        bounds = (0.0, 100.0 if metric == "converged" else float("inf"))
        mean = over_seeds([Interval(value, None, None, 1, 1) for _, value in parts], bounds)
        figure = Figure(
            interval=mean.interval,
            basis=mean.basis,
            seeds=len(parts),
            spread=mean.spread,
            flags=_flags(own, len(parts)) if metric in ("gap_last", "converged") else (),
            sources=tuple(Source(key, SUMMARY, row) for row, _ in parts),
        )
        found[own.name] = (figure, mean.freedom)
    return found


def _flags(own: Simulated, measured: int) -> tuple[str, ...]:
    verdicts = Counter(line["verdict"] for _, line in own.rows)
    text = ", ".join(
        f"{verdict} {count} of {len(own.rows)}" for verdict, count in verdicts.most_common()
    )
    flags = [f"verdict: {text}"]
    if measured < len(own.rows):
        flags.append(f"no figure for {len(own.rows) - measured} of {len(own.rows)} seeds")
    return tuple(flags)


def _ranked(
    figures: Mapping[str, tuple[Figure, float | None]], better: Direction
) -> dict[str, tuple[Figure, float | None]]:
    """With ranks, where chance is known everywhere."""
    if len(figures) < 2 or any(freedom is None for _, freedom in figures.values()):
        return dict(figures)
    names = list(figures)
    uncertain = [Uncertain(figures[name][0].interval, figures[name][1]) for name in names]
    ranks, letters = column_ranks(uncertain, {}, better)
    return {
        name: (replace(figures[name][0], rank=rank, letters=own), figures[name][1])
        for name, rank, own in zip(names, ranks, letters, strict=True)
    }


def names_of(opened: Opened) -> tuple[set[str], set[str]]:
    """Games and algorithms of a simulation, whatever is asked for."""
    lines = read_table(opened, SUMMARY, CONTRACT_COLUMNS)
    return {line["game"] for line in lines}, {line["algorithm"] for line in lines}
