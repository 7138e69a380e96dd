"""The third stage: the leaderboard of what was trained and evaluated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mnpo
from leaderboards.board import Board
from leaderboards.chain.places import LEADERBOARD
from leaderboards.options import BoardOptions
from mnpo.runs import digest, sha256_file


def made_of(manifests: Sequence[Mapping[str, Any]], failures: Sequence[str]) -> str:
    """Hash of all that a board depends on: hashed results, what failed, and this version.

    Args:
        manifests: of the training and the evaluation; empty where there is none.
        failures: one line each.
    """
    results = [manifest.get("outputs") for manifest in manifests]
    return digest({"results": results, "failures": list(failures), "version": mnpo.__version__})


def make_board(
    folder: Path, title: str, failures: Sequence[str], command: str
) -> tuple[Board, dict[str, str]]:
    """Collect a run directory's results and write its board.

    Args:
        folder: the run directory.
        title: of the page.
        failures: of which no results tell, one line each; they stand at its top.
        command: that makes it.

    Returns:
        the board, and the sha256 of its files by name.

    Raises:
        UserError: there is nothing to show, or it cannot be written.
    """
    from leaderboards.collect import collect_board
    from leaderboards.render import write_board

    board = collect_board([folder], BoardOptions(title=title), command=command)
    board = replace(board, notes=(*failures, *board.notes))
    files = write_board(board, folder / LEADERBOARD)
    return board, {path.name: sha256_file(path) for path in files.values()}
