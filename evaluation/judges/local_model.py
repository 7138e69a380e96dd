"""A causal language model in this process as a judge: verdicts by log-probability, or written."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evaluation.judges.batching import Batcher
from evaluation.judges.reading import encode_choices, encode_question
from evaluation.judges.settings import LocalModelSettings
from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.judging.calls import Call, Reply, Usage
from mnpo.judging.failures import JudgeRefusal

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Longest written reply where neither the judge's settings nor the benchmark say one.
MAX_REPLY = 1024
#: Replies that are kept for a further attempt at the same call.
REMEMBERED = 256
#: Raised when the same question would be read differently: stored answers are then asked again.
VERSION = 1

#: A call, its question's ids, and where it stands in the batch.
_Asked = tuple[int, Call, tuple[int, ...]]


class LocalModelJudge:
    """Chooses among a contract's verdicts by their log-probability, or writes its reply greedily.

    The question goes through the model's chat template. Choosing: log P(lead + choice) of every
    choice, given the question; the reply's text is the lead with the likeliest choice. Writing:
    the likeliest token each time; the same question gets the same reply.

    Args:
        settings: model, way of reading, limits.
        device: as torch calls it.

    Raises:
        UserError: the model is not there or pickled, or has no chat template.
    """

    def __init__(self, settings: LocalModelSettings, *, device: str = "cpu") -> None:
        from mnpo.training.models.loading import generation_end_ids, load_tokenizer
        from mnpo.training.models.resolve import resolve
        from mnpo.training.models.settings import ModelSettings
        from mnpo.training.oracles.local_models import fingerprint
        from mnpo.training.tokens import contract_of

        self._settings = settings
        self._device = device
        self._loading = ModelSettings(
            name=settings.model,
            revision=settings.revision,
            precision=settings.precision,
            attention="sdpa",
            trust_remote_code=settings.trust_remote_code,
        )
        self._checkpoint = resolve(self._loading)
        self._tokenizer = load_tokenizer(
            self._checkpoint, trust_remote_code=settings.trust_remote_code
        )
        self._contract = contract_of(self._tokenizer, generation_end_ids(self._checkpoint.path))
        self._fingerprint = fingerprint(self._checkpoint)
        written = ", text" if settings.reads == "text" else ""
        self.name = settings.name or f"local-model({self._checkpoint.path.name}{written})"
        self._model: PreTrainedModel | None = None
        self._holders = 0
        self._last: dict[tuple[tuple[Message, ...], str, int], Reply] = {}
        self._longest = settings.max_tokens
        self._batcher: Batcher[Call, Reply] = Batcher(self._answer_batch, settings.batch_size)

    def describe(self) -> dict[str, Any]:
        """Weights, tokenizer and template by hash, and how the question is read."""
        return {
            "kind": "local-model",
            "version": VERSION,
            **self._fingerprint,
            "reads": self._settings.reads,
            "system": self._settings.system,
            "precision": self._settings.precision,
        }

    def parameters(self, call: Call) -> Mapping[str, Any]:
        """Of a written reply: greedy, and its longest length. Choosing writes nothing."""
        if self._settings.reads == "choices":
            return {"max_tokens": 0}
        asked = self._settings.max_reply or call.parameters.get("max_tokens") or MAX_REPLY
        return {"temperature": 0, "max_tokens": int(asked)}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Weights stay in memory between the times that the judge is entered.

        Raises:
            UserError: the weights cannot be loaded.
        """
        self._take()
        try:
            yield
        finally:
            self._leave()

    async def __aenter__(self) -> "LocalModelJudge":
        await asyncio.to_thread(self._take)
        try:
            await self._batcher.__aenter__()
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._batcher.__aexit__(*error)
        finally:
            self._leave()

    async def answer(self, call: Call, attempt: int) -> Reply:
        """`Reply.choices` with the text that they amount to; or the text alone.

        ``first_token`` is there where the reply begins with the choice, i.e. without a lead. A
        further attempt at a call gets the same reply, without another look where it is still known.

        Raises:
            JudgeRefusal: nothing to choose from, a question that is too long or that the chat
                template refuses, values that are not finite, or too little memory.
        """
        if self._settings.reads == "choices" and not call.contract.choices:
            raise JudgeRefusal(
                f"{call.item}: the answer's form {call.contract.name} has no choices to compare; "
                f"give the judge '{self.name}' the setting reads: text"
            )
        asked = (call.messages, call.contract.name, self.parameters(call)["max_tokens"])
        if attempt and asked in self._last:
            return replace(self._last[asked], usage=Usage(0, 0))
        try:
            reply = await self._batcher.ask(call)
        except UserError as error:
            raise JudgeRefusal(f"{call.item}: {error}") from None
        self._last[asked] = reply
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]
        return reply

    def _take(self) -> None:
        from mnpo.training.models.loading import load_policy
        from mnpo.training.oracles.local_models import longest_input

        if self._model is None:
            self._model = load_policy(
                self._checkpoint, self._loading, self._device, for_training=False
            )
            self._longest = longest_input(self._model, self._settings.max_tokens)
        self._holders += 1

    def _leave(self) -> None:
        import torch

        self._holders -= 1
        if self._holders == 0:
            self._model = None
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _answer_batch(self, calls: Sequence[Call]) -> list[Reply | Exception]:
        found: dict[int, Reply | Exception] = {}
        asked: list[_Asked] = []
        for place, call in enumerate(calls):
            try:
                asked.append((place, call, self._encode(call)))
            except UserError as error:
                found[place] = error
        answer = self._choose if self._settings.reads == "choices" else self._write
        found |= _halving(answer, asked)
        return [found[place] for place in range(len(calls))]

    def _encode(self, call: Call) -> tuple[int, ...]:
        join = self._settings.system == "join"
        ids = encode_question(self._tokenizer, call.messages, join_system=join)
        if len(ids) >= self._longest:  # at least one token must follow
            raise UserError(
                f"the question has {len(ids)} tokens and '{self.name}' reads fewer than "
                f"{self._longest}; raise max_tokens if the model can read more"
            )
        return ids

    def _choose(self, asked: Sequence[_Asked]) -> dict[int, Reply | Exception]:
        import numpy as np

        from evaluation.judges.choosing import score_choices

        found: dict[int, Reply | Exception] = {}
        ready, choices = [], []
        for place, call, ids in asked:
            contract = call.contract
            try:
                own = encode_choices(self._tokenizer, contract.lead, contract.choices)
                longest = len(ids) + len(own.shared) + max(map(len, own.rests))
                if longest > self._longest:
                    raise UserError(
                        f"the question with its verdict has {longest} tokens, more than "
                        f"{self._longest}"
                    )
            except UserError as error:
                found[place] = error
                continue
            ready.append((place, call, ids))
            choices.append(own)
        if not ready:
            return found
        assert self._model is not None
        scored = score_choices(
            self._model, [ids for _, _, ids in ready], choices, pad_id=self._contract.pad_id
        )
        for (place, call, ids), own, result in zip(ready, choices, scored, strict=True):
            if not np.isfinite(result.log_probs).all():
                found[place] = UserError(
                    f"'{self.name}' gives log-probabilities that are not finite; its weights are "
                    "damaged, or need precision: float32"
                )
                continue
            best = call.contract.choices[int(np.argmax(result.log_probs))]
            found[place] = Reply(
                text=call.contract.lead + best,
                first_token=None if own.shared or call.contract.lead else self._named(result.first),
                choices=dict(zip(call.contract.choices, map(float, result.log_probs), strict=True)),
                usage=Usage(len(ids), 0),
            )
        return found

    def _named(self, first: Sequence[tuple[int, float]]) -> tuple[tuple[str, float], ...]:
        return tuple((str(self._tokenizer.decode([token])), value) for token, value in first)

    def _write(self, asked: Sequence[_Asked]) -> dict[int, Reply | Exception]:
        from mnpo.training.generation.transformers_backend import TransformersSampler
        from mnpo.training.recipe import SamplingSettings
        from mnpo.training.tokens import decode

        assert self._model is not None
        found: dict[int, Reply | Exception] = {}
        by_limit: dict[int, list[_Asked]] = {}
        for one in asked:
            # Where the model's own length leaves less room, the reply may be cut: then it is
            # unusable, never read.
            wanted = int(self.parameters(one[1])["max_tokens"])
            by_limit.setdefault(min(wanted, self._longest - len(one[2])), []).append(one)
        for limit, group in by_limit.items():
            # the likeliest token alone is greedy decoding
            settings = SamplingSettings(top_k=1, max_new_tokens=limit, batch_size=len(group))
            sampler = TransformersSampler([self._model], [1.0], settings, self._contract)
            made = sampler.draw([ids for _, _, ids in group], [1] * len(group), seed=0)
            for (place, _, ids), (completion,) in zip(group, made, strict=True):
                found[place] = Reply(
                    text=decode(self._tokenizer, completion.ids),
                    unusable=None if completion.finished else f"cut after {limit} tokens",
                    usage=Usage(len(ids), len(completion.ids)),
                )
        return found


def _halving(
    answer: Callable[[Sequence[_Asked]], dict[int, Reply | Exception]], asked: Sequence[_Asked]
) -> dict[int, Reply | Exception]:
    """The answers to a batch; one that does not fit into memory is halved until it does."""
    import torch

    if not asked:
        return {}
    try:
        return answer(asked)
    except torch.OutOfMemoryError:
        if len(asked) == 1:
            return {asked[0][0]: UserError("the question does not fit into memory")}
    except UserError as error:  # of sampling: out of memory, or values that are not finite
        if len(asked) == 1:
            return {asked[0][0]: error}
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(asked) // 2
    return _halving(answer, asked[:middle]) | _halving(answer, asked[middle:])
