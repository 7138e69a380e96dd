"""Values of a board as JSON-ready ones, and back, by the types that their dataclasses declare."""

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from mnpo.errors import UserError, suggest
from mnpo.printable import shown

Value = TypeVar("Value")
#: How an infinite number is written: JSON has none.
_INFINITE = "$float"


def encode(value: Any) -> Any:
    """JSON-ready: dataclasses as mappings of all their fields, arrays as nested lists.

    NaN becomes null, which stands for "no number" everywhere on a board; an infinite number
    becomes ``{"$float": "inf"}``.
    """
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return None if math.isnan(value) else {_INFINITE: "inf" if value > 0 else "-inf"}
    if isinstance(value, np.ndarray | np.generic):
        return encode(value.tolist())
    if is_dataclass(value):
        return _of_fields(value)
    if isinstance(value, Mapping):
        return {str(key): encode(own) for key, own in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [encode(own) for own in value]
    return str(value)


def _of_fields(value: Any) -> dict[str, Any]:
    """A whole number where a float is declared becomes one, as it would by reading it back."""
    kind: Any = type(value)
    found = {}
    for name, is_float in _fields(kind):
        own = getattr(value, name)
        found[name] = encode(float(own) if is_float and isinstance(own, int) else own)
    return found


@cache
def _fields(kind: Any) -> tuple[tuple[str, bool], ...]:
    """Names of the fields, and whether each holds a float, or none."""
    hints = get_type_hints(kind)
    return tuple((own.name, hints[own.name] in (float, float | None)) for own in fields(kind))


def decode(kind: type[Value], value: Any, where: str) -> Value:
    """The value that `encode` made this of.

    Args:
        kind: a dataclass.
        value: as JSON gives it.
        where: of the value, for messages.

    Raises:
        UserError: a field that is missing, unknown or of another kind; the message says where.
    """
    own: Any = kind
    found: Value = _reader(own)(value, where)
    return found


def decode_as(kind: Any, value: Any, where: str) -> Any:
    """As `decode`, for a type that a dataclass declares for one of its fields.

    Raises:
        UserError: as there.
    """
    return _reader(kind)(value, where)


@cache
def _reader(kind: Any) -> Callable[[Any, str], Any]:
    """What reads values of this type."""
    if kind is Any:
        return _anything
    if is_dataclass(kind):
        return _of_dataclass(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _of_choice(inner)
    if origin in (Union, types.UnionType):
        return _of_union(inner)
    if origin is tuple:
        return _of_tuple(inner)
    if origin is np.ndarray:
        return _array
    return _of_mapping(inner[1])


def _of_dataclass(kind: Any) -> Callable[[Any, str], Any]:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    readers = {name: _reader(hints[name]) for name in names}

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _other(value, where, "keys and values")
        for name in value:
            if name not in readers:
                raise UserError(f"{where}: unknown key {shown(name)}{suggest(name, names)}")
        for name in names:
            if name not in value:
                raise UserError(f"{where}: has no {name}")
        return kind(**{name: readers[name](value[name], f"{where}.{name}") for name in names})

    return read


def _of_choice(choices: Sequence[Any]) -> Callable[[Any, str], Any]:
    def read(value: Any, where: str) -> Any:
        if value not in choices:
            raise _other(value, where, "one of " + ", ".join(map(str, choices)))
        return value

    return read


def _of_union(kinds: Sequence[Any]) -> Callable[[Any, str], Any]:
    """Of None and one kind, or of a table's cells."""
    plain = [kind for kind in kinds if kind is not types.NoneType]
    read_one = _reader(plain[0]) if len(plain) == 1 else _cell

    def read(value: Any, where: str) -> Any:
        return None if value is None else read_one(value, where)

    return read


def _of_tuple(inner: Sequence[Any]) -> Callable[[Any, str], Any]:
    """Of any length where the type ends with an ellipsis, else of just these."""
    readers = [_reader(kind) for kind in inner if kind is not Ellipsis]
    endless = Ellipsis in inner

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise _other(value, where, "a list")
        own = readers * len(value) if endless else readers
        if len(own) != len(value):
            raise _other(value, where, f"a list of {len(own)}")
        return tuple(
            one(part, f"{where}[{place}]")
            for place, (one, part) in enumerate(zip(own, value, strict=True))
        )

    return read


def _of_mapping(inner: Any) -> Callable[[Any, str], Any]:
    read_one = _reader(inner)

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _other(value, where, "keys and values")
        return {key: read_one(part, f"{where}[{shown(key)}]") for key, part in value.items()}

    return read


def _float(value: Any, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, dict) and _is_infinite(value):
        return float(value[_INFINITE])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _other(value, where, "a number")
    return float(value)


def _whole(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _other(value, where, "a whole number")
    return value


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _other(value, where, "true or false")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _other(value, where, "a text")
    return value


def _cell(value: Any, where: str) -> str | int | float:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return _float(value, where)


def _array(value: Any, where: str) -> Any:
    def numbers(part: Any, place: str) -> Any:
        if isinstance(part, list):
            return [numbers(own, f"{place}[{i}]") for i, own in enumerate(part)]
        return _float(part, place)

    if not isinstance(value, list):
        raise _other(value, where, "a list of numbers")
    try:
        return np.array(numbers(value, where), dtype=np.float64)
    except ValueError:
        raise UserError(f"{where}: its rows are of different lengths") from None


def _anything(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        if _is_infinite(value):
            return float(value[_INFINITE])
        return {key: _anything(own, where) for key, own in value.items()}
    return [_anything(own, where) for own in value] if isinstance(value, list) else value


def _is_infinite(value: dict[str, Any]) -> bool:
    return len(value) == 1 and value.get(_INFINITE) in ("inf", "-inf")


def _other(value: Any, where: str, expected: str) -> UserError:
    return UserError(f"{where}: expected {expected}, got {shown(value, 40)}")


_PLAIN: dict[Any, Callable[[Any, str], Any]] = {
    str: _text,
    int: _whole,
    float: _float,
    bool: _truth,
}
