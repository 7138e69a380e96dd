"""Settings that are sent on as they are: JSON, and nothing else."""

import math
from collections.abc import Mapping
from typing import Any

#: Levels; deeper ones only a text that refers to itself has.
_DEEPEST = 64


def check_json(value: Any, depth: int = 0) -> None:
    """Refuse what JSON has no form for.

    Raises:
        ValueError: naming it: NaN, an infinite number, a date, a key that is no text.
    """
    if depth > _DEEPEST:
        raise ValueError(f"is nested more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"holds the key {key!r}, which must be a text")
            check_json(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            check_json(inner, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"holds {value}, for which JSON has no form")
    elif not isinstance(value, str | int | None):
        raise ValueError(f"holds a {type(value).__name__}, for which JSON has no form")
