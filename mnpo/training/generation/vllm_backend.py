"""Sampling with vLLM in this process (extra ``vllm``, which needs an environment of its own)."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.generation.base import Completion, Mixture, Sampler
from mnpo.training.generation.mixtures import only_policy
from mnpo.training.generation.streams import request_seed
from mnpo.training.models.settings import ModelSettings
from mnpo.training.recipe import SamplingSettings
from mnpo.training.tokens import TokenContract


@dataclass(frozen=True)
class VllmBackend:
    """Loads one policy at a time into vLLM.

    Attributes:
        settings: how to sample; vLLM forms its own batches, so ``batch_size`` says nothing.
        contract: what ends a completion.
        model: precision, and whether code that comes with a model may run.
    """

    settings: SamplingSettings
    contract: TokenContract
    model: ModelSettings

    @contextmanager
    def open(self, mixture: Mixture) -> Iterator[Sampler]:
        """An engine with the policy, until the end of the block.

        Raises:
            InvalidSetting: a mixture of several policies, an adapter, or vLLM is not installed.
        """
        policy = only_policy(mixture, "vllm")
        if (policy.path / "adapter_config.json").exists():
            raise InvalidSetting(
                "sampling.backend vllm loads whole models, not LoRA adapters; use the "
                "transformers backend with model.lora"
            )
        engine = require_vllm().LLM(
            model=str(policy.path),
            dtype=self.model.precision,
            trust_remote_code=self.model.trust_remote_code,
            generation_config="vllm",  # none of the model's own penalties and truncations
        )
        try:
            yield VllmSampler(engine, self.settings, self.contract)
        finally:
            engine.llm_engine.engine_core.shutdown()
            del engine
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def require_vllm() -> Any:
    """The vllm package.

    Raises:
        InvalidSetting: it is not installed.
    """
    if find_spec("vllm") is None:
        raise InvalidSetting(
            "sampling.backend vllm needs the package vllm, which is not installed here: install "
            "'mnpo-bench[vllm]' in an environment of its own, or use the server backend"
        )
    return import_module("vllm")


class VllmSampler:
    """A policy in vLLM.

    Every completion has a seed of its own; the same seeds give the same ids up to the rounding of
    vLLM's batches, whose composition depends on timing.
    """

    def __init__(self, engine: Any, settings: SamplingSettings, contract: TokenContract) -> None:
        self._engine = engine
        self._settings = settings
        self._contract = contract

    def draw(
        self, prompts: Sequence[Sequence[int]], counts: Sequence[int], *, seed: int
    ) -> list[list[Completion]]:
        """Independent continuations; see `mnpo.training.generation.base.Sampler`.

        Raises:
            UserError: a prompt that leaves too little of the engine's context, or no answer.
        """
        context = self._engine.llm_engine.model_config.max_model_len
        longest = max((len(ids) for ids in prompts), default=0)
        if longest + self._settings.max_new_tokens > context:
            raise UserError(
                f"a prompt of {longest} tokens and sampling.max_new_tokens="
                f"{self._settings.max_new_tokens} exceed the policy's context of {context}: "
                "lower data.max_prompt_tokens or sampling.max_new_tokens"
            )
        jobs = [(index, copy) for index, count in enumerate(counts) for copy in range(count)]
        answers: list[list[Completion]] = [[] for _ in prompts]
        if not jobs:
            return answers
        outputs = self._engine.generate(
            [{"prompt_token_ids": list(prompts[index])} for index, _ in jobs],
            [self._parameters(request_seed(seed, index, copy)) for index, copy in jobs],
            use_tqdm=False,
        )
        for (index, _), output in zip(jobs, outputs, strict=True):
            ids = tuple(output.outputs[0].token_ids)
            if not ids:
                raise UserError("vLLM gave up a response without a token; its log says why")
            answers[index].append(Completion(ids, finished=ids[-1] in self._contract.end_ids))
        return answers

    def _parameters(self, seed: int) -> Any:
        return require_vllm().SamplingParams(
            n=1,
            seed=seed,
            max_tokens=self._settings.max_new_tokens,
            temperature=self._settings.temperature,
            top_p=self._settings.top_p,
            top_k=self._settings.top_k,
            stop_token_ids=list(self._contract.end_ids),
            detokenize=False,
        )
