"""leaderboard.md: tables that line up, text that stays text."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest
from boards import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import Board
from leaderboards.options import BoardOptions
from leaderboards.render import render_markdown
from leaderboards.render.markdown import MOST_IN_MATRIX, escape, figure_text, grid
from leaderboards.render.rounding import Places
from mnpo.printable import printable


def test_figures_ranks_letters_and_warnings(sample_board: Board) -> None:
    text = render_markdown(sample_board)
    assert re.search(r"\| +1–2 \| mnpo \(TD-MNPO\) +\| +3 \| +57\.1 \[54\.1, 60\.2\] a \|", text)
    assert re.search(r"\| +1–2 \| inpo .* 56\.2 \[54\.1, 58\.3\] a \(1\) \|", text)
    assert "- (1) one seed only: the interval counts prompts, not training" in text
    assert "Ranked by AlpacaEval 2 LC." in text
    assert "intervals: over prompts (3 rows), over seeds and prompts (1 row)" in text
    assert "| 0123456789ab |" in text
    assert "runs/half: its manifest says 'running'" in text
    assert "Bradley–Terry: One strength a policy" in text
    assert "| -0.1465 |" in text.replace("    ", " ").replace("  ", " ")
    assert "made of simulate/trajectories.parquet" in text


def test_cells_never_leave_their_row(sample_board: Board) -> None:
    tables = re.split(r"\n\n", render_markdown(sample_board))
    for table in (part for part in tables if part.startswith("|")):
        bars = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table.splitlines()}
        assert len(bars) == 1, table
        assert len({len(line) for line in table.splitlines()}) == 1, table


def test_hostile_text_is_text(sample_board: Board) -> None:
    text = render_markdown(sample_board)
    assert "<" not in text
    assert escape(HOSTILE) in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b", "a_b"),
        ("_a_", r"\_a\_"),
        ("a*b*", r"a\*b\*"),
        ("[x](y)", r"[x\](y)"),
        ("[x][y]: z", r"[x\][y\]: z"),
        ("![x](y)", r"![x\](y)"),
        ("`x`", r"\`x\`"),
        (r"a\|b", r"a\\\|b"),
        ("a|b", r"a\|b"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("$x$ ~~y~~", r"\$x\$ \~\~y\~\~"),
        ("0.03 [0.01, 0.05]", "0.03 [0.01, 0.05]"),
        ("a\nb", r"a\\nb"),
    ],
)
def test_escaping(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_escaping_loses_nothing_printable(text: str) -> None:
    back = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escape(text))
    assert html.unescape(back) == printable(text)
    assert "<" not in escape(text)


def test_notes_begin_no_blocks(sample_board: Board) -> None:
    notes = ("# no heading", "1. no list", "- no list", "+ none", "[x]: http://x.invalid")
    text = render_markdown(replace(sample_board, notes=notes))
    for line in (r"- \# no heading", r"- 1\. no list", r"- \- no list", r"- \+ none"):
        assert line in text
    assert r"- \[x\]: http" in text


def test_commands_with_backticks_keep_their_frame(sample_board: Board) -> None:
    text = render_markdown(replace(sample_board, command="a ``b`"))
    assert "Made with ``` a ``b` ```." in text


def test_other_columns_and_none(sample_board: Board) -> None:
    options = BoardOptions(columns=("mini-v1/length",)).describe()
    text = render_markdown(replace(sample_board, options=options))
    assert "Mini length (tokens)" in text
    assert "211.5" in text
    assert "None of the columns that were asked for stands in this table." in text


def test_columns_of_one_title_are_told_apart_by_their_judges(sample_board: Board) -> None:
    section = sample_board.sections[0]
    first = section.columns[0]
    other = replace(first, key=f"{first.key}@other", judge="other|judge")
    columns = (first, other, *section.columns[1:])
    text = render_markdown(replace(sample_board, sections=(replace(section, columns=columns),)))
    assert "AlpacaEval 2 LC, by rule:nearest-50-words (%) ↑" in text
    assert "AlpacaEval 2 LC, by other\\|judge (%) ↑" in text
    assert "Ranked by AlpacaEval 2 LC, by rule:nearest-50-words." in text
    assert "Mini (points) ↑" in text


def test_pools_are_sorted_and_their_games_with_them(sample_board: Board) -> None:
    text = render_markdown(sample_board).partition("## Cross-play")[2]
    rows = [[part.strip() for part in line.split(" | ")] for line in text.splitlines()]
    ratings = [row[2] for row in rows if row[0].startswith("|  ") and len(row) == 5]
    assert [name[:5] for name in ratings] == ["mnpo ", "inpo", "=HYPE", "&lt;i"]
    (third,) = (row for row in rows if row[0] == "|   3" and len(row) == 6)
    assert third[1].startswith("=HYPERLINK")
    assert third[2] == "0.300 [0.260, 0.340]"  # against mnpo
    assert third[3:5] == ["–", "–"]  # inpo, whom it never met, and itself


def test_large_matrices_are_left_to_the_json_file(sample_board: Board) -> None:
    pool = sample_board.pools[0]
    size = MOST_IN_MATRIX + 1
    wins = np.full((size, size), 0.5)
    large = replace(
        pool, names=tuple(map(str, range(size))), wins=wins, low=wins, high=wins, ratings=()
    )
    text = render_markdown(replace(sample_board, pools=(large,)))
    assert "The win matrix is in leaderboard.json." in text


def test_an_empty_board_is_a_page() -> None:
    assert render_markdown(Board("")).startswith("# Leaderboard\n")


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(57.123, 54.1, 60.2, 1, 1), "57.1 [54.1, 60.2]"),
        (Interval(0.3, None, None, 1, 1), "0.3"),
        (Interval(0.01, 0.0, 60.2, 1, 1), "<0.1 [0, 60.2]"),
        (Interval(float("nan"), None, None, 0, 0), "–"),
    ],
)
def test_figures_as_text(interval: Interval, text: str) -> None:
    assert figure_text(interval, Places(1)) == text


def test_a_grid_lines_up() -> None:
    assert grid(["a", "number"], [["x", "1"], ["long", "22"]], [False, True]) == [
        "| a    | number |",
        "| ---- | -----: |",
        "| x    |      1 |",
        "| long |     22 |",
    ]
