"""Answers that were paid for once: a wrapper that stores, reuses and counts them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnpo.runs import digest
from mnpo.training.oracles.answers import AnswerStore
from mnpo.training.oracles.base import (
    Array,
    PreferenceOracle,
    Question,
    RewardOracle,
    check_matrix,
    check_rewards,
)


class CountingOracle(PreferenceOracle):
    """An oracle that is asked each question once.

    Answers are stored per (hash of the oracle's description, prompt, texts of the responses in
    their order): never across a change of the oracle. Every answer, fresh or stored, is checked.

    Attributes:
        oracle: the one that answers.
        queries_asked: preference queries that it answered.
        queries_saved: those that a stored answer made unnecessary.
    """

    def __init__(self, oracle: PreferenceOracle, store: AnswerStore | None = None) -> None:
        self.oracle = oracle
        self.name = oracle.name
        self.queries_asked = 0
        self.queries_saved = 0
        self._store = AnswerStore() if store is None else store

    def describe(self) -> dict[str, Any]:
        """The inner oracle's: remembering changes no answer."""
        return self.oracle.describe()

    def queries(self, responses: int) -> int:
        """The inner oracle's."""
        return self.oracle.queries(responses)

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """Stored answers, and the inner oracle's for the other questions, in one call."""
        found = self._through_store("compare", self.oracle.compare, questions)
        return [check_matrix(p, q, self.name) for p, q in zip(found, questions, strict=True)]

    def _through_store(
        self,
        what: str,
        ask: Callable[[Sequence[Question]], list[Array]],
        questions: Sequence[Question],
    ) -> list[Array]:
        me = digest(self.oracle.describe())
        keys = [digest([me, what, q.prompt.key, q.responses]) for q in questions]
        missing = {k: q for k, q in zip(keys, questions, strict=True) if k not in self._store}
        cost = [self.queries(len(q.responses)) for q in questions]
        asked = sum(self.queries(len(q.responses)) for q in missing.values())
        if missing:
            answers = ask(list(missing.values()))
            for key, answer in zip(missing, answers, strict=True):
                _refuse_nan(what, answer, missing[key], self.name)
                self._store.put(key, answer.tolist())
        self.queries_asked += asked
        self.queries_saved += sum(cost) - asked
        return [np.array(self._store[key], dtype=np.float64) for key in keys]


class CountingRewardOracle(CountingOracle, RewardOracle):
    """The same for an oracle with rewards; its preferences come from the stored rewards."""

    def __init__(self, oracle: RewardOracle, store: AnswerStore | None = None) -> None:
        super().__init__(oracle, store)
        self._rewards = oracle.rewards
        self.scale = oracle.scale

    def rewards(self, questions: Sequence[Question]) -> list[Array]:
        """(K,) rewards, stored like comparisons and counted as the queries they answer."""
        found = self._through_store("rewards", self._rewards, questions)
        return [check_rewards(r, q, self.name) for r, q in zip(found, questions, strict=True)]

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """Bradley-Terry on the stored rewards: one store for both."""
        return RewardOracle.compare(self, questions)


def remember(oracle: PreferenceOracle, path: Path | None = None) -> CountingOracle:
    """The oracle with a memory; it has rewards exactly where the given one has.

    Args:
        oracle: any.
        path: a .jsonl file that keeps the answers over processes; None keeps them in memory.
    """
    store = AnswerStore(path)
    if isinstance(oracle, RewardOracle):
        return CountingRewardOracle(oracle, store)
    return CountingOracle(oracle, store)


def _refuse_nan(what: str, answer: Array, question: Question, name: str) -> None:
    """A failed answer must not be stored."""
    check = check_matrix if what == "compare" else check_rewards
    check(answer, question, name)
