"""An oracle with a known preference matrix: its equilibrium can be computed exactly."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnpo.errors import InvalidSetting, suggest
from mnpo.training.oracles.base import (
    Array,
    OracleFailure,
    PreferenceOracle,
    Question,
    check_matrix,
    excerpt,
    from_upper,
)


class MatrixOracle(PreferenceOracle):
    """P(y beats y') = P[i, j] where y is exactly the text of action i and y' that of j.

    Args:
        actions: the texts, all different.
        matrix: (n, n) win probabilities, P + P.T = 1.
        name: of the game, for tables.

    Raises:
        InvalidSetting: the matrix has another size or is no preference matrix.
    """

    def __init__(self, actions: Sequence[str], matrix: Array, name: str = "matrix") -> None:
        self.name = name
        self.actions = tuple(actions)
        self.matrix = _valid(np.asarray(matrix, dtype=np.float64), self.actions)
        self._index = {text: i for i, text in enumerate(self.actions)}

    def describe(self) -> dict[str, Any]:
        """The whole matrix and the actions' texts."""
        return {
            "kind": "matrix",
            "actions": list(self.actions),
            "matrix": self.matrix.tolist(),
        }

    def compare(self, questions: Sequence[Question]) -> list[Array]:
        """The matrix at the responses' actions.

        Raises:
            OracleFailure: a response is none of the actions.
        """
        answers = []
        for question in questions:
            index = [self._action(text, question) for text in question.responses]
            answers.append(check_matrix(self.matrix[np.ix_(index, index)], question, self.name))
        return answers

    def _action(self, text: str, question: Question) -> int:
        if text not in self._index:
            raise OracleFailure(
                f"oracle '{self.name}', {excerpt(question.prompt)}: response {text[:60]!r} is none "
                f"of its {len(self.actions)} actions{suggest(text[:60], self.actions)}"
            )
        return self._index[text]


def read_matrix(path: Path) -> Array:
    """A matrix from a file: .json (rows, or a mapping with "matrix"), .npy or .csv.

    Raises:
        InvalidSetting: there is no such file, or no matrix of numbers in it.
    """
    if not path.is_file():
        raise InvalidSetting(f"oracle.file: there is no file {path}")
    try:
        match path.suffix:
            case ".json":
                found = json.loads(path.read_text())
                found = found["matrix"] if isinstance(found, dict) else found
            case ".npy":
                found = np.load(path, allow_pickle=False)
            case ".csv":
                found = np.loadtxt(path, delimiter=",", ndmin=2)
            case other:
                raise InvalidSetting(f"oracle.file: {path} ends in {other!r}; use json, npy or csv")
        return np.asarray(found, dtype=np.float64)
    except InvalidSetting:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidSetting(f"oracle.file: {path} holds no matrix of numbers: {error}") from None


def _valid(matrix: Array, actions: Sequence[str]) -> Array:
    size = len(actions)
    if matrix.shape != (size, size):
        raise InvalidSetting(
            f"oracle.matrix: {size} actions need a {size} x {size} matrix, got "
            f"{' x '.join(map(str, matrix.shape))}"
        )
    if not np.isfinite(matrix).all() or matrix.min() < 0 or matrix.max() > 1:
        raise InvalidSetting("oracle.matrix: every entry must be a probability in [0, 1]")
    wrong = np.abs(matrix + matrix.T - 1)
    if wrong.max() > 1e-6:
        i, j = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise InvalidSetting(
            f"oracle.matrix: P[{i}][{j}] + P[{j}][{i}] is {matrix[i, j] + matrix[j, i]:g}, not 1"
        )
    return from_upper(matrix, actions)  # typed decimals may be off in the last digits
