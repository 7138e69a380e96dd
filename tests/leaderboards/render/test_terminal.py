"""The board on a terminal."""

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from leaderboards.board import Board
from leaderboards.options import BoardOptions
from leaderboards.render.terminal import board_tables
from mnpo.cli.printing import print_to


def printed(board: Board, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False)
    for item in board_tables(board, width):
        if not isinstance(item, str):
            console.print(item)
    return stream.getvalue()


@pytest.mark.parametrize("width", [160, 120, 100, 80, 60, 40, 25])
def test_tables_fit(sample_board: Board, width: int) -> None:
    assert max(map(cell_len, printed(sample_board, width).splitlines())) <= width


def test_all_of_it_where_there_is_room(sample_board: Board) -> None:
    text = printed(sample_board, 160)
    for part in ("1–2", "57.1 [54.1, 60.2] a", "0.31 [0.20, 0.42] a", "960 [930, 990] b", "(1)"):
        assert part in text
    assert "not shown" not in text
    assert "<img src=x onerror=alert(1)>" in text


def test_intervals_go_before_columns(sample_board: Board) -> None:
    text = " ".join(printed(sample_board, 80).split())
    assert "not shown for want of room: intervals" in text
    assert "Mini (points)" in text.partition("not shown")[0]
    narrow = " ".join(printed(sample_board, 60).split())
    assert "intervals, Mini (points)" in narrow
    assert "57.1 a" in narrow


def test_notes_and_what_was_left_out(sample_board: Board) -> None:
    stream = io.StringIO()
    print_to(stream, *board_tables(sample_board, 150))
    text = stream.getvalue()
    assert "left out:\n  runs/half: its manifest" in text
    assert "(1) one seed only" in text
    assert "\x1b" not in text
    empty = board_tables(Board("Title"), 80)
    assert empty == ["Title: nothing to show"]


def test_sections_without_the_columns_are_left_out(sample_board: Board) -> None:
    options = BoardOptions(columns=("cyclic/gap",)).describe()
    text = printed(replace(sample_board, options=options, pools=()), 100)
    assert "Language models" not in text
    assert "Simulator" in text
