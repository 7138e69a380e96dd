"""CSV text: a square matrix with or without labels, or a long table with one line per pair."""

import csv
import io
import math
from collections.abc import Sequence

import numpy as np

from mnpo.errors import InvalidGame, suggest
from simulators.games.files.raw import LARGEST, RawMatrix, check_labels, check_size, kind_of_word
from simulators.games.game import Array
from simulators.games.matrices import duplicates, labels

_MISSING = {"", "nan", "na", "n/a", "null", "none", "-"}


def parse_csv(
    text: str, name: str, mode: str | None = None, delimiter: str | None = None
) -> RawMatrix:
    """Read a table; unless told, commas, or tabs or semicolons when the first line has no comma.

    Three layouts: labels in the first row and column; labels in the first row only; bare numbers.
    A header with ``X_1_wins`` and ``X_2_wins`` is a long table of pairs (``_pairs``).

    Raises:
        InvalidGame: naming the line and column at fault.
    """
    rows = _rows(text, name, delimiter)
    header = [cell.strip() for cell in rows[0][1]]
    if any(cell.lower().endswith("_1_wins") for cell in header):
        return _pairs(rows, name, mode)
    if mode is not None:
        raise InvalidGame(
            f"{name}: mode={mode} picks rows of a table of pairs; this file is a square matrix"
        )
    return _square(rows, name)


def _rows(text: str, name: str, delimiter: str | None) -> list[tuple[int, list[str]]]:
    """Lines that hold anything, with their numbers."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = delimiter or next((mark for mark in ",\t;" if mark in first), ",")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row))
                check_size(name, len(rows) - 1)
    except csv.Error as error:
        raise InvalidGame(f"{name}, line {reader.line_num}: {error}") from None
    return rows


def _square(rows: list[tuple[int, list[str]]], name: str) -> RawMatrix:
    top = [cell.strip() for cell in rows[0][1]]
    side = [row[0].strip() for _, row in rows]
    corner, kind = top[0], None
    if _labelled(top, side):
        kind = kind_of_word(corner)
        body = [(line, row[1:]) for line, row in rows[1:]]
        _check_widths(rows, len(top), name)
        actions = check_labels(name, side[1:], top[1:])
    elif not any(_is_number(cell) for cell in top):
        body = rows[1:]
        _check_widths(rows, len(top), name)
        if len(body) != len(top):
            raise _not_square(name, len(body), len(top))
        actions = check_labels(name, top, top)
    else:
        body = rows
        _check_widths(rows, len(top), name)
        if len(body) != len(top):
            raise _not_square(name, len(body), len(top))
        actions = labels(len(top))
    if len(actions) < 2:
        raise InvalidGame(f"{name}: {len(actions)} action; a game takes two at least")
    check_size(name, len(actions))
    values = np.array(
        [
            [_number(cell, name, line, actions[j]) for j, cell in enumerate(row)]
            for line, row in body
        ]
    )
    return RawMatrix(name, values, actions, kind)


def _labelled(top: Sequence[str], side: Sequence[str]) -> bool:
    """Is the first column made of labels?

    Words in it say so, and so does a word in the corner of a square table. A blank first cell is
    an empty corner or a blank diagonal: a corner when the rest of the first row and column agree
    and could be labels, numbers none of which occurs twice.
    """
    if not all(_is_number(cell) for cell in side[1:]):
        return True
    if top[0] == "":
        return len(top) > 2 and list(top[1:]) == list(side[1:]) and not duplicates(top[1:])
    return not _is_number(top[0]) and len(side) == len(top)


def _pairs(rows: list[tuple[int, list[str]]], name: str, mode: str | None) -> RawMatrix:
    """A long table: ``X_1, X_2, X_1_wins, X_2_wins`` and, if there, ``ties`` and ``mode``.

    A tie is half a win for each side. Lines of the same pair are added up.
    """
    header = [cell.strip().lower() for cell in rows[0][1]]
    stem = next(cell for cell in header if cell.endswith("_1_wins")).removesuffix("_1_wins")
    needed = [f"{stem}_1", f"{stem}_2", f"{stem}_1_wins", f"{stem}_2_wins"]
    for column in needed:
        if column not in header:
            raise InvalidGame(
                f"{name}: a table of pairs needs the columns {', '.join(needed)}; "
                f"'{column}' is not there"
            )
    unknown = [column for column in header if column not in (*needed, "ties", "mode")]
    if unknown:
        raise InvalidGame(
            f"{name}: unknown column '{unknown[0]}'{suggest(unknown[0], [*needed, 'ties', 'mode'])}"
        )
    _check_widths(rows, len(header), name)
    lines = [
        (line, dict(zip(header, (cell.strip() for cell in row), strict=True)))
        for line, row in rows[1:]
    ]
    lines = _of_mode(lines, name, mode)
    order: dict[str, int] = {}
    for _, cells in lines:
        for column in needed[:2]:
            order.setdefault(cells[column], len(order))
    actions = check_labels(name, tuple(order), tuple(order))
    if len(actions) < 2:
        raise InvalidGame(f"{name}: no pair of actions to compare")
    check_size(name, len(actions))
    wins: Array = np.zeros((len(actions), len(actions)))
    for line, cells in lines:
        i, j = order[cells[needed[0]]], order[cells[needed[1]]]
        if i == j:
            raise InvalidGame(f"{name}, line {line}: '{actions[i]}' is compared with itself")
        ties = _count(cells, "ties", name, line) if "ties" in cells else 0.0
        wins[i, j] += _count(cells, needed[2], name, line) + ties / 2
        wins[j, i] += _count(cells, needed[3], name, line) + ties / 2
    return RawMatrix(name, wins, actions, "counts")


def _of_mode(
    lines: list[tuple[int, dict[str, str]]], name: str, mode: str | None
) -> list[tuple[int, dict[str, str]]]:
    known = list(dict.fromkeys(cells.get("mode", "") for _, cells in lines))
    if mode is None:
        if len(known) > 1:
            raise InvalidGame(
                f"{name}: column 'mode' has {len(known)} values; choose one with "
                f"mode={known[0]} (or {', '.join(known[1:4])})"
            )
        return lines
    if mode not in known:
        if known in ([], [""]):
            raise InvalidGame(f"{name}: mode={mode} given, but the table has no column 'mode'")
        raise InvalidGame(f"{name}: no line has mode '{mode}'{suggest(mode, known)}")
    return [(line, cells) for line, cells in lines if cells["mode"] == mode]


def _count(cells: dict[str, str], column: str, name: str, line: int) -> float:
    value = _number(cells[column], name, line, column)
    if math.isnan(value) or value < 0:
        raise InvalidGame(
            f"{name}, line {line}, column '{column}': '{cells[column]}' is not a count "
            "(a number of at least 0)"
        )
    return value


def _check_widths(rows: list[tuple[int, list[str]]], width: int, name: str) -> None:
    for line, row in rows:
        if len(row) != width:
            raise InvalidGame(
                f"{name}, line {line}: {len(row)} cells, but the first line has {width}"
            )


def _number(cell: str, name: str, line: int, column: str) -> float:
    text = cell.strip()
    if text.lower() in _MISSING:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if abs(value) > LARGEST:
        raise InvalidGame(
            f"{name}, line {line}, column '{column}': '{text[:40]}' is not a finite number"
        )
    return value


def _is_number(cell: str) -> bool:
    text = cell.strip()
    if text.lower() in _MISSING:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _not_square(name: str, rows: int, columns: int) -> InvalidGame:
    return InvalidGame(
        f"{name}: {rows} rows of {columns} numbers; a game matrix is square, rows beating columns"
    )
