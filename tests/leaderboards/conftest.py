"""A board to render and check; `tests/boards.py` makes it."""

import boards
import pytest

from leaderboards.board import Board


@pytest.fixture
def sample_board() -> Board:
    return boards.sample_board()
