"""Numbers in answers: how GSM8K answers are read and compared."""

import math
import re
from typing import Any, TypeGuard

#: ToRA's rule: two numbers are equal if they differ by less (Gou et al. 2024).
TOLERANCE = 1e-3

_FRACTION = re.compile(r"(-?)\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def is_finite(value: Any) -> TypeGuard[float]:
    """Whether a value of a file is a number that can be reckoned with; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that is larger than every float
        return False


def number(text: str) -> float | None:
    """The number a text stands for; None if it is none.

    Commas between digits, a currency or percent sign and a full stop at the end do not matter;
    fractions, written a/b or in LaTeX, are divided.
    """
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.strip().rstrip("."))
    text = text.replace("\\$", "").replace("$", "").replace("\\%", "").rstrip("%").strip()
    fraction = _FRACTION.fullmatch(text)
    if fraction is not None:
        top, bottom = number(fraction[2]), number(fraction[3])
        sign = -1.0 if fraction[1] else 1.0
        return None if top is None or not bottom else sign * top / bottom
    if text.count("/") == 1:
        top, bottom = map(number, text.split("/"))
        return None if top is None or not bottom else top / bottom
    return float(text) if _PLAIN.fullmatch(text) else None


def equal(answer: str | None, truth: float) -> bool:
    """Whether an answer is the number; one that is no number is not."""
    found = None if answer is None else number(answer)
    return found is not None and abs(found - truth) < TOLERANCE


def last_boxed(text: str) -> str | None:
    r"""What the last \boxed{...} holds, braces inside included; None without a closed one."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth, begin = 0, start + len("\\boxed{")
    for place in range(begin - 1, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[begin:place]
    return None
