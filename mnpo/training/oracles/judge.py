"""A language model as judge, behind an OpenAI-compatible endpoint."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from mnpo.conversation import Message
from mnpo.judging.cache import AnswerCache
from mnpo.judging.calls import Call
from mnpo.judging.endpoint import EndpointJudge
from mnpo.judging.executor import Executor
from mnpo.judging.failures import RESUME, AskingStopped
from mnpo.judging.limits import Limits
from mnpo.judging.report import AskReport
from mnpo.runs.files import digest
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
from mnpo.training.oracles.settings import JudgeSettings
from mnpo.training.oracles.verdicts import INSTRUCTIONS, VerdictContract

#: Name of the file of answers inside the folder that the caller gives.
STORE_NAME = "judge-answers.sqlite"
_POINTS = {"A": 1.0, "tie": 0.5, "B": 0.0}


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
        self._contract = VerdictContract(settings.contract)
        self._source = f"oracle/{digest(self._template.source)[:16]}"
        default = None if folder is None else folder / STORE_NAME
        limits = Limits(settings.concurrency, settings.re_asks, stop_at_failure=True)
        self._executor = Executor(
            EndpointJudge(settings, called="oracle"),
            AnswerCache(Path(settings.store) if settings.store else default),
            limits=limits,
        )

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
            UserError: the file of answers is damaged, or the disk is full.
        """
        try:
            self._count(self._executor.ask(self._all_calls(questions)))
            return [check_matrix(self._matrix(q), q, self.name) for q in questions]
        except AskingStopped as error:
            self._count(error.report)
            what = f"oracle '{self.name}', {error.item}: {error.why}"
            raise OracleFailure(f"{what}; {RESUME}") from None
        finally:
            if self._executor.cache.path is not None:
                self._executor.cache.close()  # a training run is long: leave no open log behind

    def _count(self, report: AskReport) -> None:
        self.requests += report.answered + report.invalid
        self.invalid += report.invalid

    def _all_calls(self, questions: Sequence[Question]) -> Iterator[Call]:
        for question in questions:
            texts, _ = distinct(question.responses)
            for i, j in combinations(range(len(texts)), 2):
                yield from self._calls(question, texts[i], texts[j])

    def _calls(self, question: Question, one: str, other: str) -> Iterator[Call]:
        """All repeats with ``one`` standing first, then all with ``other`` first."""
        for order, (first, second) in {"AB": (one, other), "BA": (other, one)}.items():
            text = self._template.render(
                question.prompt, first, second, contract=INSTRUCTIONS[self._settings.contract]
            )
            for repeat in range(self._settings.repeats):
                yield Call(
                    item=excerpt(question.prompt),
                    messages=(Message("user", text),),
                    contract=self._contract,
                    template=self._source,
                    repeat=repeat,
                    order=order,
                )

    def _matrix(self, question: Question) -> Array:
        texts, index = distinct(question.responses)
        upper = np.full((len(texts), len(texts)), 0.5)
        for i, j in combinations(range(len(texts)), 2):
            points = []
            for call in self._calls(question, texts[i], texts[j]):
                outcome = self._executor.outcome(call)
                if outcome.value is None:  # somebody else has meddled with the file
                    raise OracleFailure(
                        f"oracle '{self.name}', {call.item}: {outcome.missing}; {RESUME}"
                    )
                won = _POINTS[outcome.value]
                points.append(won if call.order == "AB" else 1 - won)
            upper[i, j] = sum(points) / len(points)
        return from_upper(upper, texts)[np.ix_(index, index)]
