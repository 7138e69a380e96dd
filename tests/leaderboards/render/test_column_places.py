"""Columns of figures: one number of decimals for all of them."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import Board, Pool, Table
from leaderboards.render.column_places import of_columns, of_matrix, of_rating, of_table
from leaderboards.render.rounding import places

Numbers = tuple[float, float | None, float | None]


def intervals(*numbers: Numbers) -> list[Interval]:
    return [Interval(*own, 10, 10) for own in numbers]


def column(*numbers: Numbers, unit: str = "") -> list[str]:
    """As text: value, or value and ends."""
    own = intervals(*numbers)
    form = places(own, unit)
    texts = [form.written(one) for one in own]
    return [f"{v} [{low}, {high}]" if low else v for v, low, high in texts]


def test_a_column_has_one_number_of_decimals() -> None:
    found = column((1038.2, 1029.3, 1047.1), (1038.4, 1027.0, 1049.0), (1033.8, 1023.6, 1045.1))
    assert found == ["1038 [1029, 1047]", "1038 [1027, 1049]", "1034 [1024, 1045]"]
    found = column((0.1, 0.05, 0.15), (0.2, 0.196, 0.204), (0.3, 0.25, 0.35))
    assert found == ["0.100 [0.050, 0.150]", "0.200 [0.196, 0.204]", "0.300 [0.250, 0.350]"]


def test_elo_points_of_wide_intervals_have_no_decimals() -> None:
    wide, narrow = (1000.26, 994.0, 1006.0), (1000.26, 996.0, 1004.0)
    assert column(wide) == ["1000.3 [994.0, 1006.0]"]
    assert column(wide, unit="Elo points") == ["1000 [994, 1006]"]
    assert column(narrow, unit="Elo points") == ["1000.3 [996.0, 1004.0]"]


def test_small_values_are_not_written_as_zero() -> None:
    found = column((0.0, 0.0, 0.018), (0.0004, 0.0, 0.02), (0.2, 0.18, 0.22), (0.0002, 0.0, 0.0004))
    assert found == [
        "0 [0, 0.018]", "<0.001 [0, 0.020]", "0.200 [0.180, 0.220]", "<0.001 [0, <0.001]"
    ]  # fmt: skip
    assert column((-0.0004, -0.02, 0.02), (0.2, 0.18, 0.22))[0] == "0.000 [-0.020, 0.020]"


def test_columns_that_span_decades_tell_small_figures_apart() -> None:
    found = column((2e-5, 1e-5, 3e-5), (4e-7, 0.0, 9e-7), (0.11, 0.09, 0.13), (0.3, 0.2, 0.4))
    assert found == [
        "2.0e-05 [1.0e-05, 3.0e-05]", "4.0e-07 [0, 9.0e-07]",
        "0.11 [0.09, 0.13]", "0.30 [0.20, 0.40]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((57.27, 55.16, -0.1465), ["57.27", "55.16", "-0.15"]),
        ((3.25, 4.0, math.nan), ["3.25", "4.00", ""]),
        ((50.0, 60.0), ["50", "60"]),
        ((12345.6, 11000.2, 0.004), ["12346", "11000", "<1"]),
        ((1e-12, 3e-9), ["1.0e-12", "3.0e-09"]),
        ((0.0, 0.0), ["0", "0"]),
        ((math.inf, 2.5), ["inf", "2.5"]),
    ],
)
def test_columns_without_intervals(values: tuple[float, ...], texts: list[str]) -> None:
    assert column(*((own, None, None) for own in values)) == texts


@given(st.lists(st.tuples(st.floats(1e-3, 1e5), st.floats(1e-4, 1e4)), min_size=1, max_size=9))
def test_all_figures_of_a_column_end_at_one_place(numbers: list[tuple[float, float]]) -> None:
    own = intervals(*((value, value - half, value + half) for value, half in numbers))
    form = places(own)
    half = statistics.median_high([(one.high - one.low) / 2 for one in own])
    # Two significant digits of the median half width, and no more than are shown.
    assert form.decimals == max(0, min(6, 1 - math.floor(math.log10(half))))
    for one in own:
        for text in form.written(one):
            if "e" not in text and text != "0":
                assert len(text.partition(".")[2]) == form.decimals


def test_each_kind_of_column_of_a_board(sample_board: Board) -> None:
    section = sample_board.sections[0]
    found = of_columns(section, section.columns)
    assert [found[own.key].decimals for own in section.columns] == [1, 2, 1]
    (pool,) = sample_board.pools
    assert [of_rating(own).decimals for own in pool.ratings] == [0, 2]
    assert of_matrix(pool).decimals == 3
    assert [own.decimals for own in of_table(sample_board.tables[1])] == [0, 0, 2, 2, 4]


def test_a_pool_of_one_and_a_table_without_rows() -> None:
    one = np.array([[0.5]])
    empty = Pool("k", "t", "", ("a",), one, one * np.nan, one * np.nan, (), None, None)
    assert of_matrix(empty).decimals == 0
    assert len(of_table(Table("t", ("a", "b"), ()))) == 2


def test_decimals_do_not_depend_on_the_order(sample_board: Board) -> None:
    section = sample_board.sections[0]
    turned = replace(section, entries=section.entries[::-1])
    assert of_columns(turned, section.columns) == of_columns(section, section.columns)
