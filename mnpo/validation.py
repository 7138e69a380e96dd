"""Checking configurations with pydantic, its complaints in this project's words.

A leaf module: it imports nothing of ours but the errors.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from mnpo.errors import InvalidSetting, suggest


class Settings(BaseModel):
    """Base of every configuration: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def check(
    model: type[Model],
    values: Mapping[str, Any],
    called: Callable[[str], str] = "the configuration: {}".format,
) -> Model:
    """A checked configuration.

    Args:
        model: the pydantic model.
        values: nested keys and values.
        called: how a message calls a key, e.g. ``"recipe.yaml: {}".format``.

    Raises:
        InvalidSetting: one line naming the first key that is unknown or wrong; an unknown key
            comes with the nearest known one.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise InvalidSetting(_message(model, error, called)) from None


def why(error: Mapping[str, Any]) -> str:
    """A pydantic complaint in this project's words, to follow the name of the setting."""
    message = str(error["msg"]).split(", unable to parse")[0]
    for theirs, ours in {
        "Input should be": "must be",
        "greater than or equal to": "at least",
        "less than or equal to": "at most",
        "a valid tuple": "a list",
        "a valid dictionary or instance of": "a mapping, as",
        "a valid dictionary": "a mapping",
        "a valid integer": "a whole number",
        "Unable to parse input string as an integer, exceeded maximum size": "is too large",
        "a valid boolean": "true or false",
        "a valid string": "a text",
        "Field required": "is missing",
        "valid ": "",
    }.items():
        message = message.replace(theirs, ours)
    return message


def _message(model: type[BaseModel], error: ValidationError, called: Callable[[str], str]) -> str:
    first = error.errors()[0]
    parts = [part for part in first["loc"] if not isinstance(part, int)]
    path = ".".join(str(part) for part in parts)
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, [str(part) for part in parts[:-1]])
        unknown = f"unknown key '{path}'"
        return f"{called(unknown)}{suggest(str(parts[-1]), known)}"
    if first["type"] == "value_error":
        reason = str(first["ctx"]["error"])
        return f"{called(path)}: {reason}" if path else called(reason)
    if first["type"] == "missing":
        return f"{called(path)} is missing"
    return f"{called(path)} {why(first)}, got {first['input']!r}"


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """Names of the fields of the nested model at ``path``; tags of unions are passed over."""
    models = [model]
    for name in path:
        inner = [
            found
            for item in models
            if name in item.model_fields
            for found in _models_in(item.model_fields[name].annotation)
        ]
        models = inner or models
    return sorted({field for item in models for field in item.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
