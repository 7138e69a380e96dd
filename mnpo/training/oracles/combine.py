"""Oracles made of oracles: populations, majorities, sums, noise.

A population of transitive annotators can prefer in circles (Condorcet): that is where a Nash policy
and the maximiser of any one reward part.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from mnpo.runs import digest
from mnpo.training.oracles.base import (
    Array,
    PreferenceOracle,
    Question,
    RewardOracle,
    check_matrix,
    check_rewards,
    from_upper,
)


class Mixture(PreferenceOracle):
    """A population of annotators: P = sum_a w_a P_a, linear in the annotators.

    Args:
        annotators: the oracles.
        weights: their shares, non-negative, of sum one; None is equal ones.
    """

    def __init__(
        self, annotators: Sequence[PreferenceOracle], weights: Sequence[float] | None = None
    ) -> None:
        self.annotators = tuple(annotators)
        self.weights = _shares(weights, len(self.annotators))
        self.name = f"mixture({', '.join(a.name for a in self.annotators)})"

    def describe(self) -> dict[str, Any]:
        """The annotators and their shares."""
        return {
            "kind": "mixture",
            "annotators": [a.describe() for a in self.annotators],
            "weights": self.weights.tolist(),
        }

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """The annotators' mean, by share."""
        answers = _ask_all(self.annotators, questions)
        return [
            check_matrix(from_upper(np.tensordot(self.weights, each, 1), q.responses), q, self.name)
            for q, each in zip(questions, answers, strict=True)
        ]

    def queries(self, responses: int) -> int:
        """Every annotator compares every pair."""
        return sum(a.queries(responses) for a in self.annotators)


class Majority(PreferenceOracle):
    """What the majority of annotators prefers, one vote each.

    ``votes="independent"``: annotator a votes for i over j with its own probability P_a, the
    votes independent; P is the probability that i gets more votes than j, plus half of that of a
    tie. ``votes="sharp"``: annotator a votes for what it prefers (P_a > 1/2) or abstains at 1/2;
    P is 1 when i gets more votes, 1/2 for as many, else 0.
    """

    def __init__(
        self,
        annotators: Sequence[PreferenceOracle],
        votes: Literal["independent", "sharp"] = "independent",
    ) -> None:
        self.annotators = tuple(annotators)
        self.votes = votes
        self.name = f"majority({', '.join(a.name for a in self.annotators)})"

    def describe(self) -> dict[str, Any]:
        """The annotators and the kind of vote."""
        return {
            "kind": "majority",
            "annotators": [a.describe() for a in self.annotators],
            "votes": self.votes,
        }

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """The majority's preference for every pair."""
        count = _independent_votes if self.votes == "independent" else _sharp_votes
        answers = _ask_all(self.annotators, questions)
        return [
            check_matrix(from_upper(count(each), q.responses), q, self.name)
            for q, each in zip(questions, answers, strict=True)
        ]

    def queries(self, responses: int) -> int:
        """Every annotator compares every pair."""
        return sum(a.queries(responses) for a in self.annotators)


class RandomAnnotator(PreferenceOracle):
    """One annotator answers the whole question, drawn by a seeded hash: no state, no order.

    The mean of its answers over seeds is the `Mixture` with these weights. With ``per="question"``
    the draw depends on the prompt and its set of responses, with ``per="prompt"`` on the prompt
    alone, so that one annotator owns a prompt.
    """

    def __init__(
        self,
        annotators: Sequence[PreferenceOracle],
        weights: Sequence[float] | None = None,
        *,
        per: Literal["question", "prompt"] = "question",
        seed: int = 0,
    ) -> None:
        self.annotators = tuple(annotators)
        self.weights = _shares(weights, len(self.annotators))
        self.per = per
        self.seed = seed
        self.name = f"random-annotator({', '.join(a.name for a in self.annotators)})"

    def describe(self) -> dict[str, Any]:
        """The annotators, their shares and the draw."""
        return {
            "kind": "random-annotator",
            "annotators": [a.describe() for a in self.annotators],
            "weights": self.weights.tolist(),
            "per": self.per,
            "seed": self.seed,
        }

    def who(self, question: Question) -> int:
        """Index of the annotator who answers."""
        texts = sorted(set(question.responses)) if self.per == "question" else []
        drawn = digest([self.seed, question.prompt.key, texts])
        uniform = int(drawn[:12], 16) / 2**48
        share = np.cumsum(self.weights)
        return int(np.searchsorted(share / share[-1], uniform, side="right"))

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """Each question to its annotator, those of one annotator together."""
        whose = [self.who(question) for question in questions]
        answers: dict[int, Array] = {}
        for a, annotator in enumerate(self.annotators):
            mine = [n for n, owner in enumerate(whose) if owner == a]
            if mine:
                found = annotator.compare([questions[n] for n in mine])
                answers |= dict(zip(mine, found, strict=True))
        return [check_matrix(answers[n], q, self.name) for n, q in enumerate(questions)]


class Noisy(PreferenceOracle):
    """Label noise: an answer is turned round with probability flip.

    P' = (1 - flip) P + flip (1 - P).
    """

    def __init__(self, oracle: PreferenceOracle, flip: float) -> None:
        self.oracle = oracle
        self.flip = flip
        self.name = f"noisy({oracle.name})"

    def describe(self) -> dict[str, Any]:
        """The oracle and the noise."""
        return {"kind": "noisy", "oracle": self.oracle.describe(), "flip": self.flip}

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """The expected noisy answer."""
        return [
            check_matrix(from_upper(p + self.flip * (1 - 2 * p), q.responses), q, self.name)
            for q, p in zip(questions, _ask(self.oracle, questions), strict=True)
        ]

    def queries(self, responses: int) -> int:
        """The oracle's."""
        return self.oracle.queries(responses)


class RewardSum(RewardOracle):
    """r = sum_a w_a r_a, with Bradley-Terry preferences on the sum."""

    def __init__(
        self, parts: Sequence[RewardOracle], weights: Sequence[float], scale: float = 1.0
    ) -> None:
        self.parts = tuple(parts)
        self.weights = tuple(weights)
        self.scale = scale
        self.name = f"sum({', '.join(part.name for part in self.parts)})"

    def describe(self) -> dict[str, Any]:
        """The parts and weights."""
        return {
            "kind": "sum",
            "parts": [part.describe() for part in self.parts],
            "weights": list(self.weights),
            "scale": self.scale,
        }

    def rewards(self, questions: Sequence[Question]) -> list[Array]:
        """(K,) weighted sums."""
        each = [part.rewards(questions) for part in self.parts]
        return [
            check_rewards(
                np.sum([w * r[n] for w, r in zip(self.weights, each, strict=True)], axis=0),
                question,
                self.name,
            )
            for n, question in enumerate(questions)
        ]


class LengthFree(RewardOracle):
    """A reward less what its length alone earns: r(x, y) - reward_per_word * words(y).

    Words stand between white space. The scale is the inner oracle's unless given.
    """

    def __init__(
        self, oracle: RewardOracle, reward_per_word: float, scale: float | None = None
    ) -> None:
        self.oracle = oracle
        self.reward_per_word = reward_per_word
        self.scale = oracle.scale if scale is None else scale
        self.name = f"length-free({oracle.name})"

    def describe(self) -> dict[str, Any]:
        """The oracle and the slope."""
        return {
            "kind": "length-free",
            "oracle": self.oracle.describe(),
            "reward_per_word": self.reward_per_word,
            "scale": self.scale,
        }

    def rewards(self, questions: Sequence[Question]) -> list[Array]:
        """(K,) corrected rewards."""
        answers = []
        for question, r in zip(questions, self.oracle.rewards(questions), strict=True):
            words = np.array([len(text.split()) for text in question.responses])
            answers.append(check_rewards(r - self.reward_per_word * words, question, self.name))
        return answers


def _ask_all(annotators: Sequence[PreferenceOracle], questions: Sequence[Question]) -> list[Array]:
    """For each question the (A, K, K) answers of all annotators, each checked by itself."""
    each = [_ask(annotator, questions) for annotator in annotators]
    return [np.stack([answers[n] for answers in each]) for n in range(len(questions))]


def _ask(annotator: PreferenceOracle, questions: Sequence[Question]) -> list[Array]:
    return [
        check_matrix(p, q, annotator.name)
        for p, q in zip(annotator.compare(questions), questions, strict=True)
    ]


def _independent_votes(each: Array) -> Array:
    """P(more than half of the votes) + P(tie)/2 from (A, K, K): a Poisson-binomial sum."""
    chance = np.ones((1, *each.shape[1:]))  # of 0, 1, ... votes so far
    for p in each:
        none = np.zeros((1, *p.shape))
        chance = np.concatenate([chance * (1 - p), none]) + np.concatenate([none, chance * p])
    votes = np.arange(len(chance))
    share = np.where(2 * votes > len(each), 1.0, np.where(2 * votes == len(each), 0.5, 0.0))
    return np.asarray(np.clip(np.tensordot(share, chance, 1), 0.0, 1.0))


def _sharp_votes(each: Array) -> Array:
    return np.asarray((1 + np.sign(np.sign(each - 0.5).sum(axis=0))) / 2)


def _shares(weights: Sequence[float] | None, number: int) -> Array:
    if weights is None:
        return np.full(number, 1 / number)
    shares = np.asarray(weights, dtype=np.float64)
    return np.asarray(shares / shares.sum())
