"""A language model as judge, behind an OpenAI-compatible endpoint."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from mnpo.runs import digest
from mnpo.training.data.prompts import Prompt
from mnpo.training.oracles.answers import AnswerStore
from mnpo.training.oracles.base import (
    Array,
    OracleFailure,
    PreferenceOracle,
    Question,
    check_matrix,
    distinct,
    excerpt,
    from_upper,
)
from mnpo.training.oracles.comparison import ComparisonTemplate
from mnpo.training.oracles.endpoint import RESUME, Endpoint, read_key
from mnpo.training.oracles.settings import JudgeSettings
from mnpo.training.oracles.verdicts import INSTRUCTIONS, InvalidReply, read_verdict

#: Name of the file of answers inside the folder that the caller gives.
STORE_NAME = "judge-answers.jsonl"
_POINTS = {"A": 1.0, "tie": 0.5, "B": 0.0}


@dataclass(frozen=True)
class Ask:
    """One request: a rendered question, which of its repetitions it is, and what it is about."""

    key: str
    text: str
    repeat: int
    prompt: Prompt


class Judge(PreferenceOracle):
    """P(i beats j) = mean over both orders and all repeats of {win 1, tie 1/2, loss 0}.

    Every valid verdict is kept as it comes, under a key of all that it depends on; only questions
    without one are asked. A reply that breaks the contract is asked again and never counted.

    Args:
        settings: model, endpoint, template, contract, limits.
        folder: where answers are kept when the settings name no file; None keeps them in memory.

    Attributes:
        requests: replies read since this object was made.
        invalid: those of them that broke the contract.

    Raises:
        InvalidSetting: a broken template, or the key's variable is not set.
    """

    def __init__(self, settings: JudgeSettings, *, folder: Path | None = None) -> None:
        self.name = f"judge({settings.model})"
        self.requests = 0
        self.invalid = 0
        self._settings = settings
        self._template = ComparisonTemplate(settings.template, "judge", extra=("contract",))
        read_key(settings)  # a missing key is said before the work starts
        default = None if folder is None else folder / STORE_NAME
        self._store = AnswerStore(Path(settings.store) if settings.store else default)

    def describe(self) -> dict[str, Any]:
        """Model, address, template, contract and sampling; no key, no limits of patience."""
        kept = ("model", "url", "contract", "repeats", "temperature", "max_tokens", "seed")
        return {
            "kind": "judge",
            **{name: getattr(self._settings, name) for name in kept},
            "extra_body": self._settings.extra_body,
            "template": self._template.source,
            "instructions": INSTRUCTIONS[self._settings.contract],
        }

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """The verdicts' mean for every pair; identical responses are not asked about.

        Raises:
            OracleFailure: the endpoint failed or a question got no valid verdict. What was
                answered by then is kept.
        """
        asks = {ask.key: ask for q in questions for _, pair in self._asks(q) for ask, _ in pair}
        missing = [ask for key, ask in asks.items() if key not in self._store]
        if missing:
            asyncio.run(self._ask_all(missing))
        return [check_matrix(self._answer(q), q, self.name) for q in questions]

    def _asks(self, question: Question) -> Iterator[tuple[tuple[int, int], list[tuple[Ask, bool]]]]:
        """For each pair (i, j) of different texts its requests, True where i stands second."""
        texts, _ = distinct(question.responses)
        for i, j in combinations(range(len(texts)), 2):
            found = []
            for turned in (False, True):
                first, second = (j, i) if turned else (i, j)
                text = self._template.render(
                    question.prompt,
                    texts[first],
                    texts[second],
                    contract=INSTRUCTIONS[self._settings.contract],
                )
                for repeat in range(self._settings.repeats):
                    ask = Ask(self._key(text, repeat), text, repeat, question.prompt)
                    found.append((ask, turned))
            yield (i, j), found

    def _key(self, text: str, repeat: int) -> str:
        s = self._settings
        return digest(
            {
                "model": s.model,
                "url": s.url,
                "text": text,
                "repeat": repeat,
                "contract": s.contract,
                "temperature": s.temperature,
                "max_tokens": s.max_tokens,
                "seed": s.seed,
                "extra_body": s.extra_body,
            }
        )

    def _answer(self, question: Question) -> Array:
        texts, index = distinct(question.responses)
        upper = np.full((len(texts), len(texts)), 0.5)
        for (i, j), asks in self._asks(question):
            points = [_POINTS[self._store[ask.key]] for ask, _ in asks]
            won = [1 - p if turned else p for p, (_, turned) in zip(points, asks, strict=True)]
            upper[i, j] = sum(won) / len(won)
        return from_upper(upper, texts)[np.ix_(index, index)]

    async def _ask_all(self, asks: Sequence[Ask]) -> None:
        """A bounded number of workers; the first failure stops them all."""
        waiting = iter(asks)
        async with Endpoint(self._settings) as endpoint:

            async def work() -> None:
                for ask in waiting:
                    await self._ask(endpoint, ask)

            workers = [
                asyncio.create_task(work())
                for _ in range(min(self._settings.concurrency, len(asks)))
            ]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    async def _ask(self, endpoint: Endpoint, ask: Ask) -> None:
        s = self._settings
        why = ""
        for attempt in range(1 + s.re_asks):
            # Another seed each time: a seeded server would repeat its invalid reply for ever.
            seed = None if s.seed is None else s.seed + ask.repeat + s.repeats * attempt
            reply = await endpoint.ask(ask.text, seed)
            self.requests += 1
            try:
                if reply.unusable:
                    raise InvalidReply(reply.unusable)
                verdict = read_verdict(reply.text, s.contract)
            except InvalidReply as error:
                self.invalid += 1
                why = f"{error}: {reply.text[:80]!r}"
                continue
            self._store.put(
                ask.key, verdict, reply=reply.text, model=s.model, prompt=ask.prompt.key
            )
            return
        raise OracleFailure(
            f"oracle '{self.name}', {excerpt(ask.prompt)}: {1 + s.re_asks} replies without a valid "
            f"verdict, the last one because {why}; {RESUME}"
        )
