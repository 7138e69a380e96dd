"""Train, evaluate and compare in one run directory that can be taken up again anywhere."""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.suite.answering import Listen
from evaluation.suite.opening import open_suite
from evaluation.suite.plan import EvaluationPlan, make_plan
from evaluation.suite.run import Evaluation, run_evaluation, silent
from evaluation.suite.settings import CACHE, EvaluationSettings
from leaderboards.board import Board
from leaderboards.chain import boards, evaluating
from leaderboards.chain.places import EVALUATION, FOLDERS, LEADERBOARD, is_whole
from leaderboards.chain.settings import (
    evaluation_settings,
    future_models,
    start_model,
    trained_models,
)
from mnpo.errors import DiskFull, UserError
from mnpo.runs import RunDirectory, sha256_file
from mnpo.runs.alive import at_work
from mnpo.runs.chain import STAGES, entered, overall, stages_of
from mnpo.training.oracles.build import Games
from mnpo.training.recipe import Recipe
from mnpo.training.recipes import methods_of
from mnpo.training.resuming import what_counts
from mnpo.training.runs.executors import Executor
from mnpo.training.runs.jobs import Hooks
from mnpo.training.runs.run import Announce, Evaluate, RunResult, run_recipe
from mnpo.training.world import current_world

#: Told that a stage begins: its name.
Begin = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class ChainResult:
    """What a chain gave.

    Attributes:
        training: the trained policies.
        evaluation: what was evaluated now; None where that was finished before, failed, or was
            not asked for.
        board: made now; None where it was there, failed, or was not asked for.
        failures: of evaluation and board, one line each; those of methods are in ``training``.
        taken_over: stages that were finished before.
    """

    training: RunResult
    evaluation: Evaluation | None = None
    board: Board | None = None
    failures: tuple[str, ...] = ()
    taken_over: tuple[str, ...] = ()


def plan_chain(recipe: Recipe, folder: Path, *, games: Games | None = None) -> EvaluationPlan:
    """What the evaluation of a recipe's policies would do and cost; nothing is written.

    Whatever it needs is looked for, with the start in the place of the policies: benchmark files,
    judges, packages.

    Raises:
        UserError: an evaluation that cannot be carried out.
    """
    models = [start_model(recipe), *future_models(recipe, methods_of(recipe))]
    suite = open_suite(evaluation_settings(recipe, models), games=games)
    return make_plan(suite, folder / EVALUATION / CACHE)


def run_chain(
    recipe: Recipe,
    folder: Path,
    *,
    until: str = "leaderboard",
    games: Games | None = None,
    executor: Executor | None = None,
    overwrite: bool = False,
    announce: Announce | None = None,
    evaluate: Evaluate | None = None,
    hooks: Hooks | None = None,
    listen: Listen = silent,
    begin: Begin = lambda _: None,
) -> ChainResult:
    """Train every method, evaluate what came of it, and make the leaderboard.

    A method that fails, or a benchmark that cannot be scored, does not stop the rest: it is
    reported, stands on the board as missing, and the same call tries it again. Under several
    processes only the first one evaluates.

    Args:
        recipe: checked settings, ``evaluation`` among them.
        folder: the run directory of the training; the others' are below it.
        until: the last stage, one of `mnpo.runs.chain.STAGES`.
        games: finds matrices for oracles that name a game.
        executor: trains in other processes; None in this one.
        overwrite: replace what is in the folder.
        announce: called when everything is checked and before anything is written.
        evaluate: judges the final policies at the end of the training.
        hooks: told what happens in training.
        listen: told what happens in evaluation.
        begin: told that a stage begins.

    Raises:
        UserError: something cannot be used (nothing has been written then), or the training
            stops.
    """
    stages = STAGES[: STAGES.index(until) + 1]
    if len(stages) > 1:
        evaluation_settings(recipe, [start_model(recipe), start_model(recipe)])
    begin("train")

    def look(bench: Any, plan: Any) -> None:
        if len(stages) > 1:
            plan_chain(recipe, folder, games=games)
        if announce is not None:
            announce(bench, plan)

    trained = run_recipe(
        recipe,
        folder,
        games=games,
        executor=executor,
        overwrite=overwrite,
        announce=look,
        evaluate=evaluate,
        hooks=hooks,
        followed_by=stages[1:],
    )
    if len(stages) == 1 or not current_world().leads or not trained.results:
        return ChainResult(trained)
    chain = _Chain(recipe, trained, stages)
    if chain.is_finished():
        return ChainResult(trained, taken_over=stages)
    with at_work(folder):
        chain.take_up()
        return chain.go_on(games, listen, begin)


class _Chain:
    """The stages after the training, and what the manifest says of them."""

    def __init__(self, recipe: Recipe, trained: RunResult, stages: Sequence[str]) -> None:
        self._recipe = recipe
        self._trained = trained
        self._stages = tuple(stages)
        self._run = RunDirectory(trained.folder)
        self._place = trained.folder / EVALUATION
        self._settings: EvaluationSettings = evaluation_settings(
            recipe,
            [start_model(recipe), *trained_models(trained.folder, list(trained.policies))],
        )
        self._weights = evaluating.weights_of(trained, str(self._run.manifest().get("start")))
        self._failures: list[str] = []
        self._began = time.monotonic()

    def is_finished(self) -> bool:
        """Whether nothing is left to do, and the manifest says so."""
        if self._trained.failures or not self._trained.finished_before:
            return False
        manifest = self._run.manifest()
        chain = stages_of(manifest)
        if manifest.get("status") != "done" or not set(self._stages) <= set(chain):
            return False
        if not self._is_evaluated() or not self._is_noted(chain):
            return False
        return "leaderboard" not in self._stages or self._has_board()

    def take_up(self) -> None:
        """Have ``run.yaml`` and the manifest say what is done now."""
        config = self._recipe.model_dump(mode="json")
        RunDirectory.open(self._run.path, config, essence=what_counts)
        manifest = self._run.manifest()
        chain = {name: dict(own) for name, own in stages_of(manifest).items()}
        if "train" not in chain:  # finished before there was a chain
            seconds = manifest.get("seconds")
            chain["train"] = {"status": manifest.get("status"), "seconds": seconds}
        for name in self._stages:
            chain.setdefault(name, {"status": "waiting"})
        chain = {name: chain[name] for name in STAGES if name in chain}
        if chain != stages_of(manifest) or manifest.get("status") != overall(chain):
            self._run.update_manifest(chain=chain, status=overall(chain))

    def go_on(self, games: Games | None, listen: Listen, begin: Begin) -> ChainResult:
        """Evaluate and make the board, as far as that is not done."""
        taken_over = ["train"] if self._trained.finished_before else []
        evaluation = board = None
        if self._is_evaluated():
            taken_over.append("evaluate")
            self._note_evaluation()
        else:
            begin("evaluate")
            with self._stage("evaluate"):
                evaluation = self._evaluate(games, listen)
        if "leaderboard" in self._stages:
            if self._has_board():
                taken_over.append("leaderboard")
                self._enter("leaderboard", status="done")
            else:
                begin("leaderboard")
                with self._stage("leaderboard"):
                    board = self._make_board()
        failures = tuple(self._failures)
        return ChainResult(self._trained, evaluation, board, failures, tuple(taken_over))

    def _is_evaluated(self) -> bool:
        return evaluating.is_up_to_date(self._place, self._settings, self._weights)

    def _is_noted(self, chain: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether the run's manifest knows the evaluation as it is."""
        noted = chain["evaluate"].get("manifest_sha256")
        return bool(noted == self._evaluation_facts().get("manifest_sha256"))

    def _evaluate(self, games: Games | None, listen: Listen) -> Evaluation:
        evaluating.make_room(self._place, self._settings, self._weights)
        found = run_evaluation(self._settings, self._place, games=games, listen=listen)
        self._failures += found.failures
        return found

    def _note_evaluation(self) -> None:
        manifest = RunDirectory(self._place).manifest()
        told = ("started", "finished", "seconds")
        known = {key: manifest[key] for key in told if key in manifest}
        self._enter("evaluate", status="done", **known, **self._evaluation_facts())

    def _evaluation_facts(self) -> dict[str, Any]:
        file = self._place / "manifest.json"
        found = {"manifest_sha256": sha256_file(file)} if file.is_file() else {}
        return {"folder": EVALUATION, **found}

    def _make_board(self) -> Board:
        folder, title = self._run.path, self._recipe.recipe
        place = folder / LEADERBOARD
        words = ["leaderboard", str(folder), "--output", str(place), "--title", title]
        command = shlex.join(["mnpo-bench", *words])
        board, files = boards.make_board(folder, title, self._untold(), command)
        self._enter("leaderboard", files=files, made_of=self._made_of())
        return board

    def _has_board(self) -> bool:
        entry = stages_of(self._run.manifest()).get("leaderboard", {})
        files = entry.get("files")
        return (
            isinstance(files, Mapping)
            and entry.get("made_of") == self._made_of()
            and is_whole(self._run.path / LEADERBOARD, files)
        )

    def _made_of(self) -> str:
        evaluated = RunDirectory(self._place)
        there = (self._place / "manifest.json").is_file()
        manifests = [self._run.manifest(), evaluated.manifest() if there else {}]
        return boards.made_of(manifests, self._missing())

    def _missing(self) -> list[str]:
        """What the board lacks."""
        methods = [f"{own.method} {own.seed}: {own.reason}" for own in self._trained.failures]
        return [*methods, *self._failures]

    def _untold(self) -> list[str]:
        """What the board lacks, and no manifest that it is made of tells."""
        return [line for line in self._failures if line.startswith("evaluate: ")]

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """A stage in the manifest; what goes wrong in it is reported, and the next one follows."""
        began, before = time.monotonic(), len(self._failures)
        self._enter(name, status="running", folder=FOLDERS[name])
        try:
            yield
        except DiskFull:
            raise
        except UserError as error:
            self._failures.append(f"{name}: {error}")
        failed = self._failures[before:]
        facts: dict[str, Any] = {"seconds": round(time.monotonic() - began, 3)}
        if name == "evaluate":
            facts |= self._evaluation_facts()
        if failed:
            facts |= {"reasons": failed}
        self._enter(name, status="failed" if failed else "done", **facts)

    def _enter(self, name: str, **facts: Any) -> None:
        manifest = self._run.manifest()
        if "status" in facts:
            self._run.update_manifest(**entered(manifest, name, **facts))
            return
        chain = {key: dict(own) for key, own in stages_of(manifest).items()}
        chain[name] = chain.get(name, {}) | facts
        self._run.update_manifest(chain=chain)
