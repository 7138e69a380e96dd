"""Checking configurations with pydantic, its complaints in this project's words.

A leaf module: it imports nothing of ours but the errors.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from mnpo.errors import InvalidSetting, suggest


class Settings(BaseModel):
    """Base of every configuration: immutable; an unknown key or an infinite number is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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


def require_kind(value: Any, kinds: Mapping[str, type[BaseModel]]) -> Any:
    """The value as it came, if its ``kind`` and keys are known; for a union told apart by kind.

    Pydantic would complain of every member of the union; this speaks of the kind that was named.

    Raises:
        ValueError: no kind, an unknown one, or a key that this kind does not know.
    """
    if not isinstance(value, Mapping):
        return value
    if "kind" not in value:
        raise ValueError(f"has no kind{suggest('', kinds)}")
    kind = value["kind"]
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"unknown kind {kind!r}{suggest(str(kind), kinds)}")
    known = kinds[kind].model_fields
    for key in value:
        if key not in known:
            raise ValueError(f"unknown key '{key}' of kind {kind}{suggest(str(key), known)}")
    return value


def why(error: Mapping[str, Any]) -> str:
    """A pydantic complaint in this project's words, to follow the name of the setting."""
    message = re.split(", (?:unable to|got a number)", str(error["msg"]))[0]
    message = re.sub(r"\w+ should have (.*) after validation, not \d+", r"must have \1", message)
    message = re.sub(r"a valid dictionary or instance of \w+", "a mapping", message)
    for theirs, ours in {
        "Input should be": "must be",
        "greater than or equal to": "at least",
        "less than or equal to": "at most",
        "a valid tuple": "a list",
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
    parts = [str(part) for part in first["loc"] if not isinstance(part, int)]
    path = ".".join(_as_written(model, parts))
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, parts[:-1])
        unknown = f"unknown key '{path}'"
        return f"{called(unknown)}{suggest(parts[-1], known)}"
    if first["type"] == "value_error":
        reason = str(first["ctx"]["error"])
        return f"{called(path)}: {reason}" if path else called(reason)
    if first["type"] == "missing":
        return f"{called(path)} is missing"
    if first["type"] == "invalid_key":
        key = f"the key {first['input']!r}"
        return f"{called(f'{path}: {key}' if path else key)} must be a text"
    return f"{called(path)} {why(first)}, got {_shown(first['input'])}"


def _shown(value: Any, width: int = 100) -> str:
    """A value in a message of one readable line."""
    text = repr(value)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _as_written(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys as the user wrote them: pydantic adds which member of a union it looked at."""
    written: list[str] = []
    models, tag = [model], False
    for name in path:
        if tag:
            tag = False
            continue
        written.append(name)
        fields = [item.model_fields[name] for item in models if name in item.model_fields]
        inner = [_models_in(field.annotation) for field in fields]
        models = [found for members in inner for found in members]
        tag = any(len(members) > 1 for members in inner)
    return written


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
