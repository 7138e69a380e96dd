"""An evaluation: which models, which benchmarks, which judges. Read from YAML and ``--set``."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from evaluation.answers.settings import AnswerSettings
from evaluation.judges.settings import JudgeSpec
from mnpo.errors import suggest
from mnpo.judging.settings import EndpointSettings
from mnpo.training.models.settings import ModelSettings
from mnpo.validation import Settings

#: Benchmarks that `evaluate` knows, in the order in which they run.
BENCHMARKS = (
    "mini",
    "alpaca-eval",
    "arena-hard-v0.1",
    "arena-hard-v2.0",
    "mt-bench",
    "cross-play",
    "lm-eval",
)
#: The judges' answers in the run directory, when the settings name no other file.
CACHE = "judge-answers.sqlite"
#: Other names for them.
ALIASES = {"arena-hard": "arena-hard-v0.1", "alpaca-eval-2": "alpaca-eval"}


class ModelSpec(Settings):
    """A model to be evaluated: one that is asked here, or whose answers are given.

    Attributes:
        name: it is listed under.
        model: how it is found and loaded; None where it is not asked here.
        endpoint: a chat endpoint that answers for it, where its weights are not to be had. The
            server applies a template of its own, so that the token contract does not hold.
        outputs: by benchmark, a file with its answers in the benchmark's official format.
    """

    name: str = Field(min_length=1)
    model: ModelSettings | None = None
    endpoint: EndpointSettings | None = None
    outputs: dict[str, str] = Field(default_factory=dict)

    @field_validator("outputs")
    @classmethod
    def _known_benchmarks(cls, value: dict[str, str]) -> dict[str, str]:
        return {canonical(name): file for name, file in value.items()}

    @model_validator(mode="after")
    def _something(self) -> "ModelSpec":
        if self.model is not None and self.endpoint is not None:
            raise ValueError(f"model '{self.name}' has both a model and an endpoint")
        if self.model is None and self.endpoint is None and not self.outputs:
            raise ValueError(f"model '{self.name}' has neither a model, an endpoint nor outputs")
        return self


class AlpacaEvalOptions(Settings):
    """AlpacaEval 2.

    Attributes:
        annotator: which of the alpaca-eval package's judge prompts is used.
        orders: "one" shows the two outputs in one random order, as the official annotator does;
            "both" asks twice and takes the mean.
    """

    annotator: str = "weighted_alpaca_eval_gpt4_turbo"
    orders: Literal["one", "both"] = "one"


class MtBenchOptions(Settings):
    """MT-Bench.

    Attributes:
        mode: "single" grades each answer, "pairwise" compares with the baseline's answers.
        references: "official", or "corrected" where the user has imported corrected ones.
    """

    mode: Literal["single", "pairwise"] = "single"
    references: Literal["official", "corrected"] = "official"


class LmEvalOptions(Settings):
    """lm-eval.

    Attributes:
        tasks: names of tasks of the paper suite, or None for all of it.
        num_fewshot: examples shown, for all tasks; None takes each task's own number.
        batch_size: requests that are answered together.
        chat_template: whether prompts go through the model's chat template.
    """

    tasks: tuple[str, ...] | None = None
    num_fewshot: int | None = Field(default=None, ge=0)
    batch_size: int = Field(default=8, ge=1)
    chat_template: bool = False


class CrossPlayOptions(Settings):
    """Every model against every other.

    Attributes:
        questions: the benchmark whose questions they answer.
        opponents: a common mixture of opponents, model to weight; None weighs all alike.
    """

    questions: str = "mini"
    opponents: dict[str, float] | None = None

    @field_validator("questions")
    @classmethod
    def _known(cls, value: str) -> str:
        name = canonical(value)
        if name in ("cross-play", "lm-eval"):
            raise ValueError(f"{name} has no questions of its own")
        return name


class EvaluationSettings(Settings):
    """All that an evaluation depends on.

    Attributes:
        models: to be evaluated.
        benchmarks: to be run.
        judges: who judges; the first is the headline. None takes the mini-benchmark's default, a
            rule that runs everywhere and is no judge of quality.
        answers: how models are asked.
        data_dir: folder with benchmark files; None takes the imported ones.
        limit: questions of each benchmark, evenly spread over its order (of lm-eval the first
            ones of each task); None takes all.
        repeats: how often each question to a judge is asked.
        re_asks: further questions after a reply that breaks the contract.
        max_cost: dollars that judging may cost, at most; needs the judges' prices.
        max_calls: requests to judges, at most.
        stop_width: ask about prompts in random order only until the headline's interval is this
            narrow (percent or points); None asks about all.
        cache: file of the judges' answers; None keeps it in the run directory.
        allow_missing: score although answers or verdicts are missing, and count them.
        allow_code: let lm-eval run the code that models write.
        alpaca_eval, mt_bench, lm_eval, cross_play: options of the benchmarks.
    """

    models: tuple[ModelSpec, ...] = Field(min_length=1)
    benchmarks: tuple[str, ...] = Field(default=("mini",), min_length=1)
    judges: tuple[JudgeSpec, ...] | None = None
    answers: AnswerSettings = AnswerSettings()
    data_dir: str | None = None
    limit: int | None = Field(default=None, ge=1)
    repeats: int = Field(default=1, ge=1, le=100)
    re_asks: int = Field(default=3, ge=0)
    max_cost: float | None = Field(default=None, gt=0)
    max_calls: int | None = Field(default=None, ge=1)
    stop_width: float | None = Field(default=None, gt=0)
    cache: str | None = None
    allow_missing: bool = False
    allow_code: bool = False
    alpaca_eval: AlpacaEvalOptions = AlpacaEvalOptions()
    mt_bench: MtBenchOptions = MtBenchOptions()
    lm_eval: LmEvalOptions = LmEvalOptions()
    cross_play: CrossPlayOptions = CrossPlayOptions()

    @field_validator("benchmarks")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        named = [canonical(name) for name in value]
        return tuple(name for name in BENCHMARKS if name in named)


def canonical(name: str) -> str:
    """A benchmark's own name.

    Raises:
        ValueError: it is unknown; with the nearest known name.
    """
    own = ALIASES.get(name, name)
    if own not in BENCHMARKS:
        raise ValueError(f"unknown benchmark '{name}'{suggest(name, BENCHMARKS)}")
    return own


#: Settings that may change while an evaluation goes on in its folder: they say how patiently and
#: how dearly judges are asked, not what is asked.
_FREE = ("allow_missing", "max_cost", "max_calls", "re_asks", "cache")
_PATIENCE = frozenset(
    "api_key_env batch_size concurrency timeout retries first_wait max_wait price_input "
    "price_output".split()
)


def what_counts(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved configuration without the settings that may change."""
    kept = {key: value for key, value in config.items() if key not in _FREE}
    if isinstance(kept.get("judges"), list):
        kept["judges"] = [_impatient(judge) for judge in kept["judges"]]
    if isinstance(kept.get("models"), list):
        kept["models"] = [
            {**own, "endpoint": _impatient(own.get("endpoint"))} if isinstance(own, dict) else own
            for own in kept["models"]
        ]
    if isinstance(kept.get("answers"), dict):
        kept["answers"] = {k: v for k, v in kept["answers"].items() if k != "batch_size"}
    return kept


def _impatient(asked: Any) -> Any:
    """An endpoint's or judge's settings without those of patience and price."""
    if not isinstance(asked, dict):
        return asked
    return {key: value for key, value in asked.items() if key not in _PATIENCE}
