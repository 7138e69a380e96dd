"""Sampling in process with transformers: any causal model, and geometric mixtures of several.

The loop over tokens is this module's own, because two things are not to be had from ``generate``:
several policies that vote on each token, and draws that do not depend on the batch. Prompts are
read once, their caches are repeated for their continuations, and rows that ended leave the batch.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.generation.base import Completion, Mixture, Sampler
from mnpo.training.generation.cached_policy import CachedPolicy, left_padded
from mnpo.training.generation.decoding import mixture_log_probs, pick, truncate
from mnpo.training.generation.mixtures import merged
from mnpo.training.generation.streams import uniforms_for
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.recipe import SamplingSettings
from mnpo.training.tokens import TokenContract

#: Loads a checkpoint as a model that is ready to answer: on its device, in its precision.
Loader = Callable[[PolicyCheckpoint], PreTrainedModel]

#: Share of ended rows at which the batch is rebuilt without them: rebuilding copies the cache.
_REBUILD_AT = 0.25


@dataclass(frozen=True)
class TransformersBackend:
    """Loads policies into this process.

    Attributes:
        settings: temperature, truncation, length limit and batch size.
        contract: whose end ids stop a completion.
        load: reads a checkpoint.
    """

    settings: SamplingSettings
    contract: TokenContract
    load: Loader

    @contextmanager
    def open(self, mixture: Mixture) -> Iterator[Sampler]:
        """The policies of the mixture, in memory until the end of the block.

        Raises:
            InvalidSetting: the weights are no mixture, or the policies' vocabularies differ.
        """
        parts = merged(mixture)
        models = [self.load(policy) for policy, _ in parts]
        try:
            weights = [weight for _, weight in parts]
            yield TransformersSampler(models, weights, self.settings, self.contract)
        finally:
            models.clear()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


class TransformersSampler:
    """Policies in memory that answer together, token by token.

    Args:
        models: on one device; they are switched to evaluation, since dropout would make another
            policy of each.
        weights: of their geometric mixture, positive.
        settings: how to sample.
        contract: end and padding ids.
    """

    def __init__(
        self,
        models: list[PreTrainedModel],
        weights: Sequence[float],
        settings: SamplingSettings,
        contract: TokenContract,
    ) -> None:
        sizes = {model.config.get_text_config().vocab_size for model in models}
        if len(sizes) > 1:
            raise InvalidSetting(
                f"a mixture needs policies with one vocabulary, got sizes {sorted(sizes)}"
            )
        for model in models:
            model.train(mode=False)
        self._models = models
        self._weights = tuple(weights)
        self._settings = settings
        self._contract = contract

    @torch.inference_mode()
    def draw(
        self, prompts: Sequence[Sequence[int]], counts: Sequence[int], *, seed: int
    ) -> list[list[Completion]]:
        """Independent continuations; see `mnpo.training.generation.base.Sampler`.

        The same seed, prompts and counts give the same ids. The batch size moves them only where
        rounding decides, and torch's and numpy's global generators are neither read nor moved.

        Raises:
            UserError: an empty or over-long prompt, probabilities that are not finite, or too
                little memory.
        """
        self._check(prompts)
        answers: list[list[Completion]] = [[] for _ in prompts]
        asked = [index for index, count in enumerate(counts) if count > 0]
        # alike lengths side by side save padding; the index breaks ties, so the order is fixed
        asked.sort(key=lambda index: (len(prompts[index]), index))
        for start in range(0, len(asked), self._settings.batch_size):
            batch = asked[start : start + self._settings.batch_size]
            rows = [(place, copy) for place, i in enumerate(batch) for copy in range(counts[i])]
            uniforms = np.stack(
                [
                    uniforms_for(seed, batch[place], copy, self._settings.max_new_tokens)
                    for place, copy in rows
                ]
            )
            made = self._continue(
                [prompts[index] for index in batch], [place for place, _ in rows], uniforms
            )
            for (place, _), completion in zip(rows, made, strict=True):
                answers[batch[place]].append(completion)
        return answers

    def _check(self, prompts: Sequence[Sequence[int]]) -> None:
        longest = max((len(ids) for ids in prompts), default=1)
        if any(len(ids) == 0 for ids in prompts):
            raise UserError("a prompt without tokens cannot be continued: the data is damaged")
        for model in self._models:
            config = model.config.get_text_config()
            if not hasattr(config, "max_position_embeddings"):  # recurrent and ALiBi models
                continue
            room = config.max_position_embeddings
            if longest + self._settings.max_new_tokens > room:
                raise UserError(
                    f"a prompt of {longest} tokens and sampling.max_new_tokens="
                    f"{self._settings.max_new_tokens} exceed the policy's {room} positions: "
                    "lower data.max_prompt_tokens or sampling.max_new_tokens"
                )

    def _continue(
        self, prompts: Sequence[Sequence[int]], places: Sequence[int], uniforms: np.ndarray
    ) -> list[Completion]:
        """One completion a row.

        Args:
            prompts: B of them.
            places: (R,) the prompt that each row continues.
            uniforms: (R, max_new_tokens) what each row's draws are made from.
        """
        try:
            return self._decode(prompts, places, uniforms)
        except torch.OutOfMemoryError:
            raise UserError(
                f"out of memory while sampling {len(places)} responses together: lower "
                "sampling.batch_size"
            ) from None

    def _decode(
        self, prompts: Sequence[Sequence[int]], places: Sequence[int], uniforms: np.ndarray
    ) -> list[Completion]:
        device = self._models[0].device
        settings = self._settings
        ends = set(self._contract.end_ids)
        made: list[list[int]] = [[] for _ in places]
        finished = [False] * len(places)

        policies = [CachedPolicy(model) for model in self._models]
        ids, mask = left_padded(prompts, self._contract.pad_id, device)
        chosen = torch.tensor(places, device=device)
        logits = [policy.read(ids, mask)[chosen] for policy in policies]
        for policy in policies:
            policy.select(chosen)
        rows = list(range(len(places)))  # those still in the batch
        for step in range(settings.max_new_tokens):
            scores = truncate(
                mixture_log_probs(logits, self._weights),
                temperature=settings.temperature,
                top_k=settings.top_k,
                top_p=settings.top_p,
            )
            # not float64 on the device itself: Apple's GPUs do not have it
            tokens = pick(scores, torch.as_tensor(uniforms[rows, step]))
            for row, token in zip(rows, tokens.tolist(), strict=True):
                if not finished[row]:
                    made[row].append(token)
                    finished[row] = token in ends
            alive = [place for place, row in enumerate(rows) if not finished[row]]
            if not alive or step + 1 == settings.max_new_tokens:
                break
            if len(rows) - len(alive) >= _REBUILD_AT * len(rows):
                rows = [rows[place] for place in alive]
                kept = torch.tensor(alive, device=device)
                tokens = tokens[kept]
                for policy in policies:
                    policy.select(kept)
            logits = [policy.step(tokens) for policy in policies]
        return [Completion(tuple(row), end) for row, end in zip(made, finished, strict=True)]
