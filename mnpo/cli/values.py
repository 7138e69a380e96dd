"""Reading values as the command line has them."""

import contextlib
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import yaml

from mnpo.errors import InvalidSetting

#: Values that an axis holds at most; more is a slip of the fingers.
MAX_VALUES = 100_000


class _Loader(yaml.SafeLoader):
    """YAML whose numbers are numbers: version 1.1 takes 1e-3 for a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def load_yaml(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        yaml.YAMLError: broken YAML.
    """
    return yaml.load(text, Loader=_Loader)


def read_assignments(items: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """``key=value`` texts as a mapping; values are read as YAML (numbers, lists, true, text).

    Raises:
        InvalidSetting: a text without "=", an empty key, a key given twice, or broken YAML.
    """
    result: dict[str, Any] = {}
    for item in items:
        key, separator, text = item.partition("=")
        key = key.strip()
        if not separator or not key:
            raise InvalidSetting(f"{option} takes key=value, got '{item}'")
        if key in result:
            raise InvalidSetting(f"{option} {key} is given twice")
        result[key] = read_value(text, f"{option} {key}")
    return result


def read_value(text: str, where: str) -> Any:
    """One value: YAML, and as papers print them fractions, 1/3, and lists of numbers, 0.6,0.4.

    Raises:
        InvalidSetting: broken YAML.
    """
    numerator, slash, denominator = text.partition("/")
    if slash:
        try:
            return float(numerator) / float(denominator)
        except (ValueError, ZeroDivisionError):
            return text
    if "," in text:
        with contextlib.suppress(ValueError):
            return [float(part) for part in text.split(",")]
    try:
        return load_yaml(text)
    except yaml.YAMLError:
        raise InvalidSetting(f"{where}: cannot read '{text}' as a value") from None


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
