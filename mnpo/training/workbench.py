"""Everything a recipe resolves to: models, prompts, oracles, backend and stores, once for a run."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnpo.errors import InvalidSetting
from mnpo.training.data.preparation import DataReport, PreparedData, PreparedPrompt, prepare
from mnpo.training.data.splits import split_prompts
from mnpo.training.generation.base import Backend
from mnpo.training.generation.build import build_backend
from mnpo.training.logprobs.store import LogProbStore
from mnpo.training.models.hashing import adapter_base, read_config
from mnpo.training.models.loading import load_contract, load_tokenizer, require_loadable
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.models.resolve import resolve
from mnpo.training.oracles.base import PreferenceOracle
from mnpo.training.oracles.build import build_oracle
from mnpo.training.recipe import Recipe
from mnpo.training.stages import Listener, StageStore
from mnpo.training.tokens import TokenContract
from mnpo.training.world import World, current_world

#: Finds a game's preference matrix by name and parameters; the command line gives the simulator's.
Games = Callable[[str, Mapping[str, Any]], np.ndarray]
#: Told of steps inside a stage: (what, done, total).
Progress = Callable[[str, int, int], None]


def no_progress(what: str, done: int, total: int) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, eq=False)
class Workbench:
    """A recipe made real. All methods and seeds of a run share one.

    Attributes:
        recipe: what was asked for.
        start: the reference policy and everybody's start.
        externals: opponents from outside (EO-MNPO).
        tokenizer, contract: shared by all policies; others were refused.
        prompts, held_out: encoded prompts, none in both.
        data: what reading them dropped, and why.
        oracle: the preference oracle of single-oracle methods.
        annotators: one for each player of heterogeneous methods.
        backend: where responses come from.
        stages, log_probs: what is finished already.
        world, device: the processes, and where this one computes.
        progress: told of steps inside a stage.
    """

    recipe: Recipe
    start: PolicyCheckpoint
    externals: tuple[PolicyCheckpoint, ...]
    tokenizer: Any
    contract: TokenContract
    prompts: tuple[PreparedPrompt, ...]
    held_out: tuple[PreparedPrompt, ...]
    data: DataReport
    oracle: PreferenceOracle
    annotators: tuple[PreferenceOracle, ...]
    backend: Backend
    stages: StageStore
    log_probs: LogProbStore
    world: World
    device: str
    progress: Progress = no_progress

    def parts(self, seed: int) -> tuple[tuple[PreparedPrompt, ...], ...]:
        """The prompts of each iteration, in an order of the seed's; see ``budget.fresh``.

        Raises:
            UserError: there are too few.
        """
        budget = self.recipe.budget
        if not budget.fresh:
            return split_prompts(self.prompts, 1, budget.prompts, seed) * budget.iterations
        return split_prompts(self.prompts, budget.iterations, budget.prompts, seed)


def open_workbench(
    recipe: Recipe,
    folder: Path,
    *,
    games: Games | None = None,
    listen: Listener | None = None,
    progress: Progress = no_progress,
) -> Workbench:
    """Resolve a recipe; nothing is trained yet.

    Args:
        recipe: checked settings.
        folder: the run directory; stages and log-probs go below it.
        games: finds matrices for oracles that name a game.
        listen: told of stages.
        progress: told of steps inside a stage.

    Raises:
        UserError: something that the recipe names is missing, or does not fit the rest.
    """
    _require_trackers(recipe.report_to)
    world = current_world()
    if world.size > 1 and recipe.sampling.backend == "vllm":
        raise InvalidSetting(
            "sampling.backend vllm runs in one process and this run has "
            f"{world.size}; set sampling.backend to transformers, or run without accelerate launch"
        )
    device = pick_device(world)
    start = resolve(recipe.model)
    require_loadable(start, recipe.model)
    if recipe.model.attention == "flex" and device == "cpu":
        raise InvalidSetting(
            "model.attention: flex has no gradients on a CPU; use sdpa, or auto, which takes "
            "flex on a GPU"
        )
    trusted = recipe.model.trust_remote_code
    tokenizer = load_tokenizer(start, trust_remote_code=trusted)
    contract = load_contract(start, trust_remote_code=trusted)
    externals = tuple(
        _external(recipe.model.model_copy(update={"name": name, "revision": None}), contract)
        for name in recipe.externals
    )
    data = prepare(recipe.data, tokenizer)
    _require_room(recipe, start, data)
    stages = StageStore(folder / "stages", world)
    answers = folder / "answers"
    if listen is not None:
        stages.listen = listen
    return Workbench(
        recipe=recipe,
        start=start,
        externals=externals,
        tokenizer=tokenizer,
        contract=contract,
        prompts=data.train,
        held_out=data.held_out,
        data=data.report,
        oracle=build_oracle(recipe.oracle, device=device, games=games, folder=answers),
        annotators=_annotators(recipe, device, games, answers),
        backend=build_backend(recipe.sampling, recipe.model, tokenizer, device, contract),
        stages=stages,
        log_probs=LogProbStore(folder / "logprobs", recipe.model.precision),
        world=world,
        device=device,
        progress=progress,
    )


def pick_device(world: World) -> str:
    """The accelerator of this process, or "cpu"."""
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{world.rank % torch.cuda.device_count()}"


def _require_trackers(trackers: Sequence[str]) -> None:
    """Refuse a tracker that is not installed now, not when the first step is to be reported."""
    for tracker in trackers:
        packages = ["tensorboard", "tensorboardX"] if tracker == "tensorboard" else [tracker]
        if all(importlib.util.find_spec(package) is None for package in packages):
            raise InvalidSetting(
                f"report_to: {tracker} is not installed; pip install {tracker}, or leave it out"
            )


def _require_room(recipe: Recipe, start: PolicyCheckpoint, data: PreparedData) -> None:
    """Refuse prompts and responses that are together longer than the model can read."""
    if recipe.data.use_completions or recipe.sampling.support == "given":
        return
    config = read_config((adapter_base(start.path) or start.path) / "config.json")
    room = config.get("text_config", config).get("max_position_embeddings")
    longest = max(data.report.train.longest, data.report.held_out.longest)
    if isinstance(room, int) and longest + recipe.sampling.max_new_tokens > room:
        raise InvalidSetting(
            f"a prompt of {longest} tokens and sampling.max_new_tokens="
            f"{recipe.sampling.max_new_tokens} exceed the model's {room} positions: lower "
            "data.max_prompt_tokens or sampling.max_new_tokens"
        )


def _annotators(
    recipe: Recipe, device: str, games: Games | None, folder: Path
) -> tuple[PreferenceOracle, ...]:
    return tuple(
        build_oracle(settings, device=device, games=games, folder=folder)
        for settings in recipe.annotators
    )


def _external(settings: Any, contract: TokenContract) -> PolicyCheckpoint:
    policy = resolve(settings)
    require_loadable(policy, settings)
    found = load_contract(policy, trust_remote_code=settings.trust_remote_code)
    contract.require_same(found, "the policy", f"external '{settings.name}'")
    return policy
