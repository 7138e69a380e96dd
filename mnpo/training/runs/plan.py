"""What a run would do and cost, found by walking the training loop without carrying anything out.

The loop of `mnpo.training.online.loop` runs on checkpoints that exist in name only: each update gets a key
from what went into it, as stages do. Stages with one key are one stage, so work that methods share
is counted once. Counts of tokens are upper bounds: every response as long as it may become.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import ceil, prod
from operator import add
from pathlib import Path
from typing import Any, Literal

from mnpo.runs.files import digest
from mnpo.training.generation.mixtures import only_policy
from mnpo.training.ledger import Ledger
from mnpo.training.online.loop import run_method
from mnpo.training.methods import Method
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.oracles.base import require_rewards
from mnpo.training.online.responses import require_fitting_data
from mnpo.training.online.task import UpdateTask
from mnpo.training.online.train_stage import describe_objective
from mnpo.training.online.update import UpdateResult, asks_rewards
from mnpo.training.workbench import Workbench

Kind = Literal["sample", "ask", "score", "train"]
KINDS: tuple[Kind, ...] = ("sample", "ask", "score", "train")


@dataclass(frozen=True)
class PlannedStage:
    """One piece of work.

    Attributes:
        kind: what it is; "score" is the log-probs of one anchor on one set of responses.
        key: the same for the same work.
        cost: its own part of the ledger, an upper bound.
        prompt_tokens: in its groups.
        response_tokens: likewise, at most.
        loads: models loaded for it.
    """

    kind: Kind
    key: str
    cost: Ledger
    prompt_tokens: int = 0
    response_tokens: int = 0
    loads: int = 0


@dataclass(frozen=True)
class MethodPlan:
    """The stages of a method, over all seeds, each once.

    Attributes:
        name: the method's.
        stages: in order.
    """

    name: str
    stages: tuple[PlannedStage, ...]

    @property
    def cost(self) -> Ledger:
        """Upper bound of what the method spends."""
        return total_cost(self.stages)

    def count(self, kind: Kind) -> int:
        """Number of stages of a kind."""
        return sum(stage.kind == kind for stage in self.stages)


@dataclass(frozen=True)
class Plan:
    """A whole run.

    Attributes:
        methods: one after the other.
        seeds: of each.
        weights: of the model that is trained.
        trainable: those that get gradients.
        checkpoint_bytes: size of one checkpoint.
    """

    methods: tuple[MethodPlan, ...]
    seeds: tuple[int, ...]
    weights: int
    trainable: int
    checkpoint_bytes: int

    @property
    def stages(self) -> tuple[PlannedStage, ...]:
        """All pieces of work; those that methods share stand once."""
        found: dict[str, PlannedStage] = {}
        for method in self.methods:
            for stage in method.stages:
                found.setdefault(stage.key, stage)
        return tuple(found.values())

    @property
    def cost(self) -> Ledger:
        """Upper bound of the work that is done, shared work once."""
        return total_cost(self.stages)

    def count(self, kind: Kind) -> int:
        """Number of stages of a kind."""
        return sum(stage.kind == kind for stage in self.stages)

    @property
    def checkpoints(self) -> int:
        """Checkpoints that are kept."""
        return self.count("train")

    @property
    def disk_bytes(self) -> int:
        """Disk for the kept checkpoints; exported ones are hard links and take none."""
        return self.checkpoints * self.checkpoint_bytes

    @property
    def state_bytes(self) -> int:
        """Memory for weights, gradients and Adam's two moments in float32, activations apart."""
        return 4 * self.weights + 12 * self.trainable

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "methods": {
                method.name: {kind: method.count(kind) for kind in KINDS}
                | {"at_most": _spent(method.cost)}
                for method in self.methods
            },
            "seeds": list(self.seeds),
            "together": {kind: sum(stage.kind == kind for stage in self.stages) for kind in KINDS}
            | {"at_most": _spent(self.cost)},
            "checkpoints": self.checkpoints,
            "disk_bytes": self.disk_bytes,
            "state_bytes": self.state_bytes,
        }


def make_plan(bench: Workbench, methods: Mapping[str, Method], seeds: Sequence[int]) -> Plan:
    """Walk the loop for every method and seed; nothing is sampled, asked, trained or written.

    Raises:
        UserError: whatever the loop would refuse by itself: too few prompts, data that does not
            fit a method, players without an oracle.
    """
    plans = []
    for name, method in methods.items():
        walk = _Walk(bench)
        for seed in seeds:
            run_method(bench, method, seed, walk.carry_out)
        plans.append(MethodPlan(name, tuple(walk.stages.values())))
    weights, trainable = _weights(bench)
    return Plan(
        methods=tuple(plans),
        seeds=tuple(seeds),
        weights=weights,
        trainable=trainable,
        checkpoint_bytes=4 * trainable,
    )


def total_cost(stages: Sequence[PlannedStage]) -> Ledger:
    """Sum of the stages' costs."""
    return reduce(add, (stage.cost for stage in stages), Ledger())


class _Walk:
    """Notes what each update would do."""

    def __init__(self, bench: Workbench) -> None:
        self.stages: dict[str, PlannedStage] = {}
        self._bench = bench

    def carry_out(self, bench: Workbench, task: UpdateTask) -> UpdateResult:
        """The update's stages; its checkpoint exists in name only."""
        require_fitting_data(bench, task)
        data, sizes, limits = self._responses(task)
        prompt_tokens = sum(len(prompt.ids) for prompt in task.prompts)
        response_tokens = sum(limits)
        if task.update.winners is None and not (
            bench.recipe.data.use_completions and not asks_rewards(task)
        ):
            self._ask(task, data, sizes)
        for policy, _ in task.anchors:
            self._note(
                "score",
                [policy.sha256, data],
                Ledger(scored_tokens=response_tokens),
                prompt_tokens,
                response_tokens,
                loads=1,
            )
        recipe = bench.recipe
        epochs = recipe.budget.epochs
        key = self._note(
            "train",
            [
                task.current.sha256,
                data,
                [[policy.sha256, weight] for policy, weight in task.anchors],
                describe_objective(task),
                task.oracle.describe(),
                task.seed,
            ],
            Ledger(
                gradient_steps=epochs * ceil(len(sizes) / recipe.optimizer.batch_size),
                trained_groups=epochs * len(sizes),
                trained_tokens=epochs * (prompt_tokens + response_tokens),
            ),
            epochs * prompt_tokens,
            epochs * response_tokens,
            loads=1,
        )
        return UpdateResult(PolicyCheckpoint(Path(key), key), Path(key), Ledger(), {})

    def _responses(self, task: UpdateTask) -> tuple[str, list[int], list[int]]:
        """Name of the groups, responses of each, and the most tokens in each."""
        recipe = self._bench.recipe
        longest = recipe.sampling.max_new_tokens
        prompts = [prompt.key for prompt in task.prompts]
        if recipe.data.use_completions or recipe.sampling.support == "given":
            sizes = [len(prompt.prompt.completions) for prompt in task.prompts]
            return digest(["given", prompts]), sizes, [longest * size for size in sizes]
        if recipe.sampling.backend != "transformers":
            for mixture, _ in task.opponents:
                only_policy(mixture, recipe.sampling.backend)  # refuses what it cannot sample
        each = recipe.sampling.responses
        inputs = [
            [
                [[[policy.sha256, share] for policy, share in mixture], weight]
                for mixture, weight in task.opponents
            ],
            prompts,
            task.seed,
        ]
        count = each * len(prompts)
        key = self._note(
            "sample",
            inputs,
            Ledger(prompts=len(prompts), responses=count, sampled_tokens=longest * count),
            sum(len(prompt.ids) for prompt in task.prompts),
            longest * count,
            loads=sum(len(mixture) for mixture, _ in task.opponents),
        )
        if task.update.winners is not None:
            each += 1
        return f"{key}{each}", [each] * len(prompts), [each * longest] * len(prompts)

    def _ask(self, task: UpdateTask, data: str, sizes: Sequence[int]) -> None:
        rewards = asks_rewards(task)
        if rewards:
            require_rewards(task.oracle, task.method.name)
        self._note(
            "ask",
            [data, task.oracle.describe(), rewards],
            Ledger(
                preference_queries=sum(size * (size - 1) // 2 for size in sizes),
                annotations=sum(task.oracle.queries(size) for size in sizes),
                rewards=sum(sizes) if rewards else 0,
            ),
        )

    def _note(
        self,
        kind: Kind,
        inputs: Any,
        cost: Ledger,
        prompt_tokens: int = 0,
        response_tokens: int = 0,
        loads: int = 0,
    ) -> str:
        key = digest([kind, inputs])
        stage = PlannedStage(kind, key, cost, prompt_tokens, response_tokens, loads)
        self.stages.setdefault(key, stage)
        return key


def _spent(cost: Ledger) -> dict[str, int | float]:
    return {name: value for name, value in cost.describe().items() if value}


def _weights(bench: Workbench) -> tuple[int, int]:
    """Weights of the model, and those that are trained: all, or about what an adapter has."""
    from mnpo.training.models.hashing import adapter_base, stored_tensors, weight_files

    folder = adapter_base(bench.start.path) or bench.start.path
    shapes = [t.shape for file in weight_files(folder) for t in stored_tensors(file)]
    weights = sum(prod(shape) for shape in shapes)
    lora = bench.recipe.model.lora
    if lora is None:
        return weights, weights
    adapted = [shape for shape in shapes if len(shape) == 2 and max(shape) < 8 * min(shape)]
    return weights, lora.rank * sum(sum(shape) for shape in adapted)
