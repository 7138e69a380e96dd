"""Input that the Python functions refuse: one line that names what is wrong."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnpo.algorithms import get_algorithm
from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting, UserError
from simulators import (
    duality_gap,
    external_regret,
    load_game,
    make_game,
    nash_equilibrium,
    regularized_equilibrium,
    simulate,
    swap_regret,
)
from simulators.decomposition import hodge_decomposition

P = make_game("cyclic").preferences
THIRD = np.full(3, 1 / 3)
NAN = float("nan")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ([0.5, 0.5], "policy: has 2 entries, the game has 3 actions"),
        (0.5, "policy: has 1 entries, the game has 3 actions"),
        ([0.5, NAN, 0.5], "policy: entry [1] is nan, not a probability"),
        ([0.9, 0.3, -0.2], "policy: entry [2] is -0.2, not a probability"),
        ([0.5, 0.5, 0.5], "policy: sums to 1.5, not 1"),
        ("rock", "policy: not an array of numbers"),
        ([[0.5, 0.5], [1.0]], "policy: not an array of numbers"),
        ([THIRD, [0.5, 0.2, 0.2]], "policy: sums to 0.9, not 1"),
    ],
)
def test_gap_of_no_policy(policy: Any, said: str) -> None:
    with pytest.raises(InvalidPolicy, match=re.escape(said)) as error:
        duality_gap(P, policy)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("reference", [[0.5, 0.5, 0.0], [0.5, 0.5], [0.5, 0.5, NAN], [1, 1, 1]])
@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_gap_with_no_reference(reference: list[float], temperature: float) -> None:
    with pytest.raises(InvalidPolicy, match="reference"):
        duality_gap(P, THIRD, temperature, reference)


@pytest.mark.parametrize("temperature", [-1.0, NAN, float("inf"), "cold", True, None])
def test_gap_at_no_temperature(temperature: Any) -> None:
    with pytest.raises(InvalidSetting, match="temperature must be"):
        duality_gap(P, THIRD, temperature)


@pytest.mark.parametrize("game", [P[:2], P + 0.1, np.where(P == 0.5, NAN, P), "cyclic", [[0.5], 1]])
def test_functions_of_no_game(game: Any) -> None:
    for function in (
        lambda: duality_gap(game, THIRD),
        lambda: external_regret(game, [THIRD]),
        lambda: swap_regret(game, [THIRD]),
        lambda: nash_equilibrium(game),
        lambda: regularized_equilibrium(game, 0.1),
        lambda: hodge_decomposition(game),
        lambda: simulate(game, "inpo"),
    ):
        with pytest.raises(InvalidGame) as error:
            function()
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("regret", [external_regret, swap_regret])
def test_regret_of_no_policies(regret: Any) -> None:
    with pytest.raises(InvalidPolicy, match=re.escape("policies: entry [1, 1] is nan")):
        regret(P, [THIRD, [0.5, NAN, 0.5]])
    with pytest.raises(InvalidPolicy, match=re.escape("sums to 1.5, not 1")):
        regret(P, [[0.5, 0.5, 0.5]])
    with pytest.raises(InvalidPolicy, match=re.escape("must be (T, K)")):
        regret(P, THIRD)


def test_a_game_is_not_its_name() -> None:
    with pytest.raises(InvalidGame, match=re.escape("build it with make_game('cyclic')")):
        simulate("cyclic", "inpo")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"iterations": "5"}, "iterations must be a whole number of at least 0, got '5'"),
        ({"iterations": 1.5}, "iterations must be a whole number of at least 0, got 1.5"),
        ({"iterations": True}, "iterations must be a whole number of at least 0, got True"),
        ({"iterations": None}, "iterations must be a whole number of at least 0, got None"),
        ({"iterations": -1}, "iterations must be at least 0, got -1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": 0.5}, "seed must be a whole number of at least 0, got 0.5"),
        ({"seed": True}, "seed must be a whole number of at least 0, got True"),
        ({"seed": "one"}, "seed must be a whole number of at least 0, got 'one'"),
        ({"seed": [1, 2]}, "seed must be a whole number of at least 0, got [1, 2]"),
        ({"step_size": [0.1, 0.2]}, "step_size must be one number, got [0.1, 0.2]; simulate_batch"),
        ({"step_size": "fast"}, "step_size must be a number, got 'fast'"),
        ({"step_size": None}, "step_size must be a number, got None"),
        ({"step_size": True}, "step_size must be a number, got True"),
        ({"temperature": np.ones(2)}, "temperature must be one number"),
        ({"eta": -2}, "inpo: eta must be above 0, got -2"),
        ({"eta": 0}, "eta is an inverse step here and must not be 0"),
    ],
)
def test_settings_of_a_run(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(said)) as error:
        simulate(P, "inpo", **given)
    assert "\n" not in str(error.value)


def test_numpy_numbers_are_numbers() -> None:
    run = simulate(
        *(P, "inpo"),
        step_size=np.float32(0.5),  # type: ignore[arg-type]
        iterations=np.int64(3),  # type: ignore[arg-type]
        seed=np.int32(2),  # type: ignore[arg-type]
    )
    assert run.policies.shape == (4, 3)


def test_weights_may_be_arrays() -> None:
    weights = np.array([0.5, 0.25])
    listed = simulate(P, "mnpo", history_weights=[0.5, 0.25], iterations=5)
    given = simulate(P, "mnpo", history_weights=weights, iterations=5)
    assert np.array_equal(listed.policies, given.policies)
    value = get_algorithm("mnpo", history_weights=weights)
    assert value == get_algorithm("mnpo", history_weights=(0.5, 0.25))
    external = get_algorithm("eo-mnpo", external_weights=np.array([1, 2]))
    assert external == get_algorithm("eo-mnpo", external_weights=(1.0, 2.0))
    for bad in (np.ones((2, 2)), np.array(["a", "b"]), np.array(1.0), np.array([True, False])):
        with pytest.raises(InvalidSetting, match="history_weights must be a list of numbers"):
            get_algorithm("mnpo", history_weights=bad)


ONE_SIDED = "0.5,nan\n0.4,0.5\n"


@pytest.mark.parametrize("kind", ["win-fraction", "auto"])
def test_a_missing_side_is_not_made_up(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "g.csv"
    path.write_text(ONE_SIDED)
    with pytest.raises(InvalidGame) as error:
        load_game(path, kind=kind)
    assert str(error.value) == (
        "g.csv: 'a0' against 'a1' is missing and 'a1' against 'a0' is given; "
        "fill_missing=mirror completes a pair from its other side"
    )


@pytest.mark.parametrize("how", ["mirror", "half", "bradley-terry"])
def test_a_missing_side_is_completed_on_request(tmp_path: Path, how: str) -> None:
    path = tmp_path / "g.csv"
    path.write_text(ONE_SIDED)
    game = load_game(path, fill_missing=how)
    assert game.preferences == pytest.approx(np.array([[0.5, 0.6], [0.4, 0.5]]))
    assert game.parameters["fill_missing"] == how


def test_a_triangle_of_any_format_is_a_matrix(tmp_path: Path) -> None:
    for blank in (np.tri(4, k=-1, dtype=bool), np.tri(4, k=-1, dtype=bool).T):
        full = make_game("random-skew", actions=4, seed=1).preferences
        np.save(tmp_path / "g.npy", np.where(blank, NAN, full))
        loaded = load_game(tmp_path / "g.npy", kind="win-fraction")
        assert loaded.preferences == pytest.approx(full, abs=1e-15)


def test_one_missing_side_among_many(tmp_path: Path) -> None:
    full = make_game("random-skew", actions=4, seed=1).preferences.copy()
    full[2, 1] = NAN
    np.save(tmp_path / "g.npy", full)
    with pytest.raises(InvalidGame, match="'a2' against 'a1' is missing and 'a1' against 'a2' is"):
        load_game(tmp_path / "g.npy")
    full[3, 0] = NAN
    np.save(tmp_path / "g.npy", full)
    with pytest.raises(InvalidGame, match=re.escape("(and 1 more)")):
        load_game(tmp_path / "g.npy")


def test_mirror_does_not_fill_what_nobody_knows(tmp_path: Path) -> None:
    full = make_game("random-skew", actions=4, seed=1).preferences.copy()
    full[2, 1] = full[0, 3] = full[3, 0] = NAN
    np.save(tmp_path / "g.npy", full)
    with pytest.raises(InvalidGame, match="1 of 6 pairs have no preference: 'a0' against 'a3'"):
        load_game(tmp_path / "g.npy", fill_missing="mirror")


def test_a_pair_with_one_side_is_not_fully_compared(tmp_path: Path) -> None:
    full = make_game("random-skew", actions=4, seed=1).preferences.copy()
    full[2, 1] = NAN
    np.save(tmp_path / "g.npy", full)
    game = load_game(tmp_path / "g.npy", drop_missing=True)
    assert game.actions == ("a0", "a1", "a3")


def test_a_count_of_one_side_only(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text("wins,a,b\na,0,\nb,4,0\n")
    for options in ({}, {"fill_missing": "mirror"}, {"fill_missing": "half"}):
        with pytest.raises(InvalidGame, match=r"'a' against 'b' is missing .* write 0"):
            load_game(path, **options)  # type: ignore[arg-type]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    for path in (str(tmp_path), "."):
        with pytest.raises(UserError, match=re.escape(f"{path}: a folder; give a file")):
            load_game(path)
