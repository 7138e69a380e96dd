"""Which parameter belongs to whom, and which axes an algorithm reads."""

import pytest

from mnpo.algorithms import list_algorithms
from mnpo.errors import InvalidSetting
from simulators.study.settings import (
    algorithm_settings,
    axes_of,
    check_axes,
    game_settings,
    sort_assignments,
    translated,
)

THREE = ("inpo", "mnpo", "dpo")


def test_settings_of_an_algorithm_in_both_vocabularies() -> None:
    assert algorithm_settings("inpo") == {"step_size", "temperature", "schedule", "eta", "tau"}
    assert "step_size" not in algorithm_settings("dpo")  # dpo's is a fit, not a step
    assert {"temperature", "beta"} <= algorithm_settings("dpo")
    assert "temperature" not in algorithm_settings("mwu")
    with pytest.raises(InvalidSetting, match="did you mean 'inpo'"):
        algorithm_settings("inpoo")


@pytest.mark.parametrize("entry", list_algorithms(), ids=lambda entry: entry.name)
def test_every_algorithm_has_settings(entry) -> None:
    assert algorithm_settings(entry.name)


def test_settings_of_a_game() -> None:
    assert game_settings("cyclic") == {"actions", "strength", "beats"}
    assert "antisymmetrize" in game_settings("file:anything.csv")
    assert game_settings("no such game") == set()


def test_assignments_find_their_owner() -> None:
    given = {
        "actions": 4,
        "game.strength": 0.5,
        "reference_weight": 0.1,
        "queries": 10,
        "rewards": [1, 2, 3, 4],
        "inpo.eta": 3,
        "mnpo.eta": 0.2,
        "mnpo.tau": 0.3,
    }
    game, shared, single = sort_assignments(given, "cyclic", THREE)
    assert game == {"actions": 4, "strength": 0.5}
    assert shared == {"reference_weight": 0.1, "queries": 10, "rewards": [1, 2, 3, 4]}
    assert single == {"inpo": {"eta": 3}, "mnpo": {"eta": 0.2, "tau": 0.3}}


def test_a_name_that_both_know_is_the_algorithms_unless_the_game_is_named() -> None:
    assert "players" in game_settings("plackett-luce")
    assert "players" in algorithm_settings("mnpo")
    given = {"players": 4}
    assert sort_assignments(given, "plackett-luce", ("mnpo",)) == ({}, given, {})
    assert sort_assignments(given, "plackett-luce", ("inpo",)) == (given, {}, {})
    assert sort_assignments({"game.players": 4}, "plackett-luce", ("mnpo",)) == (given, {}, {})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("actons", "cannot set unknown setting 'actons'; did you mean 'actions'?"),
        ("etta", "did you mean 'eta'?"),
        ("zzz", "; known: actions, advantage, annotator_sampling, beats"),
        ("comal.inner", "'comal' is not among the algorithms of this run; known: dpo, inpo, mnpo"),
        ("inp.eta", "did you mean 'inpo'?"),
        ("seeds", "it belongs to the whole run, give it with --seeds"),
        ("step_size", "it belongs to the whole run, give it with --step-size"),
        ("algorithm_parameters", "give it in a --config file"),
    ],
)
def test_assignments_nobody_reads(key: str, said: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        sort_assignments({key: 1}, "cyclic", THREE)
    assert said in str(caught.value)


def test_axes_an_algorithm_does_not_read_are_left_out() -> None:
    axes = {
        "step_size": (0.1, 0.2),
        "temperature": (0.1, 0.2),
        "reference_weight": (0.1,),
        "actions": (3, 5),
        "inpo.eta": (1, 2),
        "queries": (10,),
    }
    assert list(axes_of("inpo", "cyclic", axes)) == [
        *("step_size", "temperature", "game.actions", "inpo.eta", "queries")
    ]
    assert list(axes_of("mnpo", "cyclic", axes)) == [
        *("step_size", "temperature", "reference_weight", "game.actions", "queries")
    ]
    # The temperature is also that of the game by which a run is judged.
    assert list(axes_of("mwu", "cyclic", axes)) == [
        *("step_size", "temperature", "game.actions", "queries")
    ]
    assert list(axes_of("dpo", "cyclic", axes)) == ["temperature", "game.actions", "queries"]


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"eta": ()}, "sweep over 'eta' has no values"),
        ({"etta": (1,)}, "cannot sweep unknown setting 'etta'; did you mean 'eta'?"),
        ({"game.actons": (1,)}, "did you mean 'actions'?"),
        ({"comal.inner": (1,)}, "'comal' is not among the algorithms"),
        ({"iterations": (1,)}, "belongs to the whole run, give it with --iterations"),
        ({"queries": (1,)}, "'queries' is both swept and set"),
    ],
)
def test_axes_nobody_reads(axes: dict[str, tuple[int, ...]], said: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        check_axes(axes, "cyclic", THREE, {"queries": 10})
    assert said in str(caught.value)


def test_a_step_size_that_nobody_reads_is_not_swept() -> None:
    check_axes({"step_size": (1,)}, "cyclic", ("dpo", "mwu"), {})
    with pytest.raises(InvalidSetting, match="no algorithm of this run reads it"):
        check_axes({"step_size": (1,)}, "cyclic", ("dpo", "ipo"), {})


def test_paper_parameters_are_translated() -> None:
    assert translated("inpo", {"eta": 4, "tau": 0.2}) == {"step_size": 0.25, "temperature": 0.2}
    assert translated("sppo", {"eta": 4}) == {"step_size": 4}
    with pytest.raises(InvalidSetting, match="give one of them"):
        translated("inpo", {"eta": 4, "step_size": 1})


@pytest.mark.parametrize("value", ["x", None, [1], {}, True])
def test_a_step_that_is_no_number(value: object) -> None:
    with pytest.raises(InvalidSetting, match="inpo: eta must be a number, got"):
        translated("inpo", {"eta": value})
