"""Runs in, board out.

What becomes of a path:

======================================================  ==========================================
it does not exist                                       refused
it holds no run, or is no board or matrix               left out
its run is damaged: a file is missing, is broken, or    left out
is not what the manifest says
its run is of another format                            left out
its run is not finished                                 left out
its run failed in part, the rest was scored             taken, with a note on top
it is a copy of another one                             taken once, with a note
its figures were made under other conditions            columns of their own, with a note
it contradicts another one: two figures of one policy   refused
under one condition
nothing is left                                         refused
======================================================  ==========================================

In short: what cannot be believed is left out, and the board says so; what the user must decide is
refused. An option that names what no run has is refused too.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from leaderboards.board import Board, LeftOut
from leaderboards.collect.parts import assemble
from leaderboards.collect.places import Given, find_given
from leaderboards.options import BoardOptions
from leaderboards.paper import compare_with_papers
from mnpo.errors import UserError


def collect_board(
    paths: Sequence[str | Path],
    options: BoardOptions = BoardOptions(),  # noqa: B008 - frozen
    *,
    command: str = "",
) -> Board:
    """A board of everything that the paths hold.

    Args:
        paths: run directories; published boards and win matrices. Their order changes nothing.
        options: filters, sort, papers to compare with.
        command: that asked for it, kept on the board.

    Raises:
        UserError: see the table above; the message of what was left out comes with it where
            nothing else is there.
    """
    given = find_given([Path(path) for path in paths])
    parts = assemble(given, options)
    if parts.is_empty:
        raise UserError(_nothing(given, parts.left_out))
    board = Board(
        title=options.title,
        sections=parts.sections,
        pools=tuple(parts.pools),
        plots=tuple(parts.plots),
        tables=tuple(parts.tables),
        runs=tuple(sorted(parts.runs, key=lambda own: own.key)),
        left_out=tuple(sorted(parts.left_out, key=lambda own: (own.what, own.why))),
        options=replace(options, columns=parts.columns).describe(),
        command=command,
        notes=tuple(dict.fromkeys(parts.notes)),
    )
    return replace(board, tables=(*compare_with_papers(board, options.compare), *board.tables))


def _sentence(own: LeftOut) -> str:
    goes_on = own.why.partition(" ")[0] in ("is", "holds", "has", "was")
    return f"{own.what}{' ' if goes_on else ': '}{own.why}"


def _nothing(given: Given, left_out: Sequence[LeftOut]) -> str:
    reasons = [_sentence(own) for own in left_out]
    if not reasons:
        return "there is nothing to put on a board; give the folders of one or more runs"
    if len(reasons) == 1:
        return reasons[0]
    return f"nothing can be put on a board: {reasons[0]} (and {len(reasons) - 1} more)"
