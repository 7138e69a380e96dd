"""What `leaderboard` does behind its options."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mnpo.cli.lines import complain, say

if TYPE_CHECKING:
    from leaderboards.board import Board
    from leaderboards.options import BoardOptions


def collect_and_report(
    runs: Sequence[Path], options: "BoardOptions", folder: Path, *, as_json: bool
) -> None:
    """Make a board, write it, and print it.

    Raises:
        UserError: nothing can be used, runs that contradict one another, or a folder that holds
            something else.
    """
    _one_thread()
    from leaderboards.collect import collect_board
    from leaderboards.render import render_json, write_board
    from leaderboards.render.write import refuse

    refuse(folder)
    command = shlex.join(["mnpo-bench", *sys.argv[1:]])
    board = collect_board(runs, options, command=command)
    files = write_board(board, folder)
    if as_json:
        print(render_json(board), end="")
        return
    show_board(board)
    say(f"page:  {folder / 'leaderboard.html'}")
    others = ", ".join(path.name for path in files.values() if path.suffix != ".html")
    say(f"files: {folder}/: {others}")


def show_board(board: "Board") -> None:
    """Print a board's tables."""
    from leaderboards.render.terminal import board_tables
    from mnpo.cli.printing import print_to, width_of

    print_to(sys.stdout, *board_tables(board, width_of(sys.stdout)))


def check_and_report(folders: Sequence[Path], *, as_json: bool) -> None:
    """Hold boards to the files they name; exit code 1 where something differs.

    Raises:
        UserError: a folder that holds no board, or runs that are no longer there.
    """
    _one_thread()
    from leaderboards.check import check_board

    reports = {folder: check_board(folder) for folder in folders}
    if as_json:
        import json

        print(json.dumps({str(k): own.describe() for k, own in reports.items()}, indent=1))
    for folder, report in reports.items():
        if not as_json:
            for line in report.lines():
                say(f"{folder}: {line}")
        for problem in report.problems:
            complain(f"{folder}: {problem}")
    if any(report.problems for report in reports.values()):
        raise typer.Exit(1)


def _one_thread() -> None:
    """On shared cores several BLAS threads are slower than one; set before numpy loads."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
