"""How numbers, ranks and settings are written on the page."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.statistics import Interval
from leaderboards.render.rounding import Places, rounded
from leaderboards.render.words import NOTHING
from simulators.report.formats import shortened

_EXPONENT = re.compile(r"e([+-])0*(\d+)$")
_SUPERSCRIPTS = str.maketrans("+-0123456789", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def typeset(number: str) -> str:
    """A number of ASCII as a book prints it: −0.5, 1.2×10⁻⁷, ∞; "–" for none."""
    if not number:
        return NOTHING
    text = number.replace("inf", "∞")
    match = _EXPONENT.search(text)
    if match:
        sign = "-" if match[1] == "-" else ""
        text = text[: match.start()] + "×10" + (sign + match[2]).translate(_SUPERSCRIPTS)
    return text.replace("-", "−")


def figure_texts(interval: Interval, places: Places) -> tuple[str, str]:
    """``("13.1", "[8.9, 18.9]")``; the second is "" without an interval."""
    value, low, high = places.written(interval)
    ends = f"[{typeset(low)}, {typeset(high)}]" if low or high else ""
    return typeset(value), ends


def number(value: float) -> str:
    """Four significant digits; whole numbers in full."""
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    return typeset(rounded(Interval(float(value), None, None, 0, 0))[0])


def order(value: float | None) -> str:
    """What a cell is sorted by: all digits; "" sorts last."""
    if value is None or math.isnan(value):
        return ""
    if math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return f"{value:.10g}"


def short_names(names: Sequence[str], length: int) -> tuple[str, ...]:
    """Names of at most `length` characters; where their beginnings are alike, their middle goes."""
    cut = [shortened(name, length) for name in names]
    alike = {text for text, number in Counter(cut).items() if number > 1}
    return tuple(
        _middle_cut(name, length) if text in alike else text
        for name, text in zip(names, cut, strict=True)
    )


def _middle_cut(name: str, length: int) -> str:
    line = shortened(name, len(name) + 1)
    head = (length - 1) // 3
    return line if len(line) <= length else f"{line[:head]}…{line[head + 1 - length :]}"


def counted(count: int, one: str, many: str = "") -> str:
    """``1 run``, ``2 runs``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """``(name, value)`` with nested names joined by dots; what is empty is left out."""
    pairs: list[tuple[str, str]] = []
    for key, value in facts.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            pairs += flat(value, f"{name}.")
        elif isinstance(value, list | tuple):
            if value:
                pairs.append((name, ", ".join(map(_fact, value))))
        elif value is not None and value != "":
            pairs.append((name, _fact(value)))
    return pairs


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
