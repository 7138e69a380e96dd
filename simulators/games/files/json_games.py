"""JSON text: a bare matrix, an object with a matrix, a table of tables, or a type chart."""

import json
import math
from collections.abc import Sequence

import numpy as np

from mnpo.errors import InvalidGame
from simulators.games.files.raw import (
    KINDS,
    LARGEST,
    RawMatrix,
    check_labels,
    check_size,
    kind_of_word,
)
from simulators.games.game import Array
from simulators.games.matrices import labels

_LABELS = ("actions", "labels", "names", "models", "players")
_CHART = {"strengths": 2.0, "weaknesses": 0.5, "immunes": 0.0}
"""Lists of a type chart and the multiplier of an attack on the types they name; 1 otherwise."""


def parse_json(text: str, name: str) -> RawMatrix:
    """Read a game from JSON.

    * ``[[...], ...]``: a bare matrix; one more level of lists: one matrix per context;
    * ``{"actions": [...], "preferences": [[...]]}``: the key says what the numbers are
      (``preferences``, ``payoffs``, ``wins``, ...); ``counts`` beside it are the comparisons behind
      each cell and ``features`` (C, d) the contexts' features; other keys are left alone;
    * ``{"a": {"b": 0.7, ...}, ...}``: a table of tables, rows beating columns;
    * ``[{"name": ..., "strengths": [...], "weaknesses": [...], "immunes": [...]}, ...]``: a type
      chart: an attack counts x2, x0.5, x0 or else x1.

    ``null`` is a missing cell.

    Raises:
        InvalidGame: naming the line and column, or the key, at fault.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidGame(
            f"{name}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})"
        ) from None
    except ValueError as error:  # a number of thousands of digits
        raise InvalidGame(f"{name}: not JSON ({error})") from None
    except RecursionError:
        raise InvalidGame(f"{name}: nested too deeply to be a matrix") from None
    if isinstance(data, list) and data and all(isinstance(item, dict) for item in data):
        return _chart(data, name)
    if isinstance(data, list):
        values = _matrix(data, name, "the matrix")
        return RawMatrix(name, values, labels(values.shape[-1]))
    if isinstance(data, dict) and data and all(isinstance(v, dict) for v in data.values()):
        return _tables(data, name)
    if isinstance(data, dict):
        return _object(data, name)
    raise InvalidGame(f"{name}: holds no matrix; a game is a list of rows or an object with one")


def _object(data: dict[str, object], name: str) -> RawMatrix:
    kinds = {key: kind_of_word(key) for key in data if isinstance(data[key], list)}
    found = [key for key, kind in kinds.items() if kind in KINDS]
    beside = [key for key, kind in kinds.items() if kind == "comparisons"]
    if len(found) != 1 or len(beside) > 1:
        several = found if len(found) > 1 else beside if len(beside) > 1 else []
        what = f"keys {' and '.join(several)} both hold one" if several else "no key holds one"
        raise InvalidGame(
            f"{name}: needs one matrix, but {what}; call it preferences, payoffs, wins or "
            "multipliers"
        )
    values = _matrix(data[found[0]], name, f"'{found[0]}'")
    size = values.shape[-1]
    comparisons = None
    if beside:
        comparisons = _matrix(data[beside[0]], name, f"'{beside[0]}'")
        if comparisons.shape != values.shape:
            raise InvalidGame(
                f"{name}: '{beside[0]}' has shape {comparisons.shape} and '{found[0]}' "
                f"{values.shape}; they must agree"
            )
    features = None
    if "features" in data:
        features = _rectangle(data["features"], name, "'features'")
        if features.ndim != 2 or values.ndim != 3 or len(features) != len(values):
            raise InvalidGame(f"{name}: 'features' must have one list of numbers per context")
        if not np.isfinite(features).all():
            raise InvalidGame(f"{name}: 'features' has a missing number")
    actions = _names(data, size, name)
    return RawMatrix(name, values, actions, kinds[found[0]], comparisons, features)


def _names(data: dict[str, object], size: int, name: str) -> tuple[str, ...]:
    key = next((key for key in _LABELS if key in data), None)
    if key is None:
        return labels(size)
    names = data[key]
    if not isinstance(names, list) or not all(isinstance(item, str | int) for item in names):
        raise InvalidGame(f"{name}: '{key}' must be a list of names, one per action")
    if len(names) != size:
        raise InvalidGame(f"{name}: '{key}' has {len(names)} names for {size} actions")
    texts = [str(item).strip() for item in names]
    return check_labels(name, texts, texts)


def _tables(data: dict[str, dict[str, object]], name: str) -> RawMatrix:
    rows = list(data)
    check_size(name, len(rows))
    columns = {column for cells in data.values() for column in cells}
    odd = sorted(columns - set(rows))
    if odd:
        raise InvalidGame(
            f"{name}: '{odd[0]}' is among the columns but not among the rows; "
            "rows and columns must list the same actions"
        )
    actions = check_labels(name, rows, rows)
    grid = [[data[row].get(column) for column in rows] for row in rows]
    unwritten = np.array([[column not in data[row] for column in rows] for row in rows])
    return RawMatrix(name, _matrix(grid, name, "the table"), actions, unwritten=unwritten)


def _chart(data: list[dict[str, object]], name: str) -> RawMatrix:
    for i, entry in enumerate(data):
        if not isinstance(entry.get("name"), str) or not any(key in entry for key in _CHART):
            raise InvalidGame(
                f"{name}: item {i} is no type of a chart; each needs a name and "
                f"{', '.join(_CHART)} lists (a matrix is a list of rows)"
            )
    names = [str(entry["name"]).strip() for entry in data]
    actions = check_labels(name, names, names)
    check_size(name, len(actions))
    place = {action: i for i, action in enumerate(actions)}
    values: Array = np.ones((len(actions), len(actions)))
    for i, entry in enumerate(data):
        seen: set[str] = set()
        for key, multiplier in _CHART.items():
            targets = entry.get(key, [])
            if not isinstance(targets, list):
                raise InvalidGame(f"{name}: '{actions[i]}': {key} must be a list of names")
            for target in targets:
                if not isinstance(target, str) or target not in place:
                    raise InvalidGame(
                        f"{name}: '{actions[i]}': {key} names {json.dumps(target)[:40]}, "
                        "which is no type of the chart"
                    )
                if target in seen:
                    raise InvalidGame(f"{name}: '{actions[i]}' names '{target}' twice")
                seen.add(target)
                values[i, place[target]] = multiplier
    return RawMatrix(name, values, actions, "multipliers")


def _matrix(data: object, name: str, what: str) -> Array:
    values = _rectangle(data, name, what)
    if values.ndim not in (2, 3) or values.shape[-1] != values.shape[-2] or values.shape[-1] < 2:
        raise InvalidGame(
            f"{name}: {what} has shape {values.shape}; a game is (K, K), or (C, K, K) with one "
            "matrix per context, K at least 2"
        )
    check_size(name, values.shape[-1])
    return values


def _rectangle(data: object, name: str, what: str) -> Array:
    """Nested lists as an array, null as NaN; every row of a level as long as the others."""
    shape: list[int] = []
    level = data
    while isinstance(level, list):
        shape.append(len(level))
        if not level or len(shape) > 3:
            raise InvalidGame(f"{name}: {what} is not a matrix")
        level = level[0]
    numbers: list[float] = []
    _collect(data, shape, (), numbers, f"{name}: {what}")
    return np.array(numbers).reshape(shape)


def _collect(
    data: object, shape: Sequence[int], cell: tuple[int, ...], numbers: list[float], where: str
) -> None:
    if len(cell) < len(shape):
        if not isinstance(data, list) or len(data) != shape[len(cell)]:
            have = f"{len(data)} items" if isinstance(data, list) else "no list"
            raise InvalidGame(
                f"{where}{_at(cell)} has {have}, expected {shape[len(cell)]}; rows differ in length"
            )
        for i, item in enumerate(data):
            _collect(item, shape, (*cell, i), numbers, where)
    elif data is None:
        numbers.append(math.nan)
    elif isinstance(data, bool) or not isinstance(data, int | float):
        raise InvalidGame(f"{where}{_at(cell)} is {json.dumps(data)[:40]}, not a number")
    elif abs(data) > LARGEST:
        raise InvalidGame(f"{where}{_at(cell)} is not a finite number")
    else:
        numbers.append(float(data))  # NaN, which JSON proper does not have, stays missing


def _at(cell: Sequence[int]) -> str:
    return f", item [{']['.join(map(str, cell))}]" if cell else ""
