"""One method with one seed as a piece of work: trained, and kept in the run directory."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mnpo.errors import DamagedRun, DiskFull, UserError
from mnpo.runs import RunDirectory
from mnpo.training.online.loop import run_method
from mnpo.training.methods import Method
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import methods_of
from mnpo.training.runs.keys import part_key
from mnpo.training.runs.results import MethodResult, dump_result, load_result, result_of
from mnpo.training.stages import SEAL, Listener
from mnpo.training.workbench import Games, Progress, Workbench, no_progress, open_workbench


def _silent(event: str, kind: str, key: str, detail: str) -> None:
    """Listen to nothing."""


def _ignore(method: str, seed: int, status: str) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class Hooks:
    """Who is told what happens while a run goes on.

    Attributes:
        stage: of stages; see `mnpo.training.stages.Listener`.
        steps: of steps inside a stage.
        method: (method, seed, status): "started", "done", "taken over" or "failed".
    """

    stage: Listener = _silent
    steps: Progress = no_progress
    method: Callable[[str, int, str], None] = _ignore


@dataclass(frozen=True)
class Job:
    """What another process needs to train one method.

    Attributes:
        recipe: of the run.
        folder: the run directory, absolute.
        cwd: where relative paths of the recipe start.
        method, seed: what to train.
        games: finds matrices for oracles that name a game.
    """

    recipe: Recipe = field(repr=False)
    folder: str
    cwd: str
    method: str
    seed: int
    games: Games | None = None


def run_job(job: Job) -> str | None:
    """Train and keep; for other processes.

    Returns:
        None, or the reason why it failed. What is no user's mistake is raised.

    Raises:
        DiskFull: no other job could write either.
    """
    os.chdir(job.cwd)
    try:
        bench = _workbench(job.recipe.model_dump_json(), job.folder, job.games)
        method = methods_of(job.recipe)[job.method]
        train_and_keep(bench, RunDirectory(Path(job.folder)), method, job.seed)
    except DiskFull:
        raise
    except UserError as error:
        return str(error)
    return None


def train_and_keep(
    bench: Workbench, run: RunDirectory, method: Method, seed: int, listen: Listener = _silent
) -> None:
    """Train a method and write its part; every process of a distributed run calls this.

    Raises:
        UserError: from the loop; finished stages are kept.
    """
    touched: dict[str, None] = {}

    def note(event: str, kind: str, key: str, detail: str) -> None:
        touched[key] = None
        listen(event, kind, key, detail)

    bench.stages.listen = note
    try:
        trained = run_method(bench, method, seed)
    finally:
        bench.stages.listen = listen
    if bench.world.leads:
        seals = (bench.stages.root / key / SEAL for key in touched)
        seconds = sum(float(json.loads(seal.read_text())["seconds"]) for seal in seals)
        result = result_of(trained, seconds)
        run.write_part(part_key(method.name, seed), "json", dump_result(result, run.path))
    bench.world.barrier()


def kept_result(run: RunDirectory, method: str, seed: int) -> MethodResult | None:
    """The result of a method that is finished and whole; None where it is not.

    One that another version wrote in another form counts as missing: the stages are still there,
    so that it costs little to make it again.
    """
    key = part_key(method, seed)
    if not run.has_part(key, "json"):
        return None
    try:
        result = load_result(run.part(key, "json").read_text(), run.path)
    except DamagedRun:
        return None
    return result if result.complete else None


@lru_cache(maxsize=1)
def _workbench(recipe: str, folder: str, games: Games | None) -> Workbench:
    """One for all jobs that a worker process gets."""
    return open_workbench(Recipe.model_validate_json(recipe), Path(folder), games=games)
