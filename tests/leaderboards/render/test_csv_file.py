"""leaderboard.csv: exact numbers, harmless texts."""

import csv
import io
import re
from dataclasses import replace

import pytest
from boards import FORMULA, HOSTILE

from leaderboards.board import Board, Column
from leaderboards.options import BoardOptions
from leaderboards.render import render_csv
from leaderboards.render.csv_file import harmless


def rows(board: Board) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(board), newline="")))


def ends(row: dict[str, str], key: str) -> tuple[str, ...]:
    return tuple(row[f"{key} {part}"] for part in ("rank best", "rank worst", "letters"))


def test_every_figure_is_there_exactly(sample_board: Board) -> None:
    found = {(row["section"], row["name"]): row for row in rows(sample_board)}
    checked = 0
    for section in sample_board.sections:
        for entry in section.entries:
            name = "'" + FORMULA if entry.name == FORMULA else entry.name
            row = found[section.title, name]
            for key, figure in entry.figures.items():
                if key == "mini-v1/length":
                    assert key not in row
                    continue
                interval = figure.interval
                if interval.n:
                    assert float(row[key]) == interval.value
                    assert float(row[f"{key} low"]) == interval.low
                    assert float(row[f"{key} high"]) == interval.high
                assert int(row[f"{key} n"]) == interval.n
                checked += 1
    assert checked == 10
    row = found["Language models", "mnpo"]
    assert (row["seeds"], row["origin"], row["iteration"]) == ("0 1 2", "train", "3")
    assert ends(row, "alpaca-eval-2/length_controlled_win_rate") == ("1", "2", "a")
    assert row["cyclic/gap"] == ""
    assert ends(found["Simulator", "mnpo"], "cyclic/gap") == ("1", "1", "a")


def test_ratings_stand_in_rows_of_their_pool(sample_board: Board) -> None:
    pool = sample_board.pools[0]
    own = [row for row in rows(sample_board) if row["section"] == pool.title]
    assert [row["name"] for row in own] == ["mnpo", "inpo", HOSTILE, "'" + FORMULA]
    assert [float(row["rating/bradley-terry"]) for row in own] == [1103.2, 1080.7, 900.1, 960]
    assert [ends(row, "rating/bradley-terry") for row in own] == [
        ("1", "2", "a"), ("1", "2", "a"), ("4", "4", "c"), ("3", "3", "b"),
    ]  # fmt: skip
    assert {ends(row, "rating/maximal-lottery") for row in own} == {("", "", "")}


def test_no_cell_is_a_date_to_a_spreadsheet(sample_board: Board) -> None:
    """Ranks such as 1-12 were."""
    cells = {cell for row in rows(sample_board) for cell in row.values()}
    assert not any(
        re.fullmatch(r"\d+[-/.–]\d+([-/.–]\d+)?", cell) for cell in cells - decimals(cells)
    )


def decimals(cells: set[str]) -> set[str]:
    return {cell for cell in cells if re.fullmatch(r"\d+\.\d+", cell)}


def test_columns_that_the_first_section_has_come_first(sample_board: Board) -> None:
    first, second = sample_board.sections
    shared = Column("cyclic/gap", "Gap", "cyclic", "gap")
    board = replace(
        sample_board,
        sections=(replace(first, columns=(shared, *first.columns)), second),
    )
    header = render_csv(board).splitlines()[0].split(",")
    keys = [name.removesuffix(" low") for name in header if name.endswith(" low")]
    assert keys == [
        "alpaca-eval-2/length_controlled_win_rate", "mini-v1/score", "cyclic/gap",
        "rating/bradley-terry", "rating/maximal-lottery",
    ]  # fmt: skip


def test_columns_that_are_asked_for(sample_board: Board) -> None:
    options = BoardOptions(columns=("mini-v1/length",)).describe()
    header = render_csv(replace(sample_board, options=options)).splitlines()[0].split(",")
    parts = ("", " low", " high", " n", " rank best", " rank worst", " letters")
    assert header[7:14] == [f"mini-v1/length{part}" for part in parts]
    assert header[14].startswith("rating/")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", " '=1"),
        ("\t=1", "\\t=1"),
        ("＝1", "'＝1"),
        ("'quoted", "''quoted"),
        ("a;=1", "a;'=1"),
        ('a;"=1"', 'a;"\'=1"'),
        ("TD-MNPO", "TD-MNPO"),
        ("a=b, c@d", "a=b, c@d"),
        ("x\x1b[0m", "x\\x1b[0m"),
    ],
)
def test_no_text_is_a_formula(text: str, written: str) -> None:
    assert harmless(text) == written
