"""Boards that were changed by little, or into something else."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import Board, Curve, Plot
from leaderboards.check import check_board
from leaderboards.check.numbers import differences, same
from leaderboards.check.trees import board_differences
from leaderboards.render import load_board, render_json, write_board
from leaderboards.render.select import options_of
from mnpo.errors import UserError


@pytest.mark.parametrize("one", [1e-3, 1e-7, 3e-11, 2e-13])
def test_a_small_gap_that_was_halved(one: float) -> None:
    assert not same(one, one / 2)
    assert not same(one, one * 1.01)
    assert not same(one, 0.0)
    assert same(one, one * (1 + 1e-12))


@given(st.floats(1e-12, 1e12))
def test_a_few_units_in_the_last_place_are_rounding(one: float) -> None:
    assert same(one, math.nextafter(math.nextafter(one, 0), 0))
    assert same(one, -one) == (one <= 0)


def test_whole_numbers_are_exact() -> None:
    assert not same(10**12, 10**12 + 1)
    assert not same(3, 3 + 1e-12)
    assert same(3, 3.0)
    assert not same(1.0, 1.0 + 1e-12, exactly=True)


def test_rounding_about_zero_is_that_of_the_numbers_it_was_computed_from() -> None:
    """Of a difference of two percentages near nothing."""
    wide = Interval(0.0, -40.0, 40.0, 9, 9)
    assert not differences(wide, replace(wide, value=3e-14))
    assert differences(wide, replace(wide, value=1e-12))
    narrow = Interval(0.0, -1e-9, 1e-9, 9, 9)
    assert differences(narrow, replace(narrow, value=3e-14))
    assert differences(wide, replace(wide, n=10)) == ["n 9 and 10"]


def plotted(board: Board, values: list[float]) -> Board:
    import numpy as np

    y = np.array(values)
    curve = Curve("inpo", np.arange(1.0, len(y) + 1), y, y / 2, y * 2)
    return replace(board, plots=(Plot("gaps", "iteration", "gap", (curve,), log_y=True),))


def test_a_point_of_a_logarithmic_plot(sample_board: Board) -> None:
    gaps = [1e-1, 1e-4, 1e-10]
    board = plotted(sample_board, gaps)
    assert not list(board_differences(board, plotted(sample_board, gaps)))
    lines = list(board_differences(board, plotted(sample_board, [*gaps[:2], 3e-10])))
    assert [line.partition(":")[0] for line in lines] == [
        f"plots > gaps > curves > inpo > {name} > 3" for name in ("y", "low", "high")
    ]


def change(board: Board, file: Path, where: tuple[Any, ...], value: Any) -> None:
    whole = json.loads(render_json(board))
    inner = whole["board"]
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    file.write_text(json.dumps(whole))


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("options", "sort"), 5, "board.options.sort: expected a text, got 5"),
        (("options", "columns"), 5, "board.options.columns: expected a list, got 5"),
        (("options", "columns"), [1], "board.options.columns[0]: expected a text, got 1"),
        (("options", "seed"), "a", "board.options.seed: expected a whole number"),
        (("plots", 0, "curves", 0, "x"), [], "curves[0].y: expected 0 points, as x has, got 3"),
        (("plots", 0, "curves", 0, "low"), [None], "curves[0].low: expected 3 points"),
        (("plots", 0, "curves", 0, "high"), [[1, 2, 3]], "curves[0].high: expected 3 points"),
        (("pools", 0, "wins"), [[0.5]], "pools[0].wins: expected"),
        (("pools", 0, "ratings", 0, "values"), [], "pools[0].ratings[0].values: expected"),
        (("pools", 0, "ratings", 0, "letters"), ["a"], "pools[0].ratings[0].letters: expected"),
        (("tables", 0, "rows", 0), [], "tables[0].rows[0]: expected"),
    ],
)
def test_parts_of_a_board_that_do_not_fit(
    sample_board: Board, tmp_path: Path, where: tuple[Any, ...], value: Any, message: str
) -> None:
    board = plotted(sample_board, [0.1, 0.2, 0.3])
    change(board, tmp_path / "leaderboard.json", where, value)
    with pytest.raises(UserError) as error:
        options_of(load_board(tmp_path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_curve_without_points(sample_board: Board, tmp_path: Path) -> None:
    curve = {"label": "a", "x": [], "y": [], "low": None, "high": None}
    board = plotted(sample_board, [0.1])
    change(board, tmp_path / "leaderboard.json", ("plots", 0, "curves", 0), curve)
    with pytest.raises(UserError, match="x: expected a list of one or more numbers"):
        load_board(tmp_path)


def test_another_file_of_the_board(sample_board: Board, tmp_path: Path) -> None:
    write_board(sample_board, tmp_path)
    with pytest.raises(UserError, match=r"leaderboard\.csv is a file; give the board's folder"):
        check_board(tmp_path / "leaderboard.csv")
