"""Verdict labels: what they say, and how the benchmark's own code finds them in a text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.arena_hard.versions import STRONG

#: The five labels that the judge is told to choose from.
LABELS = ("A>>B", "A>B", "A=B", "B>A", "B>>A")
#: Labels that say the same the other way round, which the current official code accepts too.
_SAME = {"B<<A": "A>>B", "B<A": "A>B", "B=A": "A=B", "A<B": "B>A", "A<<B": "B>>A"}
_POINTS = {"A>>B": 1.0, "A>B": 1.0, "A=B": 0.5, "B>A": 0.0, "B>>A": 0.0}
_ALPHABET = re.compile("[AB<>=]+")

#: How a text with several labels is read. "unique" is the code of 2024: all labels of the pattern
#: must be the same. "last" is the code of 2025: the text is upper-cased and its last label counts.
Rule = Literal["unique", "last"]


@dataclass(frozen=True)
class Grade:
    """What one game says of the model that plays against the baseline.

    Attributes:
        points: 1 it won, 0.5 a tie, 0 it lost.
        strong: whether clearly so; ties never are.
    """

    points: float
    strong: bool

    @property
    def weight(self) -> int:
        """How many battles the official formulas make of it."""
        return STRONG if self.strong else 1


def normalised(label: str) -> str | None:
    """The label among `LABELS` that says the same, None where there is none."""
    label = label.strip()
    label = _SAME.get(label, label)
    return label if label in LABELS else None


def looks_like_label(label: str) -> bool:
    """Whether the benchmark's own patterns could have found this, valid or not ("A>>>B")."""
    return _ALPHABET.fullmatch(label.strip()) is not None


def grade(label: str, game: int) -> Grade:
    """What a label says of the model.

    Args:
        label: one of `LABELS`.
        game: 0, where the baseline was shown as A, or 1, where the model was.
    """
    points = _POINTS[label]
    return Grade(points if game == 1 else 1.0 - points, ">>" in label)


def find_label(text: str, patterns: Sequence[str], rule: Rule) -> str | None:
    """The verdict in a judgement, as the official code finds it; None where it finds none.

    A pattern without a match leaves the decision to the next one. Under "unique" several different
    matches of one pattern are no verdict for that pattern (`gen_judgment.py` of 2024, `get_score`);
    under "last" the last match counts (the function of that name of 2025).

    What is found may still be none of the known labels: see `normalised`.
    """
    searched = text.upper() if rule == "last" else text
    for pattern in patterns:
        found = [match for match in re.findall(pattern, searched) if match]
        if found and (rule == "last" or len(set(found)) == 1):
            return str(found[-1]).strip("\n")
    return None
