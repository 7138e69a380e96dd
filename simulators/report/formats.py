"""How numbers and settings are written, the same on the terminal, in Markdown and in HTML."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulators.metrics.verdict import RUNAWAY

MISSING = "–"
#: Settings where there is little room.
SYMBOLS = {"step_size": "α", "temperature": "τ"}


def number(value: object) -> str:
    """Three significant digits: ``0.0312``, ``1.2e-07``, ``12.3``; ``–`` for NaN and None.

    A number of more than `RUNAWAY` is where a run that ran off was stopped, no measurement: its
    bound is written instead.
    """
    if value is None or isinstance(value, str):
        return value or MISSING
    x = float(value)  # type: ignore[arg-type]
    if math.isnan(x):
        return MISSING
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if abs(x) > RUNAWAY:
        bound = f"{RUNAWAY:g}".replace("+", "")
        return f"> {bound}" if x > 0 else f"< −{bound}"
    if x == 0:
        return "0"
    if 1e-3 <= abs(x) < 1e4:
        return f"{x:#.3g}".rstrip(".")
    return f"{x:.1e}"


def mean_and_error(mean: float, error: float) -> str:
    """``0.31 ± 0.04`` or ``1.2e-07 ± 3e-08``; the mean alone when the error is NaN or 0.

    The mean has as many decimals as the error's first digit, and at most three digits.
    """
    if math.isnan(error) or error == 0 or not math.isfinite(mean) or abs(mean) > RUNAWAY:
        return number(mean)
    if 1e-3 <= abs(mean) < 1e4 and error < 1e4:
        enough = max(2 - math.floor(math.log10(abs(mean))), 0)
        decimals = min(max(-math.floor(math.log10(error)), 0), enough)
        return f"{mean:.{decimals}f} ± {error:.{decimals}f}"
    return f"{mean:.1e} ± {error:.0e}"


def count(value: object) -> str:
    """``1,000``, and from ten million on ``12.3 M``."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    x = float(value)  # type: ignore[arg-type]
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(x) >= unit and abs(x) >= 1e7:
            return f"{x / unit:.3g} {name}"
    return f"{round(x):,}"


def setting(value: object) -> str:
    """A setting's value as a user would type it: ``0.5``, ``true``, ``0.6, 0.3, 0.1``."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return MISSING if math.isnan(value) else f"{float(value):.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {setting(item)}" for key, item in value.items()) or MISSING
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes):
        items = list(value)
        shown = ", ".join(setting(item) for item in items[:12])
        return (f"{shown}, … ({len(items)} values)" if len(items) > 12 else shown) or MISSING
    return str(value)


def flat_settings(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """``(name, value)`` with nested names joined by dots; empty ones are left out."""
    pairs: list[tuple[str, str]] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            pairs += flat_settings(value, f"{prefix}{key}.")
        elif value is not None and not (isinstance(value, Sequence) and len(value) == 0):
            pairs.append((f"{prefix}{key}", setting(value)))
    return pairs


def shortened(text: str, length: int) -> str:
    """The text on one line, cut with an ellipsis beyond ``length`` characters.

    Control characters, which no XML may hold, become the replacement character.
    """
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def listed(names: Sequence[str], limit: int = 8) -> str:
    """``a, b and c``; beyond the limit ``a, b, ... and 7 more``."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
