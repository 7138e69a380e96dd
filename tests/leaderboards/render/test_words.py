"""What all renderers say in the same words."""

from dataclasses import replace

import pytest

from evaluation.statistics import Interval
from leaderboards.board import Board, Column, Entry, Figure, Rating, Section
from leaderboards.render import render_latex, render_markdown
from leaderboards.render.html import render_html
from leaderboards.render.words import (
    heading,
    label_of,
    labels_in_pools,
    method_of,
    opponents_text,
    with_label,
)


@pytest.mark.parametrize(
    ("title", "unit", "text"),
    [
        ("Cross-play: win rate vs sft", "probability", "Cross-play: win rate vs sft ↑"),
        ("Cross-play: worst opponent", "probability", "Cross-play: worst opponent (win rate) ↑"),
        ("cyclic: gap, last", "win probability", "cyclic: gap, last (win probability) ↑"),
        ("Mini", "points", "Mini (points) ↑"),
        ("Share (%)", "%", "Share (%) ↑"),
    ],
)
def test_units_in_headings(title: str, unit: str, text: str) -> None:
    assert heading(Column("k", title, "b", "m", unit=unit)) == text


def test_the_share_in_a_lottery_is_no_win_rate() -> None:
    lottery = Rating("maximal-lottery", "Maximal lottery", "", "probability", "higher", ())
    assert heading(lottery) == "Maximal lottery (probability) ↑"
    worst = Rating("worst-case", "Worst case", "", "win probability", "higher", ())
    assert heading(worst) == "Worst case (win rate) ↑"


@pytest.mark.parametrize(
    ("name", "algorithm", "label", "text"),
    [
        ("mnpo", "mnpo", "TD-MNPO", "mnpo (TD-MNPO)"),
        ("inpo", "inpo", "INPO", "inpo"),
        ("ht-mnpo/player-2", "ht-mnpo/player-2", "HT-MNPO, player 2", "ht-mnpo/player-2"),
        ("dpo (tiny-3f2a)", "dpo", "DPO", "dpo (tiny-3f2a)"),
        ("dpo-online", "dpo-online", "Online DPO", "dpo-online (Online DPO)"),
        ("m", "m", "", "m"),
    ],
)
def test_a_label_stands_beside_a_name_that_it_is_not(
    name: str, algorithm: str, label: str, text: str
) -> None:
    assert with_label(name, label_of(Entry(name, algorithm, label))) == text


def test_policies_of_pools_have_the_labels_of_their_methods(sample_board: Board) -> None:
    pool = replace(sample_board.pools[0], names=("mnpo-seed-0", "inpo-seed-1", "sft", "x"))
    assert labels_in_pools(replace(sample_board, pools=(pool,))) == {"mnpo-seed-0": "TD-MNPO"}
    assert method_of("ht-mnpo-seed-12-player-1") == "ht-mnpo/player-1"


def test_the_opponent_itself_is_named_where_it_has_no_figure() -> None:
    column = Column("c/win_rate/against/sft", "Win rate vs sft", "c", "win_rate/against/sft")
    figure = Figure(Interval(0.7, 0.6, 0.8, 9, 9))
    entries = (
        Entry("mnpo", "mnpo", "TD-MNPO", figures={column.key: figure}),
        Entry("sft", "sft", "SFT"),
        Entry("absent", "absent", "absent"),
    )
    section = Section("s", "models", (column,), entries, column.key)
    (line,) = opponents_text(section, (column,))
    assert line == "Win rate vs sft: sft has no figure, it is the opponent itself."
    board = Board("x", (section,))
    assert line in render_markdown(board)
    assert render_html(board).count("<i>the opponent itself</i>") == 1
    assert render_latex(board)
