"""Plots: axes, thinning, labels, planes, and what the pictures contain."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from conftest import preference_matrices
from hypothesis import given
from hypothesis import strategies as st

from simulators.metrics.local_rate import rotation_frequencies
from simulators.report.figures.curves import drawn_runs
from simulators.report.figures.gallery import gallery
from simulators.report.figures.palette import cast
from simulators.report.figures.plane import rotation_plane
from simulators.report.figures.scales import bounds, log_ticks, power_of_ten, spread, thinned


def svg_of(content: Any, section: str, place: int = 0) -> str:
    found = {s.name: s for s in gallery(content)}
    return str(found[section].pictures[place].svg)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1e-16, 1.0, ["10⁻¹⁵", "10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "1"]),
        (0.1, 1.0, ["0.1", "0.2", "0.5", "1"]),
        (1.0, 500.0, ["1", "10", "100"]),
    ],
)
def test_log_ticks(low: float, high: float, labels: list[str]) -> None:
    places, texts = log_ticks(low, high)
    assert texts == labels
    assert all(low * 0.999 <= place <= high * 1.001 for place in places)


def test_powers_of_ten() -> None:
    assert [power_of_ten(e) for e in (-12, -2, 0, 3, 4)] == ["10⁻¹²", "0.01", "1", "1000", "10⁴"]


def test_bounds_are_whole_decades() -> None:
    assert bounds(np.array([0.02, 0.5])) == (0.01, 1.0)
    assert bounds(np.array([0.1])) == (0.1, 1.0)


def test_thinning_keeps_the_envelope_of_a_fast_oscillation() -> None:
    t = np.arange(100_001)
    values = 0.5 + 0.4 * np.cos(t)  # a period of 6.3: every interval of the axis late on has both
    kept = thinned(t, values, 400)
    assert len(kept) <= 400
    assert kept[0] <= 1
    assert kept[-1] == 100_000
    assert (np.diff(kept) > 0).all()
    late = values[kept[t[kept] > 5_000]]
    assert late.max() > 0.899
    assert late.min() < 0.101
    few = np.arange(50)
    np.testing.assert_array_equal(thinned(few, few, 400), few)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=15), st.floats(0.001, 0.06))
def test_labels_are_moved_apart_and_stay_inside(places: list[float], gap: float) -> None:
    moved = spread(sorted(places), gap)
    assert len(moved) == len(places)
    assert all(b - a >= gap * (1 - 1e-9) for a, b in pairwise(moved))
    assert min(moved) >= -1e-9
    assert max(moved) <= 1 + 1e-9


def test_labels_far_apart_stay() -> None:
    assert spread([0.1, 0.5, 0.9], 0.05) == pytest.approx([0.1, 0.5, 0.9])
    assert spread([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])


@given(preference_matrices(min_actions=3, max_actions=7), st.integers(0, 10**6))
def test_the_plane_turns_at_the_largest_frequency(P: np.ndarray, seed: int) -> None:
    policy = np.random.default_rng(seed).dirichlet(np.ones(len(P))) * 0.9 + 0.1 / len(P)
    frequencies = rotation_frequencies(P, policy)
    plane = rotation_plane(P, policy)
    if plane is None:
        assert frequencies[0] < 1e-8
        return
    assert plane.frequency == pytest.approx(frequencies[0], rel=1e-6, abs=1e-9)
    share = frequencies[0] ** 2 / (frequencies**2).sum()
    assert plane.share == pytest.approx(share, rel=1e-6)
    np.testing.assert_allclose(plane.place(policy), 0, atol=1e-9)


@given(preference_matrices(min_actions=3, max_actions=3, margin=0.01), st.integers(0, 10**6))
def test_on_three_actions_the_plane_is_the_whole_game(P: np.ndarray, seed: int) -> None:
    """P_ij - 1/2 = g_i - g_j + omega (position_i x position_j), g the win rates at the policy."""
    policy = np.random.default_rng(seed).dirichlet(np.ones(3)) * 0.7 + 0.1
    plane = rotation_plane(P, policy)
    if plane is None or plane.frequency < 1e-6:
        return
    x, y = plane.positions.T
    g = (P - 0.5) @ policy
    rebuilt = g[:, None] - g[None, :] + plane.frequency * (np.outer(x, y) - np.outer(y, x))
    np.testing.assert_allclose(rebuilt, P - 0.5, atol=1e-7)


def test_actions_that_are_never_played_have_their_place() -> None:
    rock = np.array([[0.5, 0, 1], [1, 0.5, 0], [0, 1, 0.5]])
    P = np.full((4, 4), 0.5)
    P[:3, :3] = rock
    P[3, :3], P[:3, 3] = (0.1, 0.9, 0.2), (0.9, 0.1, 0.8)  # loses on average
    policy = np.array([1, 1, 1, 0]) / 3
    nearly = np.array([1, 1, 1, 1e-12]) / (3 + 1e-12)
    plane, limit = rotation_plane(P, policy), rotation_plane(P, nearly)
    assert plane is not None
    assert limit is not None
    np.testing.assert_allclose(plane.positions, limit.positions, atol=1e-5)


def test_play_turns_clockwise() -> None:
    """As the caption says: multiplicative weights on ten actions, seen in the plane."""
    size = 10
    turn = 2 * np.pi * np.arange(size) / size
    P = 0.5 + 0.3 * np.sin(turn[None, :] - turn[:, None])
    policy = np.full(size, 1 / size)
    plane = rotation_plane(P, policy)
    assert plane is not None
    x = 0.3 * np.cos(turn)
    angles = []
    for _ in range(300):
        current = np.exp(x) / np.exp(x).sum()
        angles.append(np.arctan2(*plane.place(current)[::-1]))
        x = x + 0.2 * P @ current
    travelled = np.diff(np.unwrap(angles))
    assert (travelled < 0).all()
    assert travelled.sum() < -2 * np.pi


def test_games_that_do_not_turn_have_no_plane() -> None:
    assert rotation_plane(np.full((4, 4), 0.5), np.full(4, 0.25)) is None
    assert rotation_plane(np.array([[0.5, 1], [0, 0.5]]), np.full(2, 0.5)) is None


def test_a_curve_is_drawn_where_its_values_are(make_content: Any, make_curves: Any) -> None:
    """1/t from 1 to 100 goes from the top left corner of the panel to its bottom right one."""
    content = make_content(("inpo",), curves=[make_curves("inpo", length=101)])
    content = replace(content, games=[replace(content.games[0], regularized_equilibrium=None)])
    svg = svg_of(content, "gaps")
    clip = re.search(r"<clipPath[^>]*><rect ([^>]*)/>", svg)
    assert clip
    box = {k: float(v) for k, v in re.findall(r'(\w+)="([\d.]+)"', clip[1])}
    (curve,) = re.findall(r'<path d="([^"]*)"[^>]*stroke: var\(--series-1\); stroke-opacity', svg)
    numbers = [float(n) for n in re.findall(r"[\d.]+", curve)]
    assert numbers[:2] == pytest.approx([box["x"], box["y"]], abs=0.1)
    assert numbers[-2:] == pytest.approx(
        [box["x"] + box["width"], box["y"] + box["height"]], abs=0.1
    )


def test_captions_say_who_closed_the_gap(make_content: Any, make_curves: Any) -> None:
    t = np.arange(201)
    runs = [
        make_curves("inpo", gap=np.exp(-0.2 * t)),
        make_curves("mwu", gap=np.full(201, 0.7)),
        make_curves("sppo", gap=np.full(201, 0.7)),
    ]
    (gaps,) = [s for s in gallery(make_content(curves=runs)) if s.name == "gaps"]
    caption = gaps.pictures[0].caption
    assert "Below 10⁻⁶ at the end: inpo." in caption
    assert "Above 0.1 at the end: mwu and sppo." in caption
    assert "mwu and sppo coincide." in caption
    assert "10⁻¹⁶" in caption  # exp(-40) is below the floor


def test_of_too_many_runs_some_of_every_algorithm_are_drawn(
    make_content: Any, make_curves: Any
) -> None:
    names = ("inpo", "mwu", "dpo", "sppo")
    content = make_content(names, curves=[make_curves(n) for n in names for _ in range(40)])
    drawn = drawn_runs(content)
    assert len(drawn) == 48
    assert {run.algorithm for run in drawn} == set(names)
    assert drawn_runs(make_content(names))[0].algorithm == "inpo"


def test_panels_without_data_are_left_out(make_content: Any, make_curves: Any) -> None:
    missing = np.full(201, np.nan)
    runs = [make_curves("mwu", regularized_gap=missing, kl=missing)]
    (gaps,) = [s for s in gallery(make_content(curves=runs)) if s.name == "gaps"]
    assert [p.title for p in gaps.pictures] == [
        "Duality gap, last iterate",
        "Duality gap, average iterate",
    ]


@pytest.mark.parametrize(
    ("size", "sees"),
    [(2, "Probability of the actions"), (3, "Each corner"), (10, "Projection onto the plane")],
)
def test_the_view_fits_the_game(make_content: Any, size: int, sees: str) -> None:
    (section,) = [s for s in gallery(make_content(size=size)) if s.name == "trajectories"]
    assert section.caption.startswith(sees)
    assert [p.title for p in section.pictures] == ["inpo", "mwu", "dpo"]
    assert [p.badge for p in section.pictures] == ["converges (last iterate)", "cycles", "diverges"]
    svg = section.pictures[0].svg
    assert "action 0" in svg
    assert re.fullmatch(r"<svg .*</svg>", svg, re.S)


def test_three_actions_mark_the_equilibria_where_they_are(make_content: Any) -> None:
    content = make_content(("inpo",))
    top_corner = replace(content.games[0], nash=np.array([1.0, 0.0, 0.0]))
    content = replace(content, games=[top_corner])
    svg = svg_of(content, "trajectories")
    top = re.search(r'<text[^>]*y="([\d.]+)"[^>]*>action 0</text>', svg)
    assert top
    marks = [float(y) for y in re.findall(r'<use [^>]*y="([\d.]+)"', svg)]
    assert any(abs(y - float(top[1])) < 10 for y in marks)


def test_contextual_runs_have_no_trajectories(make_content: Any) -> None:
    names = [section.name for section in gallery(make_content(contextual=True))]
    assert names == ["gaps"]


def test_colours_follow_the_algorithm_not_the_figure(make_content: Any) -> None:
    content = make_content(("inpo", "mwu", "dpo"))
    series = cast(content)
    fewer = make_content(("inpo", "mwu", "dpo"), curves=content.curves[1:])
    assert cast(fewer).style("mwu") == series.style("mwu")
    many = cast(make_content([f"method-{i}" for i in range(23)]))
    assert len({many.style(name) for name in many.names}) == 23


def test_settings_of_a_single_algorithm_are_told_apart(make_content: Any, make_curves: Any) -> None:
    runs = [make_curves("inpo", label=f"inpo (step_size={s})") for s in (0.1, 0.5)]
    content = make_content(("inpo",), curves=runs)
    svg = svg_of(content, "gaps")
    assert "step_size=0.1" in svg or "inpo (step_siz" in svg
    assert "var(--series-2)" in svg


def test_settings_of_several_algorithms_keep_the_algorithms_colour(
    make_content: Any, make_curves: Any
) -> None:
    runs = [
        make_curves(name, label=f"{name} α={s}", run=f"{name}-{s}")
        for name in ("inpo", "mwu")
        for s in (0.1, 0.5)
    ]
    content = make_content(("inpo", "mwu", "dpo"), curves=runs)
    series = cast(content)
    styles = [series.style(series.name(run)) for run in runs]
    assert styles[0].color == styles[1].color == series.style("inpo").color
    assert styles[2].color == styles[3].color == series.style("mwu").color
    assert len(set(styles)) == 4
    svg = svg_of(content, "gaps")
    for run in runs:
        assert f">{run.label}</text>" in svg
    many = [make_curves("inpo", label=f"inpo α={s}") for s in range(25)]
    assert not cast(make_content(("inpo", "mwu"), curves=many)).by_label


def test_runs_that_ran_off_are_drawn_at_the_edge(make_content: Any, make_curves: Any) -> None:
    off = np.geomspace(1, 1e99, 201)
    (gaps,) = [
        s for s in gallery(make_content(curves=[make_curves("dpo", kl=off)])) if s.name == "gaps"
    ]
    assert "10⁹⁹" not in gaps.pictures[-1].svg
    assert "Values above 10⁵⁰" in gaps.pictures[-1].caption


def test_sweep_panels(make_content: Any, make_row: Any) -> None:
    rows = [
        make_row("inpo", seed, step_size=s, gap_last=s * (1 + seed))
        for s in (0.01, 0.1, 1.0)
        for seed in range(3)
    ] + [make_row("dpo", seed) for seed in range(3)]
    content = make_content(rows=rows, settings={"sweep": {"step_size": [0.01, 0.1, 1.0]}})
    section = gallery(content)[0]
    assert section.name == "sweep"
    assert [p.title for p in section.pictures] == [
        "Final gap against step_size",
        "Final regularised gap against step_size",
    ]
    assert "median over seeds" in section.pictures[0].caption
    assert "Dotted: methods that read no step_size." in section.pictures[0].caption


@pytest.mark.parametrize("values", [(1, 2, 3, 4, 5, 6, 7, 8), ("own", "literal"), (True, False)])
def test_sweeps_over_anything(make_content: Any, make_row: Any, values: tuple[Any, ...]) -> None:
    rows = [make_row("mnpo", form=value) for value in values]
    content = make_content(("mnpo",), rows=rows, settings={"sweep": {"form": list(values)}})
    svg = svg_of(content, "sweep")
    assert ">form</text>" in svg


def test_a_swept_axis_without_a_column_or_with_one_value_is_no_sweep(make_content: Any) -> None:
    content = make_content(settings={"sweep": {"absent": [1, 2], "step_size": [0.5]}})
    assert "sweep" not in [section.name for section in gallery(content)]


def test_drawing_leaves_matplotlib_as_it_was(make_content: Any) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    gallery(make_content())
    assert dict(matplotlib.rcParams) == before


def test_no_iterations_no_curves(make_content: Any, make_curves: Any) -> None:
    assert gallery(make_content(curves=[make_curves("inpo", 3, 1)]))[0].name == "trajectories"


def test_the_gap_that_regularised_methods_aim_at_is_marked(
    make_content: Any, make_curves: Any
) -> None:
    content = make_content(("inpo",))
    game = replace(content.games[0], regularized_equilibrium=np.array([0.5, 0.3, 0.2]))
    content = replace(content, games=[game])
    assert "reg. equilibrium" in svg_of(content, "gaps", 0)
    assert "reg. equilibrium" in svg_of(content, "gaps", 1)
    assert "reg. equilibrium" not in svg_of(content, "gaps", 2)  # zero in its own game
    elsewhere = replace(content, curves=[make_curves("inpo", temperature=0.3)])
    assert "reg. equilibrium" not in svg_of(elsewhere, "gaps", 0)


def test_far_actions_are_named_at_the_edge_of_a_zoomed_picture(
    make_content: Any, make_curves: Any
) -> None:
    still = np.full((5, 10), 0.1)
    still[:, 0] += np.linspace(0, 0.01, 5)
    still /= still.sum(axis=1, keepdims=True)
    run = make_curves("inpo", None, policies=still, policy_iterations=np.arange(5))
    svg = svg_of(make_content(("inpo",), 10, curves=[run]), "trajectories")
    names = re.findall(r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>(action \d)</text>', svg)
    assert len(names) >= 6
    for x, y, _ in names:
        assert max(abs(float(x) - 95), abs(float(y) - 95)) > 70  # of 190 points
