"""One game of a family from a seed: its drawn parameters and its reference policy.

A parameter is a plain value, or a mapping that says how it is drawn:

* ``{uniform: [LOW, HIGH]}``: a number; with ``count`` a list of them, with ``rows`` too a matrix;
* ``{choice: [A, B, ...]}``: one of them;
* ``{integer: N}``: a whole number below N;
* ``{simplex: N, floor: F}``: shares, (1 - F) times a uniform draw from the simplex plus F/N each;
* ``{text: "base:a={a}", a: ...}``: a text with drawn values in it.

All draws of a game come from one stream of `simulators.games.matrices.uniform`, which is the same
for every numpy release. Its seed is a hash of family and seed, so that families are independent.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import InvalidSetting
from simulators.games import Game, make_game
from simulators.games.matrices import uniform
from simulators.suite.settings import Family

Array = NDArray[np.float64]

#: Numbers a game may draw; a stream is this long whatever is taken of it.
_LENGTH = 4096


@dataclass(frozen=True, eq=False)
class DrawnGame:
    """A game of a family.

    Attributes:
        seed: it was drawn with.
        game: the game.
        reference: (C, K) reference policies, one for each context.
    """

    seed: int
    game: Game
    reference: Array


def draw_game(name: str, family: Family, seed: int, floor: float) -> DrawnGame:
    """The game of a seed.

    Args:
        name: of the family.
        family: what it is made of.
        seed: which of its games.
        floor: share of the uniform policy in the reference.

    Raises:
        InvalidSetting: a draw that nobody knows, or parameters that the game refuses.
    """
    stream = _stream(name, seed)
    where = f"family {name}"
    parameters = {
        key: _draw(value, stream, f"{where}: {key}") for key, value in family.parameters.items()
    }
    game = make_game(family.game, **parameters)
    policies = [_simplex(stream, game.size, floor) for _ in range(game.contexts)]
    return DrawnGame(seed, game, np.stack(policies))


def _stream(name: str, seed: int) -> Iterator[float]:
    hashed = hashlib.sha256(f"{name}/{seed}".encode()).digest()
    return iter(uniform(int.from_bytes(hashed[:8], "big"), (_LENGTH,)).tolist())


def _draw(value: Any, stream: Iterator[float], where: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    keys = set(value)
    if "text" in keys:
        parts = {key: _draw(v, stream, where) for key, v in value.items() if key != "text"}
        return str(value["text"]).format(**parts)
    try:
        if "uniform" in keys and keys <= {"uniform", "count", "rows"}:
            low, high = (float(end) for end in value["uniform"])
            return _numbers(low, high, value.get("count"), value.get("rows"), stream)
        if keys == {"choice"}:
            options = list(value["choice"])
            return options[int(next(stream) * len(options))]
        if keys == {"integer"}:
            return int(next(stream) * int(value["integer"]))
        if "simplex" in keys and keys <= {"simplex", "floor"}:
            share = float(value.get("floor", 0.0))
            return tuple(_simplex(stream, int(value["simplex"]), share).tolist())
    except (TypeError, ValueError, IndexError, StopIteration):
        pass
    raise InvalidSetting(
        f"{where}: cannot draw {dict(value)!r}; give uniform: [LOW, HIGH], choice: [A, B], "
        "integer: N, simplex: N, or text: TEMPLATE"
    )


def _numbers(
    low: float, high: float, count: int | None, rows: int | None, stream: Iterator[float]
) -> Any:
    if rows is not None:
        return tuple(_numbers(low, high, count, None, stream) for _ in range(rows))
    if count is not None:
        return tuple(low + (high - low) * next(stream) for _ in range(count))
    return low + (high - low) * next(stream)


def _simplex(stream: Iterator[float], size: int, floor: float) -> Array:
    """Normalised exponentials are uniform on the simplex."""
    weights = -np.log1p(-np.array([next(stream) for _ in range(size)]))
    return np.asarray((1 - floor) * weights / weights.sum() + floor / size)
