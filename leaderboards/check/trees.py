"""Two boards compared value by value."""

from collections.abc import Iterator, Mapping
from typing import Any

from leaderboards.board import Board
from leaderboards.check.numbers import same, scale_of, shown
from leaderboards.render.encoding import encode
from mnpo.printable import printable
from mnpo.printable import shown as text

#: Parts that say how the board was made, not what it says: they may differ between two makings.
_FREE = frozenset({"command", "options", "notes"})
#: Fields by which parts of a list are told apart.
_NAMES = ("key", "name", "title", "label", "what")
#: Of an interval, whose parts were computed from numbers of their size.
_ENDS = frozenset({"value", "low", "high"})


def board_differences(board: Board, anew: Board) -> Iterator[str]:
    """One line for each value that differs: where, the board's and the new one.

    Args:
        board: as it was written.
        anew: as the files give it now.
    """
    here, there = encode(board), encode(anew)
    for key in here:
        if key not in _FREE:
            yield from _values(here[key], there[key], (key,), exactly=False)
    for note in anew.notes:
        if note not in board.notes:
            yield f"notes: {text(note, 120)} is not on the board"


def _values(
    here: Any, there: Any, path: tuple[str, ...], *, exactly: bool, scale: float = 0.0
) -> Iterator[str]:
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        yield from _mappings(here, there, path, exactly=exactly or _is_copy(here))
    elif isinstance(here, list) and isinstance(there, list):
        yield from _lists(here, there, path, exactly=exactly)
    elif not _equal(here, there, exactly=exactly, scale=scale):
        yield f"{_where(path)}: {_said(here)} on the board, {_said(there)} in the files"


def _mappings(
    here: Mapping[str, Any], there: Mapping[str, Any], path: tuple[str, ...], *, exactly: bool
) -> Iterator[str]:
    scale = _scale(here, there)
    for key in dict.fromkeys([*here, *there]):
        own = (*path, str(key))
        if key not in there:
            yield f"{_where(own)}: on the board, and not in the files"
        elif key not in here:
            yield f"{_where(own)}: in the files, and not on the board"
        else:
            yield from _values(here[key], there[key], own, exactly=exactly, scale=scale)


def _lists(
    here: list[Any], there: list[Any], path: tuple[str, ...], *, exactly: bool
) -> Iterator[str]:
    first, second = _names(here), _names(there)
    if first is not None and second is not None:
        known = dict(zip(second, there, strict=True))
        for name, own in zip(first, here, strict=True):
            if name not in known:
                yield f"{_where((*path, name))}: on the board, and not in the files"
            else:
                yield from _values(own, known[name], (*path, name), exactly=exactly)
        for name in second:
            if name not in first:
                yield f"{_where((*path, name))}: in the files, and not on the board"
        if first != second and sorted(first) == sorted(second):
            yield f"{_where(path)}: in another order on the board than the files give"
        return
    if len(here) != len(there):
        yield f"{_where(path)}: {len(here)} on the board, {len(there)} in the files"
        return
    for place, (own, other) in enumerate(zip(here, there, strict=True), 1):
        yield from _values(own, other, (*path, str(place)), exactly=exactly)


def _names(values: list[Any]) -> list[str] | None:
    """What the parts of a list are called, where each has a name of its own."""
    for field in _NAMES:
        if values and all(isinstance(own, Mapping) and field in own for own in values):
            names = [str(own[field]) for own in values]
            if len(set(names)) == len(names):
                return names
    return None if values else []


def _is_copy(value: Mapping[str, Any]) -> bool:
    """A figure made of one row of a file: nothing was computed, so nothing may differ."""
    sources = value.get("sources")
    if "interval" not in value or not isinstance(sources, list) or len(sources) != 1:
        return False
    return bool(sources[0].get("row"))


def _scale(here: Mapping[str, Any], there: Mapping[str, Any]) -> float:
    """Of an interval; 0 for everything else."""
    if not set(here) >= _ENDS:
        return 0.0
    return scale_of(own.get(end) for own in (here, there) for end in _ENDS)


def _equal(here: Any, there: Any, *, exactly: bool, scale: float) -> bool:
    if _is_number(here) and _is_number(there):
        return same(here, there, exactly=exactly, scale=scale)
    return bool(here == there) and isinstance(here, bool) == isinstance(there, bool)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _where(path: tuple[str, ...]) -> str:
    return " > ".join(printable(part) for part in path)


def _said(value: Any) -> str:
    if value is None or isinstance(value, int | float):
        return shown(value)
    return text(value, 60)
