from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mnpo.conversation import Message
from mnpo.training.data.prompts import Prompt
from mnpo.training.oracles.base import Question, RewardOracle


def ask(prompt: str, *responses: str) -> Question:
    return Question(Prompt((Message("user", prompt),)), responses)


class Table(RewardOracle):
    """Rewards from a mapping of texts, and a log of what was asked."""

    def __init__(self, rewards: dict[str, float], name: str = "table", scale: float = 1.0) -> None:
        self.table, self.name, self.scale = rewards, name, scale
        self.asked: list[Question] = []

    def describe(self):
        return {"kind": "table", "table": self.table, "scale": self.scale}

    def rewards(self, questions: Sequence[Question]):
        self.asked += questions
        return [np.array([self.table[t] for t in q.responses]) for q in questions]


@pytest.fixture(name="ask")
def _ask() -> Callable[..., Question]:
    return ask


@pytest.fixture(name="table")
def _table() -> type[Table]:
    return Table


@pytest.fixture(name="ask_plain", scope="session")
def _ask_plain() -> Callable[..., Question]:
    """The same for hypothesis, which wants fixtures that last."""
    return ask
