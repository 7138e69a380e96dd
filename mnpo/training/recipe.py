"""A recipe: everything a training run depends on, as checked, immutable values.

Read from YAML by `load_recipe`; every key can be overridden with ``--set a.b=value``. The fields'
documentation is the recipe format's documentation.
"""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from mnpo.judging.addresses import check_address
from mnpo.judging.secrecy import check_variable
from mnpo.training.data.settings import DataSettings as DataSettings
from mnpo.training.models.settings import LoraSettings as LoraSettings
from mnpo.training.models.settings import ModelSettings as ModelSettings
from mnpo.training.oracles.settings import OracleSettings
from mnpo.validation import Settings


class ServerSettings(Settings):
    """An OpenAI-compatible server that the loop starts for each checkpoint, or finds running.

    Attributes:
        command: how to start it; ``{model}``, ``{host}`` and ``{port}`` are filled in. None
            expects one at ``url``, which must serve the policy under its own name.
        url: base address of a running server, ending in /v1.
        api_key_env: name of the environment variable with the key; never the key itself.
        health: path that answers 200 when the server is ready.
        start_timeout: seconds to wait for that.
        token_ids: "returned" by the server, or "retokenized" from the text, which is checked.
        concurrency: requests in flight.
    """

    command: tuple[str, ...] | None = None
    url: str | None = None
    api_key_env: str | None = None
    health: str = "/health"
    start_timeout: float = Field(default=600.0, gt=0)
    token_ids: Literal["returned", "retokenized"] = "retokenized"
    concurrency: int = Field(default=16, ge=1)

    @field_validator("command")
    @classmethod
    def _no_key_in_it(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for word in value or ():
            if word.partition("=")[0].replace("_", "-") in ("--api-key", "--hf-token"):
                raise ValueError(
                    f"holds a key ({word.partition('=')[0]}), and recipes are written down; "
                    "servers read it from a variable of the environment"
                )
        return value

    @field_validator("url")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is not None:
            check_address(value)
        return value

    @field_validator("api_key_env", mode="before")
    @classmethod
    def _a_name(cls, value: Any) -> Any:
        check_variable(value)
        return value


class SamplingSettings(Settings):
    """How responses are drawn.

    Attributes:
        backend: "transformers" in process, "vllm" in process, or "server".
        responses: K per prompt.
        max_new_tokens: length limit of a response.
        temperature, top_p, top_k: of sampling. The theory wants 1, 1 and 0 (off): samples of the
            policy itself.
        batch_size: prompts that are continued together.
        shard_size: prompts in one restartable piece of work.
        support: "sampled", or "given": the prompts' own completions stand for the whole support,
            weighted with the sampling policy's exact probabilities (small worlds, parity tests).
        server: for the server backend.
    """

    backend: Literal["transformers", "vllm", "server"] = "transformers"
    responses: int = Field(default=4, ge=2)
    max_new_tokens: int = Field(default=64, ge=1)
    temperature: float = Field(default=1.0, gt=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    batch_size: int = Field(default=16, ge=1)
    shard_size: int = Field(default=32, ge=1)
    support: Literal["sampled", "given"] = "sampled"
    server: ServerSettings | None = None


class PairSettings(Settings):
    """Which of the K x K comparisons enter the loss.

    Attributes:
        scheme: "all" weighs every ordered pair alike (the least variance for K responses);
            "iid" takes disjoint pairs, the independent samples of the theory; "best-worst" takes
            the response with the highest and the one with the lowest mean win rate, as the released
            MNPO code does: a biased choice that flattens the step (docs/training.md).
        labels: "soft" uses the win probability itself, "hard" draws a label from it.
    """

    scheme: Literal["all", "iid", "best-worst"] = "all"
    labels: Literal["soft", "hard"] = "soft"


class BudgetSettings(Settings):
    """What every method gets, no more and no less.

    Attributes:
        iterations: T; each takes a fresh part of the prompts.
        prompts: prompts of one iteration, shared out to the players and to the updates of
            methods with several.
        epochs: passes over the iteration's groups.
        fresh: every iteration takes prompts that no earlier one saw; False takes the same ones
            every time (small worlds).
        share_out: False gives every player and update all of an iteration's prompts: methods
            with several then spend a multiple, which the ledger shows.
    """

    iterations: int = Field(default=3, ge=1)
    prompts: int = Field(default=64, ge=1)
    epochs: int = Field(default=1, ge=1)
    fresh: bool = True
    share_out: bool = True


class OptimizerSettings(Settings):
    """Gradient steps of one iteration: AdamW.

    Attributes:
        learning_rate: at its peak.
        schedule: over one iteration's steps.
        warmup_ratio: share of the steps over which the rate rises from 0.
        weight_decay: 0 in the paper.
        beta1, beta2, epsilon: Adam's.
        batch_size: prompts in one step, over all processes.
        micro_batch_tokens: packed tokens in one forward; lower it when memory runs out. It moves
            results only by rounding.
        max_grad_norm: gradient clipping; 0 turns it off.
        save_steps: steps between two checkpoints inside an iteration; None saves at its end only.
    """

    learning_rate: float = Field(default=5e-7, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_ratio: float = Field(default=0.1, ge=0, le=1)
    weight_decay: float = Field(default=0.0, ge=0)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.999, ge=0, lt=1)
    epsilon: float = Field(default=1e-8, gt=0)
    batch_size: int = Field(default=128, ge=1)
    micro_batch_tokens: int = Field(default=8192, ge=1)
    max_grad_norm: float = Field(default=1.0, ge=0)
    save_steps: int | None = Field(default=None, ge=1)


class Recipe(Settings):
    """A whole training run.

    Attributes:
        recipe: its name.
        model, data, sampling, pairs, budget, optimizer: see their classes.
        oracle: who prefers what.
        annotators: one oracle a player for heterogeneous methods (ht-mnpo).
        externals: models that stand as opponents in eo-mnpo, named like ``model.name``.
        methods: method -> its parameters, in the common convention or its paper's own.
        method_defaults: parameters for every method that knows them.
        seeds: one run of every method for each.
        report_to: trackers of the training curves: tensorboard, wandb, trackio.
        evaluation: how ``train-all`` evaluates what was trained: settings of `evaluate` but for
            the models. They are checked there, before anything is trained.
    """

    recipe: str
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    sampling: SamplingSettings = SamplingSettings()
    oracle: OracleSettings
    annotators: tuple[OracleSettings, ...] = ()
    externals: tuple[str, ...] = ()
    pairs: PairSettings = PairSettings()
    budget: BudgetSettings = BudgetSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    methods: dict[str, dict[str, Any]]
    method_defaults: dict[str, Any] = Field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    report_to: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ()
    evaluation: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _something_to_do(self) -> "Recipe":
        if not self.methods:
            raise ValueError("methods is empty; name at least one")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must be distinct and at least one, got {list(self.seeds)}")
        if self.model.lora is not None and self.model.lora.dropout > 0:
            raise ValueError(
                "model.lora.dropout must be 0: preferences are trained without dropout, or the "
                "log-ratio to the anchors would be noise"
            )
        if self.data.use_completions and self.sampling.support == "given":
            raise ValueError(
                "data.use_completions and sampling.support=given are two ways to use the data's "
                "own responses; leave out one"
            )
        return self
