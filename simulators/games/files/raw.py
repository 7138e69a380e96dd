"""What a file holds before it is decided what its numbers mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import InvalidGame
from simulators.games.game import Array
from simulators.games.matrices import duplicates
from simulators.games.spec import MAX_ACTIONS

KINDS = ("win-fraction", "payoff", "counts", "multipliers")
"""What numbers of a matrix can mean, row against column."""

LARGEST = 1e300
"""Numbers beyond it count as infinite, so that sums of two stay finite."""

WORDS = {
    "win-fraction": (
        "row_beats_col row_beats_column win_fraction win_fractions win_rate win_rates preferences "
        "preference p p_row_beats_col probability probabilities"
    ).split(),
    "payoff": "row_payoff payoff payoffs row_return_vs_col return returns advantage".split(),
    "counts": "row_wins wins win_count win_counts row_wins_vs_col".split(),
    "multipliers": "multiplier multipliers row_multiplier".split(),
    "comparisons": "battles battle_count battle_counts comparisons counts games matches".split(),
}
"""Words in a header's corner or a JSON key that say what the numbers are."""


@dataclass(frozen=True)
class RawMatrix:
    """Numbers and labels of a file.

    Attributes:
        name: the file's name, for messages.
        values: (K, K), or (C, K, K), NaN where the file has none.
        actions: labels, length K.
        kind: what the file itself says the numbers are: one of ``KINDS``, ``"comparisons"``, or
            None when it says nothing.
        comparisons: (K, K) comparisons behind each cell, when the file has them.
        features: (C, d) features of the contexts, when the file has them.
        unwritten: (K, K) cells left out of a file that need not write them, None where it must.
    """

    name: str
    values: Array
    actions: tuple[str, ...]
    kind: str | None = None
    comparisons: Array | None = None
    features: Array | None = None
    unwritten: NDArray[np.bool_] | None = None

    def pair(self, i: int, j: int) -> str:
        """``'a' against 'b'``."""
        return f"'{self.actions[i]}' against '{self.actions[j]}'"


def kind_of_word(word: str) -> str | None:
    """The kind a header word or JSON key stands for, None for any other word."""
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    return next((kind for kind, words in WORDS.items() if plain in words), None)


def check_labels(name: str, rows: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """The actions, when rows and columns list the same ones in the same order, none twice.

    Raises:
        InvalidGame: naming the first label that is repeated, empty, missing or out of place.
    """
    for which, names in (("rows", rows), ("columns", columns)):
        if "" in names:
            raise InvalidGame(f"{name}: one of the {which} has an empty label; name every action")
        if duplicates(names):
            raise InvalidGame(f"{name}: two {which} are called '{duplicates(names)[0]}'")
    for here, names, there, others in (
        ("rows", rows, "columns", set(columns)),
        ("columns", columns, "rows", set(rows)),
    ):
        odd = [label for label in names if label not in others]
        if odd:
            raise InvalidGame(
                f"{name}: '{odd[0]}' is among the {here} but not among the {there}"
                f"{f' (and {len(odd) - 1} more)' if len(odd) > 1 else ''}; "
                "rows and columns must list the same actions"
            )
    for i, (row, column) in enumerate(zip(rows, columns, strict=True), start=1):
        if row != column:
            raise InvalidGame(
                f"{name}: row {i} is '{row}' but column {i} is '{column}'; "
                "rows and columns must list the actions in the same order"
            )
    return tuple(rows)


def check_size(name: str, actions: int) -> None:
    """Refuse more actions than fit in memory, before anything of that size is made."""
    if actions > MAX_ACTIONS:
        raise InvalidGame(f"{name}: {actions} actions; at most {MAX_ACTIONS} are supported")
