"""Reading values as the command line has them."""

import math
from typing import Any

import numpy as np

from mnpo.errors import InvalidSetting
from mnpo.runs.reading import load_yaml as load_yaml
from mnpo.runs.reading import read_assignments as read_assignments
from mnpo.runs.reading import read_value as read_value

#: Values that an axis holds at most; more is a slip of the fingers.
MAX_VALUES = 100_000


def read_axis(text: str, where: str) -> tuple[Any, ...]:
    """A sweep axis: ``LOW:HIGH:log:COUNT``, ``LOW:HIGH:lin:COUNT``, ``LOW:HIGH`` or ``a,b,c``.

    ``LOW:HIGH`` counts whole numbers; both ends are included.

    Raises:
        InvalidSetting: anything else.
    """
    parts = text.split(":")
    if len(parts) == 1:
        if text.startswith("["):
            return tuple(read_value(text, where))
        return tuple(read_value(part, where) for part in text.split(",") if part.strip())
    how = (
        f"{where}: cannot read '{text}'; write LOW:HIGH:log:COUNT, LOW:HIGH:lin:COUNT, "
        "LOW:HIGH for whole numbers, or a,b,c"
    )
    try:
        low, high = float(parts[0]), float(parts[1])
        kind, count = (parts[2], int(parts[3])) if len(parts) > 2 else ("", 1)
    except (ValueError, IndexError):
        raise InvalidSetting(how) from None
    if not (math.isfinite(low) and math.isfinite(high)) or len(parts) > 4:
        raise InvalidSetting(how)
    if len(parts) == 2:
        if not (low.is_integer() and high.is_integer()) or high < low:
            raise InvalidSetting(how)
        count = int(high) - int(low) + 1
    elif kind not in ("log", "lin") or count < 1:
        raise InvalidSetting(how)
    if count > MAX_VALUES:
        raise InvalidSetting(f"{where}: '{text}' has more than {MAX_VALUES} values")
    if kind == "log":
        if low <= 0 or high <= 0:
            raise InvalidSetting(f"{where}: a logarithmic axis needs ends above 0, got '{text}'")
        return tuple(np.geomspace(low, high, count).tolist())
    if kind == "lin":
        return tuple(np.linspace(low, high, count).tolist())
    return tuple(range(int(low), int(high) + 1))


def read_policy(text: str | None, where: str, names: tuple[str, ...]) -> Any:
    """A policy option: one of ``names``, or probabilities ``0.6,0.3,0.1``; None stays None.

    Raises:
        InvalidSetting: neither.
    """
    if text is None or text in names:
        return text
    try:
        return tuple(float(read_value(part, where)) for part in text.split(","))
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"{where}: give {', '.join(names)}, or one probability for each action such as "
            f"0.6,0.3,0.1; got '{text}'"
        ) from None
