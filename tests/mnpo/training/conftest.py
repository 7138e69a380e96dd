"""Stand-ins for what the loop works with: policies, prompts, samplers, oracles, processes."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnpo.conversation import Message
from mnpo.training.data.preparation import PreparedPrompt
from mnpo.training.data.prompts import Prompt
from mnpo.training.generation.base import Completion, Mixture
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.oracles.base import PreferenceOracle, Question, RewardOracle
from mnpo.training.tokens import TokenContract
from mnpo.training.world import World


def policy(name: str) -> PolicyCheckpoint:
    return PolicyCheckpoint(Path(name), hashlib.sha256(name.encode()).hexdigest())


def prepared(number: int, **fields: Any) -> tuple[PreparedPrompt, ...]:
    return tuple(
        PreparedPrompt(Prompt((Message("user", f"question {i}"),), **fields), (1, 2, 3 + i))
        for i in range(number)
    )


CONTRACT = TokenContract(tokenizer="a" * 64, template="b" * 64, end_ids=(0,), pad_id=0)


class Words:
    """A tokenizer that can decode."""

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return " ".join(f"w{i}" for i in ids)


class Killed(Exception):
    """In place of a kill: nothing catches it."""


@dataclass
class Sampling:
    """A backend that is a pure function of the policy, the prompt, the copy and the seed.

    ``draws`` logs (mixture, prompts, counts, seed); the ``fails_at``-th draw raises.
    """

    draws: list[tuple[Mixture, int, int, int]] = field(default_factory=list)
    fails_at: int | None = None
    empty: bool = False

    @contextmanager
    def open(self, mixture: Mixture) -> Iterator["_Opened"]:
        yield _Opened(self, mixture)


@dataclass
class _Opened:
    backend: Sampling
    mixture: Mixture

    def draw(
        self, prompts: Sequence[Sequence[int]], counts: Sequence[int], *, seed: int
    ) -> list[list[Completion]]:
        if self.backend.fails_at == len(self.backend.draws):
            raise Killed
        self.backend.draws.append((self.mixture, len(prompts), sum(counts), seed))
        mark = int(self.mixture[0][0].sha256[:8], 16)
        found = []
        for ids, count in zip(prompts, counts, strict=True):
            random = np.random.default_rng([seed, mark, *ids])
            lengths = random.integers(0 if self.backend.empty else 1, 4, size=count)
            found.append(
                [Completion(tuple(random.integers(1, 90, n).tolist()), bool(n)) for n in lengths]
            )
        return found


class Scripted(PreferenceOracle):
    """P from a hash of the two texts; fails in the ``fails_at``-th call."""

    def __init__(self, name: str = "scripted", fails_at: int | None = None) -> None:
        self.name, self.fails_at = name, fails_at
        self.asked: list[Question] = []
        self.calls = 0

    def describe(self) -> dict[str, Any]:
        return {"kind": "scripted", "name": self.name}

    def compare(self, questions: Sequence[Question]) -> list[np.ndarray]:
        self.calls += 1
        if self.fails_at == self.calls:
            raise Killed
        self.asked += questions
        return [self.matrix(question.responses) for question in questions]

    def matrix(self, texts: Sequence[str]) -> np.ndarray:
        found = np.full((len(texts),) * 2, 0.5)
        for i, first in enumerate(texts):
            for j, second in enumerate(texts[:i]):
                if first != second:
                    seen = hashlib.sha256(f"{self.name}|{first}|{second}".encode()).digest()
                    found[i, j] = int.from_bytes(seen[:6], "big") / 2**48
                    found[j, i] = 1 - found[i, j]
        return found


class Rewarding(RewardOracle):
    """A reward that no decimal number writes in a few digits: the square root of the length."""

    def __init__(self) -> None:
        self.name = "rewarding"
        self.asked: list[Question] = []

    def describe(self) -> dict[str, Any]:
        return {"kind": "rewarding"}

    def rewards(self, questions: Sequence[Question]) -> list[np.ndarray]:
        self.asked += questions
        return [np.sqrt([float(len(t)) for t in q.responses]) for q in questions]


@dataclass(frozen=True)
class ThreadWorld(World):
    """One of several ranks that are threads of this process."""

    gate: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))

    def barrier(self) -> None:
        self.gate.wait(timeout=20)


def on_ranks(size: int, work: Callable[[World], Any]) -> list[Any]:
    """What ``work`` gives on each of ``size`` ranks that run at once."""
    gate = threading.Barrier(size)
    results: list[Any] = [None] * size

    def run(rank: int) -> None:
        try:
            results[rank] = work(ThreadWorld(rank, size, gate))
        except BaseException as error:  # told to the test, and the others wait no longer
            results[rank] = error
            gate.abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@pytest.fixture(name="policy", scope="session")
def _policy() -> Callable[[str], PolicyCheckpoint]:
    return policy


@pytest.fixture(name="prepared")
def _prepared() -> Callable[..., tuple[PreparedPrompt, ...]]:
    return prepared


@pytest.fixture(name="contract")
def _contract() -> TokenContract:
    return CONTRACT


@pytest.fixture(name="words")
def _words() -> Words:
    return Words()


@pytest.fixture(name="sampling")
def _sampling() -> type[Sampling]:
    return Sampling


@pytest.fixture(name="scripted")
def _scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture(name="rewarding")
def _rewarding() -> type[Rewarding]:
    return Rewarding


@pytest.fixture(name="killed")
def _killed() -> type[Killed]:
    return Killed


@pytest.fixture(name="on_ranks")
def _on_ranks() -> Callable[[int, Callable[[World], Any]], list[Any]]:
    return on_ranks
