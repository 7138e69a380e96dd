"""The board on a terminal."""

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from leaderboards.board import Board
from leaderboards.options import BoardOptions
from leaderboards.render.terminal import RATINGS, board_tables
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


def test_the_first_columns_keep_their_intervals_longest(sample_board: Board) -> None:
    text = " ".join(printed(sample_board, 85).split())
    assert "57.1 [54.1, 60.2] a" in text
    assert "0.31 a" in text
    assert "no room for intervals of 1 column" in text
    narrow = " ".join(printed(sample_board, 50).split())
    assert "57.1 a" in narrow
    assert "no room for intervals, Mini (points) ↑" in narrow


def crowded(board: Board, count: int = 9) -> Board:
    """With so many columns of long titles, under two judges."""
    section = board.sections[0]
    first = section.columns[0]
    columns = tuple(
        replace(
            first,
            key=f"cross-play/{number}",
            title=f"Cross-play: win rate vs {number // 2}",
            judge=("mixture(brevity-6, brevity-4, brevity-9)", "oracle")[number % 2],
            unit="probability",
        )
        for number in range(count)
    )
    entries = tuple(
        replace(own, figures={c.key: own.figures[first.key] for c in columns})
        for own in section.entries
        if first.key in own.figures
    )
    crowd = replace(section, columns=columns, entries=entries, sorted_by=columns[0].key)
    return replace(board, sections=(crowd,), pools=())


@pytest.mark.parametrize(("width", "shown"), [(150, 6), (120, 5), (80, 2)])
def test_headings_take_several_lines_so_that_more_columns_fit(
    sample_board: Board, width: int, shown: int
) -> None:
    text = printed(crowded(sample_board), width)
    assert max(map(cell_len, text.splitlines())) <= width
    first = next(line for line in text.splitlines() if line.startswith("│ "))
    assert first.count("57.1") == shown
    assert "[54.1, 60.2]" in first
    above = text.partition("│ ")[0]
    assert "brevity-9)" in above
    assert "oracle" in above
    assert "probability" not in text
    assert "(win rate)" not in above


def test_one_pool_of_a_run_in_short_form(sample_board: Board) -> None:
    pool = sample_board.pools[0]
    more = [
        replace(pool, key=judge, title=f"Cross-play by {judge}", judge=judge)
        for judge in ("ann", "bob")
    ]
    items = board_tables(replace(sample_board, sections=(), pools=(pool, *more)), 150)
    assert items.count("also on the page: the pools of judge ann, bob") == 1
    assert len([item for item in items if not isinstance(item, str)]) == 1
    unnamed = [replace(own, judge="") for own in more]
    items = board_tables(replace(sample_board, sections=(), pools=(pool, *unnamed)), 150)
    assert "also on the page: Cross-play by ann, Cross-play by bob" in items


def test_a_pools_short_form_has_four_ratings(sample_board: Board) -> None:
    pool = sample_board.pools[0]
    keys = ("elo", *RATINGS, "alpha-rank")
    ratings = tuple(replace(pool.ratings[0], key=key, title=f"R-{key}.") for key in keys)
    text = printed(replace(sample_board, pools=(replace(pool, ratings=ratings),)), 400)
    assert all(f"R-{key}." in text for key in RATINGS)
    assert "R-elo." not in text
    assert "R-alpha-rank." not in text


def test_many_warnings_take_three_lines(sample_board: Board) -> None:
    section = sample_board.sections[0]
    key = section.columns[0].key
    kinds = ("a", "b", "c", "d", "e")
    entries = tuple(
        replace(
            own,
            figures={
                key: replace(
                    own.figures[key],
                    flags=tuple(f"{n + 1} of 40 are {kind} ({n}x)" for kind in kinds),
                )
            },
        )
        for n, own in enumerate(section.entries)
        if key in own.figures
    )
    items = board_tables(
        replace(sample_board, sections=(replace(section, entries=entries),), pools=()), 150
    )
    lines = [item for item in items if isinstance(item, str)]
    assert f"(1) 1 to {len(entries)} of 40 are a ({len(entries)} policies)" in lines
    assert sum(line.startswith("(") for line in lines) == 3
    assert "and 2 more in leaderboard.md" in lines


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
