"""What `train` and `train-all` share: the recipe, the run, and what is said about it."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mnpo.cli.chain_report import report
from mnpo.cli.lines import complain, say

if TYPE_CHECKING:
    import numpy as np

    from mnpo.training.recipe import Recipe
    from mnpo.training.runs.executors import Executor
    from mnpo.training.runs.plan import Plan
    from mnpo.training.runs.run import RunResult
    from mnpo.training.workbench import Workbench


@dataclass(frozen=True)
class Request:
    """A run that was asked for.

    Attributes:
        recipe: resolved.
        stem: start of the default folder's name.
        output: the run directory; None takes ``runs/STEM-HASH``.
        overwrite, dry_run, as_json: the options.
        executor: trains in other processes; None in this one.
        until: the last stage of the chain, see `mnpo.runs.chain`.
    """

    recipe: "Recipe"
    stem: str
    output: Path | None
    overwrite: bool
    dry_run: bool
    as_json: bool
    executor: "Executor | None" = None
    until: str = "train"


def load(
    name: str,
    assignments: Sequence[str],
    methods: Sequence[str] | None,
    seeds: Sequence[int] | None,
) -> "Recipe":
    """The recipe with the command line's changes; None keeps what the recipe says."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        # Set before torch loads: on shared cores several threads are slower than one.
        os.environ.setdefault(variable, "1")
    from mnpo.errors import UserError
    from mnpo.runs.reading import read_assignments
    from mnpo.training.recipes import load_recipe, methods_of, select_methods

    try:
        recipe = load_recipe(name, read_assignments(assignments))
        if methods is not None:
            recipe = select_methods(recipe, methods)
        if seeds is not None:
            recipe = recipe.model_copy(update={"seeds": tuple(seeds)})
        methods_of(recipe)  # refuses methods that cannot be, before anything heavy is loaded
    except UserError:
        if _rank():
            _let_the_first_speak()
            raise typer.Exit(2) from None
        raise
    return recipe


def train_and_report(request: Request) -> None:
    """Plan, train, judge, go on as far as was asked, and print; exit code 1 when something failed.

    Raises:
        UserError: before anything is written, or from the cross-play at the end of the training.
    """
    from leaderboards.chain.run import run_chain
    from mnpo.cli.live import Live
    from mnpo.errors import UserError
    from mnpo.runs.chain import STAGES

    rank = _rank()
    folder = request.output or _default_folder(request)
    if request.dry_run:
        _dry_run(request, folder)
        return
    begun = False

    def announce(bench: "Workbench", plan: "Plan") -> None:
        nonlocal begun
        if not (request.as_json or rank or bench.world.size > 1):
            _show_plan(bench, plan, sys.stderr)
        begun = True

    chain = STAGES[: STAGES.index(request.until) + 1]
    live = Live(request.recipe, quiet=request.as_json or rank > 0, chain=chain)
    try:
        with live:
            result = run_chain(
                request.recipe,
                folder,
                until=request.until,
                games=find_game,
                executor=request.executor,
                overwrite=request.overwrite,
                announce=announce,
                evaluate=_judge(live),
                hooks=live.hooks,
                listen=live.show,
                begin=live.begin,
            )
    except KeyboardInterrupt:
        if not rank:
            complain(f"interrupted; finished stages are kept in {folder}, the same command goes on")
        sys.exit(130)  # main would say no more than that it was interrupted
    except UserError as error:
        if not rank:
            raise
        if begun:  # what is wrong before that is wrong in the first process as well
            complain(f"process {rank}: {error}")
        else:
            _let_the_first_speak()
        raise typer.Exit(2) from None
    if not rank:
        report(result, until=request.until, as_json=request.as_json)
    if result.training.failures or result.failures:
        raise typer.Exit(1)


def _rank() -> int:
    """Which of a launcher's processes this is; only the first one speaks."""
    return int(os.environ.get("RANK", "0"))


def _let_the_first_speak() -> None:
    """Wait for the first process to say what is wrong: a launcher ends all when one has ended."""
    time.sleep(30)


def find_game(name: str, parameters: Mapping[str, Any]) -> "np.ndarray":
    """The preference matrix of a game of the simulator, for matrix oracles.

    Raises:
        UserError: an unknown game or parameter, or one with several contexts.
    """
    from mnpo.errors import InvalidGame
    from simulators import make_game

    matrix = make_game(name, **parameters).preferences
    if matrix.ndim != 2:
        raise InvalidGame(f"game '{name}' has several contexts; an oracle needs one matrix")
    return matrix


def _default_folder(request: Request) -> Path:
    from mnpo.runs import digest
    from mnpo.training.resuming import what_counts
    from mnpo.training.runs.run import data_files

    settings = what_counts(request.recipe.model_dump(mode="json"))
    whole = digest({"recipe": settings, "files": data_files(request.recipe)})
    stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in request.stem)
    return Path("runs") / f"{stem[:100]}-{whole[:8]}"


def _dry_run(request: Request, folder: Path) -> None:
    from mnpo.runs import RunDirectory
    from mnpo.training.recipes import methods_of
    from mnpo.training.resuming import what_counts
    from mnpo.training.runs.plan import make_plan
    from mnpo.training.runs.run import data_files
    from mnpo.training.workbench import open_workbench

    recipe = request.recipe
    methods = methods_of(recipe)
    RunDirectory(folder).refuse(
        recipe.model_dump(mode="json"),
        inputs=data_files(recipe),
        overwrite=request.overwrite,
        essence=what_counts,
    )
    bench = open_workbench(recipe, folder, games=find_game)
    plan = make_plan(bench, methods, recipe.seeds)
    evaluation = None
    if request.until != "train":
        from leaderboards.chain.run import plan_chain

        evaluation = plan_chain(recipe, folder, games=find_game)
    if request.as_json:
        import json

        further = {} if evaluation is None else {"evaluation": evaluation.describe()}
        print(json.dumps(plan.describe() | further, indent=1))
        return
    _show_plan(bench, plan, sys.stdout)
    if evaluation is not None:
        from mnpo.cli.printing import print_to

        print_to(sys.stdout, "then the evaluation:", *(f"  {s}" for s in evaluation.lines()))
    say(f"would write to {folder}")


def _show_plan(bench: "Workbench", plan: "Plan", stream: Any) -> None:
    from mnpo.cli.printing import print_to
    from mnpo.cli.training_tables import plan_lines, plan_table
    from mnpo.training.runs.calibration import calibrate, estimate_seconds

    print_to(stream, plan_table(plan), *bench.data.lines())
    rates = calibrate(bench)
    print_to(stream, *plan_lines(plan, rates, estimate_seconds(plan, rates)))


def _judge(live: Any) -> Any:
    def evaluate(bench: "Workbench", result: "RunResult") -> Mapping[str, str | bytes]:
        from mnpo.cli.judging import judge_policies

        live.judging()
        return judge_policies(bench, result)

    return evaluate
