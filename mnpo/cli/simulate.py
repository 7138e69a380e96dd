"""`mnpo-bench simulate`: does this algorithm find the equilibrium of this game, and how fast?"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnpo.cli.lines import complain, note, say
from mnpo.errors import InvalidSetting

if TYPE_CHECKING:
    from simulators.study.config import StudyConfig
    from simulators.study.plan import Plan
    from simulators.study.study import StudyResult

HELP = """Run algorithms on a preference game and judge them against its exact equilibria.

With no option but --game it compares eight algorithms from the same start and writes a report.
"""
EPILOG = """Examples, each a command:

mnpo-bench simulate --game cyclic

mnpo-bench simulate --game file:wins.csv --algorithms inpo,mnpo

mnpo-bench simulate --algorithms inpo --sweep step_size=0.01:1:log:20

mnpo-bench simulate --game condorcet --mode sampled --seeds 100 --jobs 2

mnpo-bench simulate --suite standard --jobs 2
"""


def simulate(
    game: Annotated[
        str | None,
        typer.Option(
            help="A game (see `mnpo-bench games list`) or file:PATH.  \\[default: cyclic]"
        ),
    ] = None,
    algorithms: Annotated[
        str | None,
        typer.Option(
            help="Names, comma-separated, or 'all' that the game can run (see `mnpo-bench "
            "algorithms list`)."
        ),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Iterations T of each run.  \\[default: 500]")
    ] = None,
    step_size: Annotated[
        float | None,
        typer.Option(
            "--step-size",
            help="Step on the log-odds per unit of win probability.  \\[default: 0.5]",
        ),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="KL temperature.  \\[default: 0.1]")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="uniform, skewed, or probabilities 0.6,0.3,0.1.  \\[default: auto]"),
    ] = None,
    initial: Annotated[
        str | None,
        typer.Option(help="reference, random (one start a seed), or probabilities."),
    ] = None,
    mode: Annotated[
        str | None, typer.Option(help="exact, gradient, sampled or neural.  \\[default: exact]")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Number of seeds.  \\[default: 1]")] = None,
    seed: Annotated[int | None, typer.Option(help="The first seed.  \\[default: 0]")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any parameter of the game, the algorithms or the mode; game.KEY or "
            "ALGORITHM.KEY where it matters. Repeatable.",
        ),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="KEY=AXIS",
            help="Vary a parameter: LOW:HIGH:log:COUNT, LOW:HIGH:lin:COUNT, LOW:HIGH or a,b,c. "
            "Repeatable.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Start from a YAML file, e.g. the run.yaml of an earlier run."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Run directory.  \\[default: runs/GAME-HASH, so equal runs resume]"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run with other settings there.")
    ] = False,
    jobs: Annotated[int, typer.Option(help="Worker processes, or CPUs of a local Ray.")] = 1,
    executor: Annotated[
        str, typer.Option(help="local, or ray (extra 'ray'; RAY_ADDRESS names a cluster).")
    ] = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the settings, print the plan, write nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")
    ] = False,
    suite: Annotated[
        str | None,
        typer.Option(
            help="All algorithms on all games, tuned by one procedure, reported on held-out games: "
            "standard. --seeds is the number of held-out games of each family."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --suite: its small version, in a minute.")
    ] = False,
) -> None:
    """Run a study; see HELP."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        # Set before numpy loads: on shared cores several BLAS threads are slower than one.
        os.environ.setdefault(variable, "1")
    if suite is not None:
        from mnpo.cli.suite import refuse_others, simulate_suite

        refuse_others(
            {
                "--game": game,
                "--algorithms": algorithms,
                "--iterations": iterations is not None,
                "--step-size": step_size is not None,
                "--temperature": temperature is not None,
                "--reference": reference,
                "--initial": initial,
                "--mode": mode,
                "--seed": seed is not None,
                "--set": assignments,
                "--sweep": sweep,
                "--config": config,
                "--executor": executor != "local",
                "--json": as_json,
            }
        )
        simulate_suite(
            suite,
            output=output,
            held_out=seeds,
            quick=quick,
            jobs=jobs,
            overwrite=overwrite,
            dry_run=dry_run,
        )
        return
    if quick:
        raise InvalidSetting("--quick is the small version of a --suite; name one")
    from simulators.study.executors import make_executor

    runner = make_executor(executor, jobs)
    given = {
        "game": game,
        "algorithms": _names(algorithms),
        "iterations": iterations,
        "step_size": step_size,
        "temperature": temperature,
        "reference": reference,
        "initial": initial,
        "mode": mode,
        "seeds": seeds,
        "seed": seed,
    }
    resolved = _configuration(config, given, assignments or [], sweep or [])
    from simulators.study.plan import make_plan

    left_out: list[str] = []
    if algorithms == "all":
        from simulators.study.runnable import runnable_algorithms

        resolved, left_out = runnable_algorithms(resolved)
    plan = make_plan(resolved)
    plan = replace(plan, warnings=[*left_out, *plan.warnings])
    folder = output or _default_folder(resolved)
    if dry_run:
        _print_plan(resolved, plan, folder)
        return
    for warning in plan.warnings:
        note(warning)
    result = _run(resolved, plan, folder, runner, overwrite=overwrite, quiet=as_json)
    from simulators.study.report import write_reports

    table = write_reports(result, command=_command())
    if as_json:
        print((folder / "summary.json").read_text(), end="")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(table)
    if result.resumed:
        console.print(
            f"{result.resumed} of {len(plan.jobs)} parts were finished before and taken over"
        )
    # Text, never markup: folders and games are called what users call them.
    report = Text.assemble("report: ", (str(folder / "report.html"), "bold"))
    console.print(report, soft_wrap=True)


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    if text == "all":
        from mnpo.algorithms import list_algorithms

        return tuple(entry.name for entry in list_algorithms())
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _configuration(
    file: Path | None, given: dict[str, Any], assignments: list[str], sweep: list[str]
) -> "StudyConfig":
    """The file's keys, overridden by the options, with --set and --sweep sorted in."""
    from mnpo.cli.values import read_assignments, read_axis, read_policy
    from mnpo.runs.reading import read_yaml_file
    from simulators.study.config import StudyConfig, parse_config
    from simulators.study.settings import sort_assignments

    values = read_yaml_file(file, f"--config {file}") if file else {}
    parse_config(values, f"{file}: {{}}".format)  # its mistakes by its own name
    named = {"reference": ("auto", "uniform", "skewed"), "initial": ("reference", "random")}
    for name, names in named.items():
        given[name] = read_policy(given[name], f"--{name}", names)
    values |= {key: value for key, value in given.items() if value is not None}
    base = parse_config(values, lambda key: f"--{key.replace('_', '-')}")
    game, parameters, single = sort_assignments(
        read_assignments(assignments), base.game, base.algorithms
    )
    axes = {}
    for item in sweep:
        key, separator, text = item.partition("=")
        if not separator:
            raise InvalidSetting(f"--sweep takes KEY=AXIS, got '{item}'")
        if key in axes:
            raise InvalidSetting(f"--sweep {key} is given twice")
        axes[key] = read_axis(text, f"--sweep {key}")
    merged = {name: dict(own) for name, own in base.algorithm_parameters.items()}
    for name, own in single.items():
        merged.setdefault(name, {}).update(own)
    update = {
        "game_parameters": base.game_parameters | game,
        "parameters": base.parameters | parameters,
        "algorithm_parameters": merged,
        "sweep": base.sweep | axes,
    }
    whole: StudyConfig = parse_config(base.model_dump() | update)
    return whole


def _default_folder(config: "StudyConfig") -> Path:
    from mnpo.runs import digest
    from simulators.study.inputs import input_files

    name = Path(config.game.removeprefix("file:")).name.split(".")[0]
    settings = config.model_dump(mode="json")
    files = input_files(config)
    whole = digest({"config": settings, "files": files} if files else settings)
    return Path("runs") / f"{name}-{whole[:8]}"


def _run(
    config: "StudyConfig", plan: "Plan", folder: Path, runner: Any, *, overwrite: bool, quiet: bool
) -> "StudyResult":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from simulators.study.study import run_study

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, highlight=False)
    size = f"{_count(plan.runs, 'run')} of {_count(config.iterations, 'iteration')}"
    description = f"{size} on {config.game}"
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(description, total=plan.run_iterations)
        try:
            return run_study(
                config,
                plan,
                folder,
                runner,
                overwrite=overwrite,
                advance=lambda n: progress.advance(task, n),
            )
        except KeyboardInterrupt:
            progress.stop()
            complain(f"interrupted; finished parts are kept in {folder}, the same command goes on")
            sys.exit(130)  # main would say no more than that it was interrupted


def _print_plan(config: "StudyConfig", plan: "Plan", folder: Path) -> None:
    size = f"{_count(plan.runs, 'run')} of {_count(config.iterations, 'iteration')}"
    print(f"{size} in {_count(len(plan.jobs), 'part')}")
    for job in plan.jobs:
        counts = {
            "run": job.runs,
            "step size": len(set(job.step_sizes)),
            "temperature": len(set(job.temperatures)),
            "seed": len(set(job.seeds)),
        }
        axes = "".join(f", {axis}={value}" for axis, value in job.axes.items())
        print(
            f"  {job.algorithm}: {', '.join(_count(n, what) for what, n in counts.items())}{axes}"
        )
    for warning in plan.warnings:
        say(f"note: {warning}")
    say(f"would write to {folder}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _command() -> str:
    import shlex

    return shlex.join(["mnpo-bench", *sys.argv[1:]])
