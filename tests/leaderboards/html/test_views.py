"""What the pictures show: places on axes, shades, bars, points."""

import re
from dataclasses import replace
from typing import Any

import boards
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import Interval
from leaderboards.board import Board, Curve, Entry, Plot, Pool, Rating, Section, Table
from leaderboards.options import BoardOptions
from leaderboards.render.html.cells import MARGIN, WIDTH, cell
from leaderboards.render.html.colours import styles
from leaderboards.render.html.forest import LEFT, MIXTURES, forest_views
from leaderboards.render.html.heat import heat_view, percent
from leaderboards.render.html.lines import MOST_CURVES, plot_view, points_each
from leaderboards.render.html.pools import pool_view
from leaderboards.render.html.scale import linear, logarithmic, scale_of
from leaderboards.render.html.sections import MOST_FURTHER_CELLS, section_view
from leaderboards.render.html.strokes import BOTTOM, TOP
from leaderboards.render.html.tables import table_view
from leaderboards.render.rounding import Places

NAN = float("nan")


def interval(value: float, low: float | None = None, high: float | None = None) -> Interval:
    return Interval(value, low, high, 9, 9)


def pool_of(size: int, **changes: Any) -> Pool:
    """Policy i beats all later ones, the more the later."""
    place = np.arange(size)
    wins = np.clip(0.5 + (place[None, :] - place[:, None]) / (2 * size), 0, 1)
    strengths = tuple(interval(float(-i), -i - 0.4, -i + 0.4) for i in place)
    rating = Rating("bradley-terry", "BT", "strength", "points", "higher", strengths)
    pool = Pool(
        "p", "pool", "j", tuple(f"m{i}" for i in place), wins, wins - 0.1, wins + 0.1, (rating,),
        None, None,
    )  # fmt: skip
    return replace(pool, **changes)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20), st.booleans())
def test_an_axis_holds_its_numbers_in_their_order(numbers: list[float], tight: bool) -> None:
    scale = linear(numbers, tight=tight)
    assert scale
    slack = 1e-6 * (scale.high - scale.low)
    assert scale.low - slack <= min(numbers) <= max(numbers) <= scale.high + slack
    places = [scale.place(x) for x in sorted(numbers)]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    ticks = [x for x, _ in scale.ticks]
    assert ticks == sorted(set(ticks))
    assert len({label for _, label in scale.ticks}) == len(ticks) <= 8


def test_ends_are_round_and_nothing_finite_has_no_axis() -> None:
    scale = linear([0.13, 0.86])
    assert scale
    assert [label for _, label in scale.ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert linear([NAN, float("inf")]) is None
    assert logarithmic([0.0, -1.0]) is None
    constant = linear([5.0, 5.0])
    assert constant
    assert constant.place(5.0) == pytest.approx(0.5)


def test_ticks_of_tiny_numbers_have_as_many_digits_as_tell_them_apart() -> None:
    scale = linear([1.1754943508222875e-38])
    assert scale
    assert len({label for _, label in scale.ticks}) == len(scale.ticks) > 4
    scale = linear([0.0, 1.96e-16])
    assert scale
    assert [label for _, label in scale.ticks][:2] == ["0", "5×10⁻¹⁷"]


def test_numbers_over_decades_get_a_logarithmic_axis() -> None:
    scale = scale_of([interval(1e-6), interval(1e-2, 0.0, 0.1)])
    assert scale
    assert scale.log
    assert scale.place(1e-4) == pytest.approx(2 / 5)
    assert scale.place(0.0) == 0
    linear_one = scale_of([interval(0.1), interval(1.0)])
    assert linear_one
    assert not linear_one.log


def test_a_cell_draws_value_and_ends_where_they_lie() -> None:
    found = cell(interval(25.0, 0.0, 100.0), linear([0.0, 100.0]), Places(0))
    room = WIDTH - 2 * MARGIN
    assert float(found.dot) == pytest.approx(MARGIN + room / 4, abs=0.06)
    assert [float(x) for x in re.findall(r"[\d.]+", found.whisker)] == [MARGIN, 6, WIDTH - MARGIN]
    assert cell(interval(NAN), linear([0.0, 1.0]), Places(0)).dot == ""
    assert cell(interval(0.5), linear([0.0, 1.0]), Places(1)).whisker == ""


def test_the_heat_map_lies_in_the_order_of_the_ratings() -> None:
    pool = pool_of(4)
    view = heat_view(pool, [3, 1, 0, 2])
    assert view.names == ("m3", "m1", "m0", "m2")
    texts = [[one.text for one in row] for row in view.rows]
    assert texts[0] == ["·", "25", "12", "38"]
    assert view.rows[0][1].kind == "h5"
    assert view.rows[0][1].sure
    assert not replace(pool, low=pool.low * NAN, high=pool.high * NAN).low[0, 1] > 0
    assert pool_view(pool, 1).heat.names == ("m0", "m1", "m2", "m3")


def test_what_was_not_measured_is_no_shade() -> None:
    wins = pool_of(3).wins.copy()
    wins[0, 2] = NAN
    view = heat_view(pool_of(3, wins=wins), [0, 1, 2])
    assert view.absent
    assert (view.rows[0][2].kind, view.rows[0][2].text, view.rows[0][2].sure) == (
        "absent", "–", False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0"), (0.001, "<1"), (0.005, "0"), (0.5, "50"), (0.999, ">99"), (1, "100")],
)
def test_no_sure_win_by_rounding(rate: float, text: str) -> None:
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("size", "table", "hidden"), [(20, True, 0), (21, False, 0), (70, False, 10)]
)
def test_large_pools_are_a_picture_of_the_best(size: int, table: bool, hidden: int) -> None:
    view = heat_view(pool_of(size), list(range(size)))
    assert bool(view.rows) == table
    assert view.hidden == hidden
    if not table:
        squares = sum(
            int(width) * count
            for _, path in view.shades
            for width, count in ((w, 1) for w in re.findall(r"h(\d+)v", path))
        )
        assert squares == 12 * view.size**2  # every cell is drawn once


def naive_joined(paths: tuple[str, ...]) -> list[set[int]]:
    """Rows that have a tick on each bar."""
    return [
        {round((float(y) - 15.5) / 19) for y in re.findall(r"M[\d.]+ ([\d.]+)h5", p)} for p in paths
    ]


def test_bars_join_exactly_those_that_share_a_letter() -> None:
    letters = ("a", "ab", "b", "c", "d", "d")
    values = tuple(interval(float(-i), -i - 1, -i + 1) for i in range(6))
    ranks = ((1, 2), (1, 3), (2, 3), (4, 4), (5, 6), (5, 6))
    rating = Rating("x", "X", "", "", "higher", values, ranks, letters)
    (view,) = forest_views(pool_of(6, ratings=(rating,)))
    assert naive_joined(view.bars) == [{0, 1}, {1, 2}, {4, 5}]
    lanes = [bar.split()[0] for bar in view.bars]
    assert lanes[0] != lanes[1]
    assert lanes[0] == lanes[2]
    assert [mark.best for mark in view.marks] == [True, True, False, False, False, False]


def test_ratings_are_drawn_best_first_whatever_is_better() -> None:
    values = (interval(0.3, 0.2, 0.4), interval(0.1, 0.0, 0.2), interval(NAN))
    pool = pool_of(3, ratings=(Rating("x", "X", "", "", "lower", values),))
    (view,) = forest_views(pool)
    assert [mark.name for mark in view.marks] == ["m1", "m0", "m2"]
    assert view.marks[2].dot == ""
    assert float(view.marks[0].dot) == pytest.approx(LEFT + 222 / 4)
    plain = Rating("y", "Y", "", "", "higher", (interval(1.0), interval(2.0), interval(3.0)))
    assert forest_views(replace(pool, ratings=(plain,))) == ()


def view_of(plot: Plot) -> Any:
    return plot_view(plot, styles(Board("x", plots=(plot,))))


def test_a_curve_is_broken_where_a_point_is_missing() -> None:
    x = np.arange(6.0)
    y = np.array([1.0, 2.0, NAN, 3.0, NAN, 5.0])
    view = view_of(Plot("t", "x", "y", (Curve("a", x, y),)))
    assert view.lines[0].path.count("M") == 3
    assert view.lines[0].path.count("L") == 1
    assert len(view.lines[0].dots) == 2
    assert view_of(Plot("t", "x", "y", (Curve("a", x, y * NAN),))) is None
    assert view_of(Plot("t", "x", "y", ())) is None


def test_a_logarithmic_plot_draws_zero_below_all_else_and_says_so() -> None:
    curve = Curve("a", np.array([1.0, 10.0, 1000.0]), np.array([1.0, 1e-3, 0.0]))
    view = view_of(Plot("t", "iteration", "gap", (curve,), log_y=True))
    heights = [float(part.split()[1]) for part in re.split("[ML]", view.lines[0].path)[1:]]
    assert heights[0] == TOP
    assert heights[2] == BOTTOM
    assert heights[1] == pytest.approx(TOP + (BOTTOM - TOP) * 3 / 4, abs=0.06)
    assert view.said == ("Zeros are drawn at the lower edge.",)
    assert view.x_label == "iteration, log scale"
    tiny = replace(curve, y=np.array([1.0, 1e-30, NAN]))
    view = view_of(Plot("t", "iteration", "gap", (tiny,), log_y=True))
    assert view.said == ("Values below 10⁻¹⁶ are drawn there: rounding.",)


def test_outliers_make_the_ordinate_logarithmic_and_the_page_says_what_it_hides() -> None:
    x = np.arange(10.0)
    low = Curve("low", x, np.array([0.0, 1e-13, *np.linspace(2.0, 5.0, 8)]))
    high = Curve("high", x, np.linspace(1.0, 220.0, 10))
    view = view_of(Plot("t", "step", "KL (nats)", (low, replace(low, label="b"), high)))
    assert view.y_label == "KL (nats), log scale"
    assert view.x_label == "step"
    assert view.said == ("Values below 0.001 are drawn at the lower edge.",)
    heights = [float(part.split()[1]) for part in re.split("[ML]", view.lines[0].path)[1:]]
    assert heights[:2] == [BOTTOM, BOTTOM]
    decades = np.log10(220 / 1e-3)
    assert heights[2] == pytest.approx(
        BOTTOM - (BOTTOM - TOP) * np.log10(2 / 1e-3) / decades, abs=0.06
    )
    assert [label for _, label in view.y_ticks][-1] == "100"


def test_the_ordinate_stays_linear_without_outliers_or_with_negative_values() -> None:
    x = np.arange(10.0)
    flat = Curve("a", x, np.linspace(10.0, 200.0, 10))
    mixed = Curve("b", x, np.array([-0.1, *np.ones(8), 500.0]))
    tiny = Curve("c", x, np.array([*np.full(9, 1e-300), 1e-200]))
    for curve in (flat, mixed, tiny, replace(flat, y=np.zeros(10))):
        view = view_of(Plot("t", "x", "y", (curve,)))
        assert view.y_label == "y"
        assert view.said == ()


def test_many_points_keep_their_peaks_and_many_curves_are_counted() -> None:
    x = np.arange(10_000.0)
    y = np.zeros(10_000)
    y[7777] = 1.0
    curves = tuple(Curve(f"c{k}", x, y) for k in range(MOST_CURVES + 3))
    view = view_of(Plot("t", "x", "y", curves))
    assert len(view.lines) == MOST_CURVES
    assert view.said == (f"The first {MOST_CURVES} of {MOST_CURVES + 3} curves are drawn.",)
    heights = [float(part.split()[1]) for part in re.split("[ML]", view.lines[0].path)[1:]]
    assert min(heights) == TOP
    assert len(heights) <= 400
    assert points_each([Plot("t", "x", "y", curves)] * 200) < points_each([]) == 300


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("step", [1e-4, 1.0])
def test_thinning_keeps_the_ends_and_the_shape(log: bool, step: float) -> None:
    x = step * np.arange(1, 5001)
    curve = Curve("c", x, 1 / (1 + x / step))
    view = view_of(Plot("t", "x", "y", (curve,), log_y=log))
    corners = [part.split() for part in re.split("[ML]", view.lines[0].path)[1:]]
    across, down = np.array(corners, dtype=float).T
    assert 100 <= len(across) <= 310
    assert (across[0], across[-1]) == (52, 340)
    assert (np.diff(across) >= 0).all()
    assert (np.diff(down) >= -1e-9).all()
    assert np.diff(across).max() < 60


@pytest.mark.parametrize("log", [False, True])
def test_points_may_come_in_any_order(log: bool) -> None:
    x = np.random.default_rng(0).permutation(np.arange(1.0, 2001.0))
    for own in (x, np.sort(x)[::-1], np.full(2000, 3.0), -x):
        view = view_of(Plot("t", "x", "y", (Curve("c", own, 1 / x),), log_y=log))
        assert 20 <= view.lines[0].path.count("L") <= 310


def test_labels_do_not_overlap() -> None:
    x = np.arange(3.0)
    curves = tuple(Curve(f"c{k}", x, np.full(3, k / 1000)) for k in range(12))
    curves += (Curve("far", x, np.full(3, 9.0)),)
    places = sorted(float(line.y) for line in view_of(Plot("t", "x", "y", curves)).lines)
    assert min(np.diff(places)) > 12


def test_an_algorithm_has_one_colour_on_the_page() -> None:
    x = np.arange(2.0)
    first = Plot("a", "x", "y", tuple(Curve(n, x, x) for n in ("sppo", "mnpo")))
    second = Plot("b", "x", "y", tuple(Curve(n, x, x) for n in ("zebra", "TD-MNPO", "mnpo")))
    section = Section("s", "models", (), (Entry("run-1", "mnpo", "TD-MNPO"),), "name")
    found = styles(Board("x", (section,), plots=(first, second)))
    assert found["mnpo"] == found["TD-MNPO"] != found["sppo"]
    assert len({found[name].color for name in ("mnpo", "sppo", "zebra")}) == 3
    again = styles(Board("x", (section,), plots=(second, first)))
    assert again == found


def test_columns_of_numbers_have_equal_decimals_and_verdicts_their_look() -> None:
    table = Table(
        "t",
        ("claim", "hours", "verdict", "n", "command"),
        (
            ("a", 3.25, "holds", 1200, "mnpo-bench verify a"),
            ("b", 4.0, "fails", None, None),
            ("c", NAN, "holds when", 3, "no command"),
        ),
    )
    view = table_view(table, 1)
    columns = list(zip(*view.rows, strict=True))
    assert [one.text for one in columns[1]] == ["3.25", "4.00", "–"]
    assert [one.order for one in columns[1]] == ["3.25", "4", ""]
    assert [one.kind for one in columns[2]] == ["pill good", "pill bad", "pill fair"]
    assert [one.text for one in columns[3]] == ["1,200", "–", "3"]
    assert columns[4][0].kind == "command"
    assert [kind for _, kind in view.heads][:2] == ["text short", "number"]


def test_the_sample_pools_table_has_every_rating() -> None:
    (pool,) = boards.sample_board().pools
    grid = pool_view(pool, 1).grid
    assert grid
    assert [row.rank for row in grid.rows] == ["1–2", "1–2", "3", "4"]
    assert [row.name for row in grid.rows][:2] == ["mnpo", "inpo"]
    assert [head.title for head in grid.heads] == ["Bradley–Terry", "Maximal lottery"]
    assert grid.rows[0].cells[0].best
    assert not any(row.cells[1].best for row in grid.rows)  # not ranked


def test_policies_of_a_pool_have_their_methods_names() -> None:
    (pool,) = boards.sample_board().pools
    grid = pool_view(pool, 1, {"mnpo": "TD-MNPO"}).grid
    assert grid
    assert [row.under for row in grid.rows][:2] == ["TD-MNPO", ""]


def test_long_texts_have_room() -> None:
    table = Table("t", ("a", "b", "c"), (("x" * 24, "x" * 25, "x" * 200),))
    assert [kind for _, kind in table_view(table, 1).heads] == ["text short", "text", "text long"]


def test_bold_is_what_nothing_beats_unless_that_is_everything() -> None:
    models, simulator = boards.sample_board().sections
    grid = section_view(models, BoardOptions(), 1).grid
    assert grid
    assert [[one.best for one in row.cells] for row in grid.rows] == [
        [True, False],  # in the second column nobody differs from anybody
        [True, False],
        [False, False],
        [False, False],
    ]
    assert [(row.rank, row.letters) for row in grid.rows] == [
        ("1–2", "a"), ("1–2", "a"), ("3–4", "b"), ("3–4", "b"),
    ]  # fmt: skip
    grid = section_view(simulator, BoardOptions(), 2).grid
    assert grid
    assert [row.cells[0].best for row in grid.rows] == [True, False, False]
    assert [row.cells[0].spread for row in grid.rows] == ["SD 3.0×10⁻⁸", "SD 0.00030", "SD 0"]
    assert grid.heads[0].sorted == "ascending"


def test_columns_that_nobody_asked_for_stay_off_the_page_where_they_are_many() -> None:
    models = boards.sample_board().sections[0]
    few = section_view(models, BoardOptions(), 1)
    assert few.further
    assert [head.title for head in few.further.heads] == ["Mini length"]
    many = replace(models, entries=models.entries * (MOST_FURTHER_CELLS // 4 + 1))
    view = section_view(many, BoardOptions(), 1)
    assert (view.further, view.hidden) == (None, 1)
    elsewhere = section_view(models, BoardOptions(columns=("cyclic/gap",)), 1)
    assert elsewhere.grid is None


@pytest.mark.parametrize("key", MIXTURES)
def test_policies_without_a_share_of_a_mixture_are_counted_not_drawn(key: str) -> None:
    values = tuple(
        interval(*own)
        for own in [(0.9, 0.2, 1.0), (0.1, 0.0, 0.8), (0.0, 0.0, 0.02), (0.0, 0.0, 0.005), (0.004,)]
    )
    rating = Rating(key, "Mixture", "", "probability", "higher", values)
    (view,) = forest_views(pool_of(5, ratings=(rating,)))
    assert (len(view.marks), view.hidden, view.without) == (3, 0, 2)
    nobody = replace(rating, values=(interval(0.0, 0.0, 0.0),) * 5)
    (view,) = forest_views(pool_of(5, ratings=(nobody,)))
    assert (len(view.marks), view.without) == (5, 0)  # an empty picture would say nothing
    (view,) = forest_views(pool_of(5, ratings=(replace(rating, key="worst-case"),)))
    assert (len(view.marks), view.without) == (5, 0)


def test_drawings_leave_out_seeds_that_all_policies_have() -> None:
    pool = replace(pool_of(3), names=("mnpo-seed-0", "ht-mnpo-seed-0-player-1", "sft"))
    assert heat_view(pool, (0, 1, 2)).names == ("mnpo", "ht-mnpo/player-1", "sft")
    pool = replace(pool, names=("mnpo-seed-0", "mnpo-seed-1", "sft"))
    assert heat_view(pool, (0, 1, 2)).names == pool.names
