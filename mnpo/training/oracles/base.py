"""The one interface of all preference oracles: P(y beats y' | x) for every pair of responses."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import InvalidSetting, UserError
from mnpo.training.data.prompts import Prompt

Array = NDArray[np.float64]

#: How far P + P.T may be off one: rounding in float64, nothing else.
TOLERANCE = 1e-12


class OracleFailure(UserError):
    """An oracle gave no usable answer. Nothing stands in for it: the run stops and can resume."""


@dataclass(frozen=True)
class Question:
    """K responses to one prompt, to be compared with one another.

    Attributes:
        prompt: the conversation, demonstrations included.
        responses: K texts.
    """

    prompt: Prompt
    responses: tuple[str, ...]


class PreferenceOracle(ABC):
    """Answers with win probabilities, never with noise in place of a failure."""

    #: What it is called in ledgers, tables and messages.
    name: str

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Everything that its answers depend on, JSON-ready: models by hash, templates, scales.

        Stored answers are reused only while this is unchanged. It holds no secret.
        """

    @abstractmethod
    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """Win probabilities of every pair.

        Returns:
            for each question a (K, K) matrix P with P[i, j] = P(response i beats response j),
            entries in [0, 1], P + P.T = 1, 1/2 on the diagonal and for identical responses.

        Raises:
            OracleFailure: an answer is missing, malformed or not a finite number.
        """

    def queries(self, responses: int) -> int:
        """Preference queries that one question with that many responses costs: its pairs."""
        return responses * (responses - 1) // 2


class RewardOracle(PreferenceOracle):
    """An oracle with a scalar reward, r(x, y), and Bradley-Terry preferences on it.

    P(y beats y') = sigma((r(y) - r(y')) / scale).
    """

    #: Reward difference at which the odds are e to one.
    scale: float = 1.0

    @abstractmethod
    def rewards(self, questions: Sequence[Question]) -> list[Array]:
        """(K,) finite rewards for each question; the same failures as `compare`."""

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """Bradley-Terry on the rewards."""
        return self.preferences(questions, self.rewards(questions))

    def preferences(self, questions: Sequence[Question], rewards: Sequence[Array]) -> list[Array]:
        """What `compare` answers where the rewards of its questions are known."""
        from scipy.special import expit

        answers = []
        for question, found in zip(questions, rewards, strict=True):
            r = check_rewards(found, question, self.name)
            matrix = np.asarray(expit((r[:, None] - r[None, :]) / self.scale))
            answers.append(check_matrix(matrix, question, self.name))
        return answers


def check_matrix(matrix: Array, question: Question, name: str) -> Array:
    """The win probabilities, or a refusal.

    Args:
        matrix: (K, K), as `PreferenceOracle.compare` promises it.
        question: what was asked.
        name: the oracle's, for the message.

    Raises:
        OracleFailure: another shape, a value that is no probability, P + P.T off one by more than
            1e-12, or identical responses without exactly 1/2.
    """
    texts = question.responses
    if matrix.shape != (len(texts), len(texts)):
        raise _failure(name, question, f"{len(texts)} responses got a matrix {matrix.shape}")
    if not np.isfinite(matrix).all() or matrix.min() < 0 or matrix.max() > 1:
        raise _failure(name, question, "an answer is not a probability")
    if np.abs(matrix + matrix.T - 1).max() > TOLERANCE:
        raise _failure(name, question, "P(i beats j) and P(j beats i) do not sum to one")
    _, same = distinct(texts)
    if (matrix[same[:, None] == same[None, :]] != 0.5).any():
        raise _failure(name, question, "identical responses did not get exactly 1/2")
    return matrix


def check_rewards(rewards: Array, question: Question, name: str) -> Array:
    """The (K,) rewards, or an `OracleFailure` where one is missing or not a finite number."""
    if rewards.shape != (len(question.responses),):
        raise _failure(
            name, question, f"{len(question.responses)} responses got rewards {rewards.shape}"
        )
    if not np.isfinite(rewards).all():
        bad = int(np.flatnonzero(~np.isfinite(rewards))[0])
        raise _failure(name, question, f"the reward of response {bad} is {rewards[bad]}")
    return rewards


def distinct(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts in order of appearance, and (K,) which of them each text is.

    What is computed once a text and then spread is equal, to the last bit, for identical texts.
    """
    places: dict[str, int] = {}
    index = [places.setdefault(text, len(places)) for text in texts]
    return list(places), np.array(index, dtype=np.int64)


def from_upper(upper: Array, texts: Sequence[str]) -> Array:
    """A valid answer from its part above the diagonal.

    Args:
        upper: (K, K); only the entries with i < j are read.
        texts: the K responses; identical ones get 1/2.

    Returns:
        (K, K) with P[j, i] = 1 - P[i, j].
    """
    rows, columns = np.triu_indices(len(texts), k=1)
    matrix = np.full(upper.shape, 0.5)
    matrix[rows, columns] = upper[rows, columns]
    matrix[columns, rows] = 1 - upper[rows, columns]
    _, same = distinct(texts)
    matrix[same[:, None] == same[None, :]] = 0.5
    return matrix


def excerpt(prompt: Prompt, width: int = 60) -> str:
    """How a message names a prompt: the start of its last turn and of its key."""
    text = " ".join(prompt.text.split())
    shown = text if len(text) <= width else text[: width - 3] + "..."
    return f"prompt {shown!r} ({prompt.key[:12]})"


def require_rewards(oracle: PreferenceOracle, wanted_by: str) -> RewardOracle:
    """The oracle, if it has scalar rewards.

    Args:
        oracle: any.
        wanted_by: who needs them, for the message, e.g. "method 'rmax'".

    Raises:
        InvalidSetting: it answers with preferences only.
    """
    if isinstance(oracle, RewardOracle):
        return oracle
    raise InvalidSetting(
        f"{wanted_by} needs scalar rewards and oracle '{oracle.name}' has preferences only; use "
        "one with rewards: rule, reward-model, sum, length-free"
    )


def _failure(name: str, question: Question, what: str) -> OracleFailure:
    return OracleFailure(f"oracle '{name}', {excerpt(question.prompt)}: {what}")
