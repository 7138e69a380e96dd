"""A board is read and written without the trainer, and without what takes seconds to load."""

import subprocess
import sys
from pathlib import Path

import pytest

from leaderboards.board import Board
from leaderboards.collect.names import START, policy_name
from leaderboards.render import write_board

HEAVY = ("torch", "transformers", "matplotlib", "pandas", "scipy.stats")
RENDERING = """
import sys
from pathlib import Path
import leaderboards.render
from leaderboards.render.terminal import board_tables
board = leaderboards.render.load_board(sys.argv[1])
leaderboards.render.write_board(board, Path(sys.argv[1]) / "again")
assert board_tables(board, 100)
"""
COLLECTING = "import sys; from leaderboards.collect import collect_board"
LOADED = "\nprint(*(name for name in sys.argv[2:] if name in sys.modules))"


@pytest.mark.parametrize("code", [RENDERING, COLLECTING])
def test_nothing_heavy_is_imported(sample_board: Board, tmp_path: Path, code: str) -> None:
    write_board(sample_board, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code + LOADED, str(tmp_path), *HEAVY],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_names_are_the_trainers() -> None:
    from mnpo.training.runs import export, run

    assert START == run.START
    assert policy_name("inpo", 3) == export.policy_name("inpo", 3)
    assert policy_name("ht-mnpo/player-2", 0) == export.policy_name("ht-mnpo", 0, 1)
