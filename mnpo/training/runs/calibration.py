"""How fast this machine is: a few seconds of sampling, scoring and training on a scratch copy."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mnpo.algorithms.update import Update
from mnpo.training.examples import Example
from mnpo.training.oracles.base import Question
from mnpo.training.oracles.settings import OracleSettings
from mnpo.training.runs.plan import Plan
from mnpo.training.workbench import Workbench

#: Longest response of the trial.
TOKENS = 48
#: Where one response takes more than so many seconds, the trial has no more than so many.
SLOW, FEW = 1.0, 16


@dataclass(frozen=True)
class Rates:
    """What was measured; None where it was not.

    Attributes:
        sampled: new tokens a second.
        scored: tokens a second through the model without gradients, prompts included.
        trained: the same with gradients and the optimizer's step.
        asked: annotations a second.
        loading: seconds to load a model.
        around_training: seconds of a training stage besides its steps.
        fill: mean length of the responses as a share of the limit; 1 when they hit the trial's.
        peak_bytes: most accelerator memory that training took.
    """

    sampled: float | None
    scored: float
    trained: float
    asked: float | None
    loading: float
    around_training: float
    fill: float
    peak_bytes: int | None


def calibrate(bench: Workbench) -> Rates:
    """Try each kind of work once, small.

    Sampling from a server or vLLM and asking a judge are not tried: the first takes minutes to
    start and the second costs money.

    Raises:
        UserError: as the work itself; the run would fail in the same way.
    """
    from mnpo.training.engine.iteration import train
    from mnpo.training.engine.objectives import update_objective
    from mnpo.training.logprobs.forward import enable_completion_scoring
    from mnpo.training.logprobs.packing import packed_tokens
    from mnpo.training.logprobs.scoring import score_groups
    from mnpo.training.models.loading import load_policy

    recipe = bench.recipe
    texts, ids, sampled, fill = _sample(bench)
    prompts = bench.prompts[: len(ids)]
    groups = [(prompt.ids, own) for prompt, own in zip(prompts, ids, strict=True)]
    tokens = sum(packed_tokens(group) for group in groups)

    started = time.monotonic()
    model = load_policy(bench.start, recipe.model, bench.device, for_training=True)
    loading = time.monotonic() - started
    enable_completion_scoring(model)
    started = time.monotonic()
    score_groups(
        model,
        groups,
        max_tokens=recipe.optimizer.micro_batch_tokens,
        pad_id=bench.contract.pad_id,
    )
    scoring = time.monotonic() - started

    with tempfile.TemporaryDirectory(prefix="mnpo-bench-") as scratch:
        started = time.monotonic()
        result = train(
            model,
            bench.contract.pad_id,
            [_example(*group) for group in groups],
            update_objective(Update(anchors=(), opponents=(), step_size=1.0)),
            optimizer=recipe.optimizer.model_copy(
                update={"batch_size": len(groups), "learning_rate": 1e-12, "save_steps": None}
            ),
            model_settings=recipe.model,
            epochs=2,
            seed=0,
            work_dir=Path(scratch) / "training",
        )
        around = time.monotonic() - started - result.seconds
    return Rates(
        sampled=sampled,
        scored=tokens / max(scoring, 1e-6),
        # The second step: the first one also sets up the optimizer.
        trained=tokens / max(result.metrics["seconds"], 1e-6),
        asked=_ask(bench, texts),
        loading=loading,
        around_training=max(around, 0.0) + loading,
        fill=fill,
        peak_bytes=_peak(bench.device),
    )


def asks_a_judge(oracle: OracleSettings) -> bool:
    """Whether a judge, whose every answer costs money, stands anywhere in an oracle's settings."""
    return _holds_judge(oracle.model_dump())


def estimate_seconds(plan: Plan, rates: Rates) -> dict[str, float | None]:
    """Seconds for each kind of work of a plan; None where its rate is not known."""
    seconds: dict[str, float | None] = {}
    for kind in ("sample", "ask", "score", "train"):
        stages = [stage for stage in plan.stages if stage.kind == kind]
        responses = rates.fill * sum(stage.response_tokens for stage in stages)
        tokens = responses + sum(stage.prompt_tokens for stage in stages)
        loads = rates.loading * sum(stage.loads for stage in stages)
        if kind == "sample":
            seconds[kind] = None if rates.sampled is None else responses / rates.sampled + loads
        elif kind == "score":
            seconds[kind] = tokens / rates.scored + loads
        elif kind == "train":
            seconds[kind] = tokens / rates.trained + rates.around_training * len(stages)
        else:
            answers = sum(stage.cost.annotations for stage in stages)
            seconds[kind] = None if rates.asked is None else answers / rates.asked
    return seconds


Texts: TypeAlias = list[tuple[str, ...]]
Ids: TypeAlias = list[tuple[tuple[int, ...], ...]]


def _sample(bench: Workbench) -> tuple[Texts, Ids, float | None, float]:
    """Responses with their speed; made-up ones where sampling is not tried."""
    from mnpo.training.generation.build import build_backend

    settings = bench.recipe.sampling
    each = settings.responses
    if settings.backend != "transformers":
        end = bench.contract.end_ids[0]
        count = min(4, len(bench.prompts))
        made_up = (end,) * min(TOKENS, settings.max_new_tokens)
        return [("",) * each] * count, [(made_up,) * each] * count, None, 1.0
    longest = min(settings.max_new_tokens, TOKENS)
    prompts = [prompt.ids for prompt in bench.prompts[: settings.batch_size]]
    backend = build_backend(
        settings.model_copy(update={"max_new_tokens": longest}),
        bench.recipe.model,
        bench.tokenizer,
        bench.device,
        bench.contract,
    )
    with backend.open(((bench.start, 1.0),)) as sampler:
        started = time.monotonic()
        sampler.draw(prompts[:1], [1], seed=0)  # whatever is done once only
        if time.monotonic() - started > SLOW:
            prompts = prompts[: max(FEW // each, 1)]
        started = time.monotonic()
        drawn = sampler.draw(prompts, [each] * len(prompts), seed=1)
        seconds = time.monotonic() - started
    lengths = [len(completion.ids) for row in drawn for completion in row]
    ids: Ids = [tuple(c.ids or (bench.contract.end_ids[0],) for c in row) for row in drawn]
    texts = [
        tuple(bench.tokenizer.decode(own, skip_special_tokens=True) for own in row) for row in ids
    ]
    cut = longest < settings.max_new_tokens and max(lengths) >= longest
    fill = 1.0 if cut else float(np.mean(lengths)) / settings.max_new_tokens
    return texts, ids, sum(lengths) / max(seconds, 1e-6), fill


def _ask(bench: Workbench, texts: Texts) -> float | None:
    if asks_a_judge(bench.recipe.oracle) or bench.recipe.sampling.backend != "transformers":
        return None
    if bench.recipe.sampling.support == "given":
        return None
    questions = [
        Question(prepared.prompt, own) for prepared, own in zip(bench.prompts, texts, strict=False)
    ]
    started = time.monotonic()
    bench.oracle.compare(questions)
    seconds = time.monotonic() - started
    return sum(bench.oracle.queries(len(q.responses)) for q in questions) / max(seconds, 1e-6)


def _holds_judge(settings: Any) -> bool:
    if isinstance(settings, Mapping):
        return settings.get("kind") == "judge" or any(map(_holds_judge, settings.values()))
    return isinstance(settings, list | tuple) and any(map(_holds_judge, settings))


def _example(prompt: tuple[int, ...], responses: tuple[tuple[int, ...], ...]) -> Example:
    size = len(responses)
    return Example(
        prompt_ids=prompt,
        response_ids=responses,
        anchor_log_probs=np.zeros(size),
        weights=(1 - np.eye(size)) / (size * (size - 1)),
        preferences=np.full((size, size), 0.5),
    )


def _peak(device: str) -> int | None:
    import torch

    return torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else None
