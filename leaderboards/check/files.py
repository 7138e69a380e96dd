"""Whether a board's other files say what its JSON file says."""

import itertools
from pathlib import Path

from leaderboards.board import Board
from leaderboards.render.write import FORMS, render
from mnpo.errors import UserError
from mnpo.printable import shown, storable


def file_problems(board: Board, folder: Path) -> list[str]:
    """A line for each file that differs from what the board renders to: the first such line.

    Rendering is deterministic, so files are compared byte by byte; the JSON file itself too, for
    what it says twice or in another form would be lost by reading it.

    Args:
        board: as read from the JSON file.
        folder: that holds the files.
    """
    try:
        texts = render(board)
    except UserError as error:
        return [f"{folder}/leaderboard.json cannot be shown: {error}"]
    problems = []
    for form in FORMS:
        file = folder / f"leaderboard.{form}"
        try:
            found = file.read_bytes()
        except OSError as error:
            problems.append(f"{file} cannot be read ({error.strerror})")
            continue
        expected = storable(texts[form]).encode()
        if found != expected:
            problems.append(f"{file}{_first(found, expected)}")
    return problems


def _first(found: bytes, expected: bytes) -> str:
    lines = itertools.zip_longest(found.split(b"\n"), expected.split(b"\n"))
    for number, (own, other) in enumerate(lines, 1):
        if own != other:
            return f", line {number}: {_around(own, other)} there, {_around(other, own)} expected"
    return " differs"


def _around(line: bytes | None, other: bytes | None) -> str:
    """A line from shortly before the place where it differs from the other."""
    if line is None:
        return "no line"
    text = line.decode("utf-8", "replace")
    beside = (other or b"").decode("utf-8", "replace")
    same = next((i for i, (a, b) in enumerate(zip(text, beside, strict=False)) if a != b), 0)
    start = max(same - 20, 0)
    return shown(("..." if start else "") + text[start : start + 60], 80)
