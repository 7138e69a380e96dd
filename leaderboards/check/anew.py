"""The same board, made again from the same runs."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from leaderboards.board import Board
from leaderboards.check.places import Placed
from leaderboards.options import BoardOptions
from leaderboards.render.encoding import decode, encode


def make_anew(board: Board, placed: Sequence[Placed], options: BoardOptions) -> Board:
    """The board that the runs give now, with the paths of the old one.

    Args:
        board: as it was written.
        placed: its runs, where they are now.
        options: that it was made with.

    Raises:
        UserError: the runs give no board.
    """
    from leaderboards.collect import collect_board

    anew = collect_board([own.path for own in placed], options, command=board.command)
    return _with_old_left_out(_with_old_names(anew, placed), board)


def newly_left_out(board: Board, anew: Board) -> list[str]:
    """What the board shows and could not be used now."""
    before = {(own.what, own.why) for own in board.left_out}
    return [
        f"{own.what} would be left out now: {own.why}"
        for own in anew.left_out
        if (own.what, own.why) not in before
    ]


def _with_old_left_out(anew: Board, board: Board) -> Board:
    """With what had been given and is not among the board's runs, so cannot be given again."""
    known = {(own.what, own.why) for own in anew.left_out}
    paths = {run.path for run in anew.runs}
    absent = [
        own for own in board.left_out if (own.what, own.why) not in known and own.what not in paths
    ]
    order = {(own.what, own.why): place for place, own in enumerate(board.left_out)}
    everything = [*anew.left_out, *absent]
    everything.sort(key=lambda own: order.get((own.what, own.why), len(order)))
    return replace(anew, left_out=tuple(everything))


def _with_old_names(anew: Board, placed: Sequence[Placed]) -> Board:
    """With paths and keys as they were before runs were moved or renamed."""
    names: dict[str, str] = {}
    for own in placed:
        key = next((run.key for run in anew.runs if run.path == str(own.path)), own.run.key)
        names |= {str(own.path): own.run.path, key: own.run.key}
    names = {now: before for now, before in names.items() if now != before}
    if not names:
        return anew
    longest = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])")

    def old(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda found: names[found[0]], value)
        if isinstance(value, list):
            return [old(own) for own in value]
        if isinstance(value, dict):
            return {old(key): old(own) for key, own in value.items()}
        return value

    return decode(Board, old(encode(anew)), "the board")
