"""What a game family declares about itself: its parameters, their types, bounds and meaning."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mnpo.errors import InvalidSetting, suggest
from simulators.games.game import Game

Kind = Literal["int", "float", "bool", "text", "choice", "floats", "matrix", "game"]
MAX_ACTIONS = 5_000
"""Actions a game may have: a float64 matrix of this size takes 200 MB."""

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
_MEANING = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "text": "a text",
    "floats": "numbers separated by commas",
    "matrix": "rows separated by ';' of numbers separated by ','",
    "game": "a game: NAME or NAME:key=value;key=value",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a game family.

    Attributes:
        name: as in ``make_game(..., name=value)`` and ``--set game.name=value``.
        kind: how a value (often a text from the command line) is read.
        default: value when it is not given. None means "not given" and then is accepted too.
        doc: one line for ``games list``.
        low, high: closed bounds of a number, or of every number of a list.
        choices: the accepted words of a ``choice``.
    """

    name: str
    kind: Kind
    default: object
    doc: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        """The value in this parameter's type: int, float, bool, str or (nested) tuple of floats.

        Raises:
            InvalidSetting: one line with what was expected; the caller says for which game.
        """
        if value is None and self.default is None:
            return None
        if self.default is None and isinstance(value, str) and value.strip().lower() == "none":
            return None
        try:
            result = _READERS[self.kind](value)
        except (TypeError, ValueError, OverflowError):
            raise self._wrong(value) from None
        if self.kind == "choice" and result not in self.choices:
            raise InvalidSetting(
                f"unknown {self.name} {_short(value)}{suggest(str(result), self.choices)}"
            )
        if not all(self.low <= number <= self.high for number in _numbers(result)):
            raise self._wrong(value)
        return result

    def _wrong(self, value: object) -> InvalidSetting:
        return InvalidSetting(f"{self.name} must be {self.meaning()}, not {_short(value)}")

    def meaning(self) -> str:
        """What is accepted, in words, with the bounds."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        bounds = ""
        if math.isfinite(self.low) and math.isfinite(self.high):
            bounds = f" from {self.low:g} to {self.high:g}"
        elif math.isfinite(self.low):
            bounds = f" of at least {self.low:g}"
        elif math.isfinite(self.high):
            bounds = f" of at most {self.high:g}"
        return _MEANING[self.kind] + bounds


@dataclass(frozen=True)
class GameSpec:
    """A game family: what ``mnpo-bench games list`` shows and ``make_game`` builds.

    Attributes:
        name: the name on the command line.
        summary: one line: what game it is.
        source: where the game comes from, or the formula's place in the literature.
        parameters: in the order of the documentation.
        build: called with every parameter by name, already read; returns the game.
    """

    name: str
    summary: str
    source: str
    parameters: tuple[Parameter, ...]
    build: Callable[..., Game]

    def resolve(self, given: Mapping[str, object]) -> dict[str, object]:
        """Every parameter's value: the given ones read and checked, defaults for the rest.

        Raises:
            InvalidSetting: an unknown name (nearest suggested) or an impossible value.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise InvalidSetting(
                    f"game '{self.name}' has no parameter '{name}'{suggest(name, known)}"
                )
        resolved: dict[str, object] = {}
        for name, parameter in known.items():
            try:
                resolved[name] = parameter.read(given[name]) if name in given else parameter.default
            except InvalidSetting as error:
                raise InvalidSetting(f"game '{self.name}': {error}") from None
        return resolved


def actions_parameter(default: int, low: int = 2) -> Parameter:
    """The parameter most families share: the number of actions K."""
    return Parameter("actions", "int", default, "number of actions K", low=low, high=MAX_ACTIONS)


def _int(value: object) -> int:
    if isinstance(value, bool | np.bool_):
        raise TypeError
    if isinstance(value, str):
        return int(value.strip())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return operator.index(value)  # type: ignore[arg-type]  # TypeError is the answer wanted


def _float(value: object) -> float:
    if isinstance(value, bool | np.bool_):
        raise TypeError
    number = float(value)  # type: ignore[arg-type]  # TypeError is the answer wanted
    if not math.isfinite(number):
        raise ValueError
    return number


def _bool(value: object) -> bool:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    word = value.strip().lower() if isinstance(value, str) else None
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError
    return value.strip()


def _floats(value: object) -> tuple[float, ...]:
    items = value.split(",") if isinstance(value, str) else _listed(value)
    numbers = tuple(_float(item) for item in items)
    if not numbers:
        raise ValueError
    return numbers


def _matrix(value: object) -> tuple[tuple[float, ...], ...]:
    items = value.split(";") if isinstance(value, str) else _listed(value)
    if not isinstance(value, str) and np.ndim(value) == 1:  # type: ignore[arg-type]
        items = [value]
    rows = tuple(_floats(item) for item in items)
    if len({len(row) for row in rows}) != 1:
        raise ValueError
    return rows


def _listed(value: object) -> Sequence[object]:
    if isinstance(value, np.ndarray):
        return list(value)
    if isinstance(value, list | tuple):
        return value
    raise TypeError


def _numbers(value: object) -> list[float]:
    if isinstance(value, tuple):
        return [number for item in value for number in _numbers(item)]
    if isinstance(value, bool | str) or value is None:
        return []
    return [float(value)]  # type: ignore[arg-type]  # the readers return nothing else


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


_READERS: dict[str, Callable[[object], object]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "text": _text,
    "choice": _text,
    "floats": _floats,
    "matrix": _matrix,
    "game": _text,
}
