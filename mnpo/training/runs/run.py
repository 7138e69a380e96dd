"""A whole run: every method with every seed, in one run directory that can be taken up again."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnpo.errors import DiskFull, UserError
from mnpo.runs import RunDirectory, sha256_file, write_atomically
from mnpo.runs.alive import at_work
from mnpo.runs.chain import entered, planned, stages_of, training_status
from mnpo.training.runs.cards import card_of
from mnpo.training.runs.executors import Executor
from mnpo.training.runs.export import (
    export_policy,
    is_exported,
    ledger_csv,
    policy_name,
    training_csv,
)
from mnpo.training.runs.jobs import Hooks, Job, kept_result, train_and_keep
from mnpo.training.methods import Method
from mnpo.training.models.card import find_secret
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.runs.plan import Plan, make_plan
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import methods_of
from mnpo.training.runs.results import MethodResult, describe_results
from mnpo.training.resuming import what_counts
from mnpo.training.workbench import Games, Workbench, open_workbench
from mnpo.training.world import current_world

#: What the start of all methods is called among the policies.
START = "sft"
#: Judges the final policies: files of the run directory and what stands in them.
Evaluate = Callable[[Workbench, "RunResult"], Mapping[str, str | bytes]]
#: Sees the plan before anything is written; may raise.
Announce = Callable[[Workbench, Plan], Any]


@dataclass(frozen=True)
class Failure:
    """A method that could not be trained.

    Attributes:
        method, seed: which.
        reason: one line.
    """

    method: str
    seed: int
    reason: str


@dataclass(frozen=True)
class RunResult:
    """What a run gave.

    Attributes:
        folder: the run directory.
        recipe: of the run.
        results: of the methods that were trained, method by method.
        failures: of the others.
        taken_over: methods that were finished before.
        finished_before: nothing was left to do.
    """

    folder: Path
    recipe: Recipe
    results: tuple[MethodResult, ...]
    failures: tuple[Failure, ...] = ()
    taken_over: int = 0
    finished_before: bool = False

    @property
    def policies(self) -> dict[str, PolicyCheckpoint]:
        """The final policies by the names of their exported folders."""
        named = {}
        for result in self.results:
            for player, policy in enumerate(result.final):
                several = len(result.final) > 1
                name = policy_name(result.method, result.seed, player if several else None)
                named[name] = PolicyCheckpoint(self.folder / "policies" / name, policy.sha256)
        return named


def run_recipe(
    recipe: Recipe,
    folder: Path,
    *,
    games: Games | None = None,
    executor: Executor | None = None,
    overwrite: bool = False,
    announce: Announce | None = None,
    evaluate: Evaluate | None = None,
    hooks: Hooks | None = None,
    followed_by: Sequence[str] = (),
) -> RunResult:
    """Train every method with every seed and export what they gave.

    A method that fails does not stop the others: it is reported, and the same call tries it again.
    Under several processes a failure ends the run, for the processes may disagree about it.

    Args:
        recipe: checked settings.
        folder: the run directory; another one's is refused, an unfinished one continued.
        games: finds matrices for oracles that name a game.
        executor: trains in other processes; None in this one.
        overwrite: replace what is in the folder.
        announce: called when everything is checked and before anything is written.
        evaluate: judges the final policies.
        hooks: told what happens.
        followed_by: stages that the caller goes through afterwards, see `mnpo.runs.chain`: the
            manifest says so, and calls the run done only after them.

    Raises:
        UserError: a recipe, data or model that cannot be used; nothing has been written then.
            Or the folder holds something else.
    """
    hooks = hooks or Hooks()
    methods = methods_of(recipe)
    config = recipe.model_dump(mode="json")
    world = current_world()
    run = RunDirectory(folder)
    if executor is not None and world.size > 1:
        raise UserError("--jobs and --executor do not go with accelerate launch; leave them out")
    if secret := find_secret(config):
        raise UserError(
            f"the recipe holds {secret}, and recipes are written down; leave it "
            "out, and name the variable in api_key_env where a server needs it"
        )
    doomed = run.refuse(config, inputs=data_files(recipe), overwrite=overwrite, essence=what_counts)
    world.barrier()
    if not doomed and (finished := _finished(run, recipe, methods)):
        return finished
    bench = open_workbench(recipe, folder, games=games, listen=hooks.stage, progress=hooks.steps)
    plan = make_plan(bench, methods, recipe.seeds)  # refuses data that does not fit a method
    if announce is not None:
        announce(bench, plan)
    began = time.monotonic()
    with ExitStack() as working:
        if world.leads:
            run = RunDirectory.open(
                folder, config, inputs=_inputs(bench), overwrite=overwrite, essence=what_counts
            )
            working.enter_context(at_work(folder))
            facts = _facts(bench, methods) | {"plan": plan.describe()}
            taken_over = any(run.parts.glob("*.json"))
            run.begin(taken_over=taken_over, **facts, **_begun(run, followed_by))
        world.barrier()
        result = _train_all(run, bench, methods, games, executor, hooks)
        if world.leads:
            _export(run, bench, methods, result)
        world.barrier()
        judged: Mapping[str, str | bytes] = {}
        if evaluate is not None and result.results:
            judged = evaluate(bench, result)  # by all processes: they share the sampling
        if world.leads:
            _close(run, result, judged, time.monotonic() - began)
        world.barrier()
    return result


def _begun(run: RunDirectory, followed_by: Sequence[str]) -> dict[str, Any]:
    """The manifest's chain as training begins; without one, an earlier one goes."""
    manifest = run.manifest()
    if not followed_by:
        return {"chain": None} if "chain" in manifest else {}
    chain = {"chain": planned(["train", *followed_by], stages_of(manifest))}
    return {"chain": entered(chain, "train", status="running")["chain"]}


def _train_all(
    run: RunDirectory,
    bench: Workbench,
    methods: Mapping[str, Method],
    games: Games | None,
    executor: Executor | None,
    hooks: Hooks,
) -> RunResult:
    todo: list[tuple[str, int]] = []
    taken_over = 0
    for name in methods:
        for seed in bench.recipe.seeds:
            if kept_result(run, name, seed) is None:
                todo.append((name, seed))
            else:
                taken_over += 1
                hooks.method(name, seed, "taken over")
    bench.world.barrier()  # everybody has looked before anybody writes
    failures = (
        _here(run, bench, methods, todo, hooks)
        if executor is None
        else _elsewhere(run, bench, todo, games, executor, hooks)
    )
    results = [kept_result(run, name, seed) for name in methods for seed in bench.recipe.seeds]
    return RunResult(
        folder=run.path,
        recipe=bench.recipe,
        results=tuple(result for result in results if result is not None),
        failures=tuple(failures),
        taken_over=taken_over,
    )


def _here(
    run: RunDirectory,
    bench: Workbench,
    methods: Mapping[str, Method],
    todo: list[tuple[str, int]],
    hooks: Hooks,
) -> list[Failure]:
    failures = []
    for name, seed in todo:
        hooks.method(name, seed, "started")
        try:
            train_and_keep(bench, run, methods[name], seed, hooks.stage)
        except DiskFull:
            raise  # no other method could write either
        except UserError as error:
            if bench.world.size > 1:
                raise
            failures.append(Failure(name, seed, str(error)))
            hooks.method(name, seed, "failed")
        else:
            hooks.method(name, seed, "done")
    return failures


def _elsewhere(
    run: RunDirectory,
    bench: Workbench,
    todo: list[tuple[str, int]],
    games: Games | None,
    executor: Executor,
    hooks: Hooks,
) -> list[Failure]:
    folder, cwd = str(run.path.resolve()), str(Path.cwd())
    jobs = [Job(bench.recipe, folder, cwd, name, seed, games) for name, seed in todo]
    failures = []
    for index, reason in executor.run(jobs):
        name, seed = todo[index]
        if reason is not None:
            failures.append(Failure(name, seed, reason))
        hooks.method(name, seed, "done" if reason is None else "failed")
    return failures


def _export(
    run: RunDirectory, bench: Workbench, methods: Mapping[str, Method], result: RunResult
) -> None:
    """Policies under their names, what each method spent, and what the manifest says of it."""
    folder = run.path / "policies"
    folder.mkdir(exist_ok=True)
    owners = [(own, player) for own in result.results for player in range(len(own.final))]
    for name, (own, player) in zip(result.policies, owners, strict=True):
        card = card_of(bench, methods[own.method], own, player).text()
        export_policy(own.final[player].path, folder / name, card)
    for name, text in _tables(result).items():
        write_atomically(run.path / name, text)
    failed = [{"method": f.method, "seed": f.seed, "reason": f.reason} for f in result.failures]
    run.update_manifest(methods=describe_results(result.results), failed=failed)


def _tables(result: RunResult) -> dict[str, str]:
    return {"ledger.csv": ledger_csv(result.results), "training.csv": training_csv(result.results)}


def _close(
    run: RunDirectory, result: RunResult, judged: Mapping[str, str | bytes], seconds: float
) -> None:
    """What the judges said, and the end of the manifest."""
    for name, content in judged.items():
        write_atomically(run.path / name, content)
    files = [*_tables(result), *judged]
    status = "failed" if result.failures else "done"
    manifest, chain = run.manifest(), {}
    if manifest.get("chain") is not None:
        chain = entered(manifest, "train", status=status, seconds=round(seconds, 3))
    if result.failures:
        run.update_manifest(**{"status": status, "seconds": round(seconds, 3)} | chain)
    else:
        run.finish({name: run.path / name for name in files}, seconds, **chain)


def _finals(result: RunResult) -> list[PolicyCheckpoint]:
    return [policy for own in result.results for policy in own.final]


def _finished(run: RunDirectory, recipe: Recipe, methods: Mapping[str, Method]) -> RunResult | None:
    """The run as it is, if nothing is left to do; nothing heavy is loaded."""
    if not (run.path / "manifest.json").is_file():
        return None
    manifest = run.manifest()
    if training_status(manifest) != "done":
        return None
    for name, sha256 in manifest.get("outputs", {}).items():
        path = run.path / name
        if not path.is_file() or sha256_file(path) != sha256:
            return None
    kept = [kept_result(run, name, seed) for name in methods for seed in recipe.seeds]
    results = tuple(result for result in kept if result is not None)
    result = RunResult(run.path, recipe, results, (), len(kept), finished_before=True)
    named = zip(result.policies.values(), _finals(result), strict=True)
    exported = all(is_exported(policy.path, export.path) for export, policy in named)
    return result if len(results) == len(kept) and exported else None


def data_files(recipe: Recipe) -> dict[str, str]:
    """Hashes of the data files that are there; missing ones are refused when they are read."""
    named = [recipe.data.prompts, recipe.data.held_out or ()]
    files = [file for files in named if files != "embedded" for file in files]
    return {file: sha256_file(Path(file)) for file in files if Path(file).is_file()}


def _inputs(bench: Workbench) -> dict[str, str]:
    return {**data_files(bench.recipe), "start model": bench.start.sha256}


def _facts(bench: Workbench, methods: Mapping[str, Method]) -> dict[str, Any]:
    """What the manifest says of the pieces, besides versions and hardware."""
    return {
        "start": bench.start.sha256,
        "externals": [policy.sha256 for policy in bench.externals],
        "tokens": bench.contract.describe(),
        "data": bench.data.describe(),
        "oracle": bench.oracle.describe(),
        "annotators": [oracle.describe() for oracle in bench.annotators],
        "algorithms": {name: method.describe() for name, method in methods.items()},
        "device": bench.device,
        "processes": bench.world.size,
    }


__all__ = ["START", "Failure", "RunResult", "run_recipe"]
