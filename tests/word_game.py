"""Rock, paper, scissors without models: policies are distributions over three words."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from mnpo.training.generation.base import Completion
from mnpo.training.models.policy import PolicyCheckpoint
from mnpo.training.oracles.base import PreferenceOracle, from_upper

WORDS = {1: "rock", 2: "paper", 3: "scissors", 9: ""}
BEATS = {("rock", "scissors"), ("paper", "rock"), ("scissors", "paper")}
END = 9


class WordTokenizer:
    def decode(self, ids, **kwargs):
        return " ".join(WORDS[i] for i in ids if i != END)


@dataclass
class WordBackend:
    """Policy ``sha256`` answers with a word of its distribution, and the end token unless told."""

    policies: dict
    cut: set = field(default_factory=set)
    opened: list = field(default_factory=list)

    @contextmanager
    def open(self, mixture):
        ((policy, _),) = mixture
        self.opened.append(policy.sha256)
        yield self.sampler(policy.sha256)

    def sampler(self, sha256):
        def draw(prompts, counts, *, seed):
            random = np.random.default_rng(seed)
            return [
                [
                    Completion(
                        (word,) if sha256 in self.cut else (word, END), sha256 not in self.cut
                    )
                    for word in random.choice([1, 2, 3], size=count, p=self.policies[sha256])
                ]
                for count in counts
            ]

        return SimpleNamespace(
            draw=lambda prompts, counts, *, seed: [
                [Completion(tuple(int(i) for i in c.ids), c.finished) for c in row]
                for row in draw(prompts, counts, seed=seed)
            ]
        )


class WordOracle(PreferenceOracle):
    """Rock, paper, scissors, won with a probability that depends on the prompt."""

    def __init__(self, name="words", strength=0.5, spread=0.0):
        self.name, self.strength, self.spread = name, strength, spread
        self.asked = []

    def describe(self):
        return {"name": self.name, "strength": self.strength, "spread": self.spread}

    def probability(self, prompt, first, second):
        edge = self.strength - self.spread * (len(prompt.text) % 3)
        if (first, second) in BEATS:
            return 0.5 + edge
        return 0.5 - edge if (second, first) in BEATS else 0.5

    def compare(self, questions):
        self.asked += questions
        answers = []
        for question in questions:
            texts = question.responses
            upper = np.array(
                [[self.probability(question.prompt, a, b) for b in texts] for a in texts]
            )
            answers.append(from_upper(upper, texts))
        return answers


def checkpoint(name):
    return PolicyCheckpoint(Path(name), f"sha-{name}")
