"""What a judge of MT-Bench said: the official reading of its text.

The official rules are those of FastChat's fastchat/llm_judge/common.py.
"""

import re
from math import isinf

#: What the official code puts in the place of a rating that it cannot find.
UNREADABLE = -1
LOWEST, HIGHEST = 1, 10
#: Of the verdicts A, B and C (a tie), in the order in which the official code looks for them.
VERDICTS = ("A", "B", "C")

# ASCII: the official pattern also matches other digits, on which the official code then fails.
_NUMBER = r"(\d+\.?\d*)"
_DOUBLE = re.compile(rf"\[\[{_NUMBER}\]\]", re.ASCII)
_SINGLE = re.compile(rf"\[{_NUMBER}\]", re.ASCII)
_VERDICT = re.compile(r"\[\[([ABC])\]\]")


def rating_in(text: str) -> float | None:
    """The first ``[[n]]`` of a judgement, else its first ``[n]``, whatever n is; None without any.

    Whole numbers come as int, as in the official files. A number too large for float64 is none.
    """
    found = _DOUBLE.search(text) or _SINGLE.search(text)
    if found is None:
        return None
    number = float(found[1])
    if isinf(number):
        return None
    return number if "." in found[1] else int(number)


def ratings_in(text: str) -> tuple[float, ...]:
    """The different ratings in double brackets, in order of appearance."""
    return tuple(dict.fromkeys(float(number) for number in _DOUBLE.findall(text)))


def in_range(rating: float) -> bool:
    """Whether it is one that the judge was asked for, 1 to 10."""
    return LOWEST <= rating <= HIGHEST


def verdict_in(text: str) -> str | None:
    """A where ``[[A]]`` stands anywhere in the text, else B, else C (a tie); None without any."""
    return next((verdict for verdict in VERDICTS if f"[[{verdict}]]" in text), None)


def verdicts_in(text: str) -> tuple[str, ...]:
    """The different verdicts in a text, in order of appearance."""
    return tuple(dict.fromkeys(_VERDICT.findall(text)))
