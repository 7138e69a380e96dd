"""Settings as a command line or a YAML file has them, in the types that the simulator takes."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, create_model

from mnpo.errors import InvalidSetting
from mnpo.validation import why
from simulators.dynamics.modes import Mode

#: Counts beyond this do not fit the generators that draw them.
MAX_COUNT = 2**31 - 1


def typed_mode(values: Mapping[str, Any]) -> dict[str, Any]:
    """The mode's settings, each in its type.

    Raises:
        InvalidSetting: a value of another type, or one that the mode refuses.
    """
    try:
        checked = _mode_adapter().validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidSetting(f"{first['loc'][0]} {why(first)}, got {first['input']!r}") from None
    typed = {key: getattr(checked, key) for key in values}
    for key, value in typed.items():
        if isinstance(value, int) and value > MAX_COUNT:
            raise InvalidSetting(f"{key} must be at most {MAX_COUNT}, got {value}")
    Mode(**typed)
    return typed


def typed_extras(values: Mapping[str, Any]) -> dict[str, Any]:
    """Policies and rewards that some methods read besides the game, as lists of numbers.

    Texts are read as the reference is: ``0.6,0.3,0.1``, several policies separated by ``;``.

    Raises:
        InvalidSetting: anything that is not a list of numbers (``externals``: of lists).
    """
    return {
        key: None
        if value is None
        else _policies(value)
        if key == "externals"
        else _numbers(value, key)
        for key, value in values.items()
    }


def _policies(value: Any) -> list[list[float]]:
    several = value.split(";") if isinstance(value, str) else value
    if not isinstance(several, list | tuple) or not several:
        raise InvalidSetting(
            f"externals: give one policy or more, such as 0.6,0.3,0.1;0.2,0.2,0.6; got {value!r}"
        )
    if all(isinstance(number, int | float) for number in several):
        several = [several]  # a single policy
    return [_numbers(policy, f"externals[{k}]") for k, policy in enumerate(several)]


def _numbers(value: Any, name: str) -> list[float]:
    parts = value.split(",") if isinstance(value, str) else value
    try:
        if isinstance(parts, Mapping) or not len(parts):
            raise TypeError
        return [float(part) for part in parts]
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"{name}: give one number for each action, such as 0.6,0.3,0.1; got {value!r}"
        ) from None


@cache
def _mode_adapter() -> TypeAdapter[Any]:
    """The types of `Mode`'s fields alone; what values are possible, `Mode` knows itself."""
    typed: dict[str, Any] = {item.name: (item.type, item.default) for item in fields(Mode)}
    finite = ConfigDict(allow_inf_nan=False)
    return TypeAdapter(create_model("ModeTypes", __config__=finite, **typed))
