"""Whether a parameter's value is of the kind its field is annotated with.

Values come from command lines and files as well as from Python: a text where a number belongs is
a user's slip, to be named as one, and not a `TypeError` from deep inside.
"""

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np

_WORDS = {float: "a number", int: "a whole number", bool: "true or false", NoneType: "none"}


def is_of_kind(value: Any, kind: Any) -> bool:
    """Whether ``value`` fits the annotation ``kind`` of an algorithm's field.

    Whole numbers are numbers, true and false are not; a list or a vector stands for a tuple. The
    choices of a ``Literal`` are left to the field's own check, which knows what to say.
    """
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(is_of_kind(value, part) for part in get_args(kind))
    if origin is Literal:
        return True
    if origin is tuple:
        item = get_args(kind)[0]
        if isinstance(value, np.ndarray) and value.ndim == 1:
            value = value.tolist()
        return isinstance(value, tuple | list) and all(is_of_kind(v, item) for v in value)
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.number)
    if kind is bool or isinstance(value, bool | np.bool_):
        return kind is bool and isinstance(value, bool | np.bool_)
    if kind is float:
        return isinstance(value, int | float | np.integer | np.floating)
    if kind is int:
        return isinstance(value, int | np.integer)
    return isinstance(value, kind)


def describe_kind(kind: Any) -> str:
    """What `is_of_kind` asks for, in words: "a number", "a list of numbers or none"."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        # An array of numbers is what a sweep gives, not what a user would write.
        parts = [part for part in get_args(kind) if get_origin(part) is not np.ndarray]
        return " or ".join(describe_kind(part) for part in parts)
    if origin is tuple:
        return "a list of numbers"
    return _WORDS.get(kind, str(kind))
