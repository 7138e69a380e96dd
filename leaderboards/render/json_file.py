"""``leaderboard.json``: the board whole, from which every other file of it can be rendered anew."""

import json
import re
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import Any

from leaderboards.board import Board
from leaderboards.render.encoding import decode, encode
from leaderboards.render.wholeness import require_whole
from mnpo.errors import UserError
from mnpo.printable import shown

FORMAT = 1
#: Characters of a line that a list or a mapping is still written on.
_LINE = 100
_WORDS = {None: "null", True: "true", False: "false"}
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def render_json(board: Board) -> str:
    """The board as JSON: a format number and all fields under their own names.

    Numbers are written so that reading gives the same number back, NaN is null, arrays are nested
    lists. What fits on one line stands on one, so that two versions of a board can be compared
    line by line.
    """
    text = _lines({"format": FORMAT, "board": encode(board)}, 0) + "\n"
    return _HALF_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def load_board(path: str | Path) -> Board:
    """The board of a ``leaderboard.json``, or of the folder that holds one.

    Raises:
        UserError: there is none, it is no such file, was damaged, or a newer version wrote it.
    """
    file = Path(path)
    file = file / "leaderboard.json" if file.is_dir() else file
    loaded = _read(file)
    if not isinstance(loaded, dict) or "format" not in loaded or "board" not in loaded:
        raise UserError(f"{file} is no leaderboard: it has no 'format' and 'board'")
    found = loaded["format"]
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise UserError(f"{file} is no leaderboard: its format is {shown(found, 40)}")
    if found > FORMAT:
        raise UserError(
            f"{file} was written in format {found}, this version reads {FORMAT}: a newer version "
            "wrote it; update mnpo-bench, or make the board anew with this one"
        )
    board = decode(Board, loaded["board"], f"{file}: board")
    require_whole(board, f"{file}: board")
    return board


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no leaderboard: byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise UserError(f"{file} is no leaderboard: it is nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{file} is damaged: it is no JSON ({error}); make it anew") from None


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _lines(value: Any, depth: int) -> str:
    """On one line where there is room, else one line a part."""
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int | float):
        return repr(value)  # finite: `encode` leaves no other
    if isinstance(value, dict):
        parts = [f"{_quoted(key)}: {_lines(own, depth + 1)}" for key, own in value.items()]
        start, end = "{}"
    else:
        parts = [_lines(own, depth + 1) for own in value]
        start, end = "[]"
    length = sum(map(len, parts)) + 2 * max(len(parts), 1)
    if length + depth <= _LINE and not any("\n" in part for part in parts):
        return f"{start}{', '.join(parts)}{end}"
    inner = " " * (depth + 1)
    return f"{start}\n{inner}" + f",\n{inner}".join(parts) + f"\n{' ' * depth}{end}"
