"""Games by name: reading parameters, and what is said about wrong ones."""

from pathlib import Path

import numpy as np
import pytest

from mnpo.errors import InvalidSetting
from simulators.games import GameSpec, list_games, make_game
from simulators.games.registry import game_from_text

NAMES = [
    "cyclic",
    "biased-rps",
    "bradley-terry",
    "condorcet",
    "knob",
    "disc",
    "random-skew",
    "plackett-luce",
    "tie",
    "clone",
    "contextual",
    "blotto",
]


def test_every_family_is_listed_and_documented() -> None:
    assert [spec.name for spec in list_games()] == [*NAMES, "file"]
    for spec in list_games():
        assert spec.summary
        assert spec.source
        for parameter in spec.parameters:
            assert parameter.doc, f"{spec.name}.{parameter.name}"


@pytest.mark.parametrize("spec", list_games()[:-1], ids=lambda spec: spec.name)
def test_every_family_builds_with_its_defaults(spec: GameSpec) -> None:
    game = make_game(spec.name)
    P = game.preferences
    assert game.name == spec.name
    assert P.dtype == np.float64
    assert P.shape[-2:] == (game.size, game.size)
    assert (P + np.swapaxes(P, -1, -2) == 1).all()
    assert ((P >= 0) & (P <= 1)).all()
    assert len(set(game.actions)) == game.size
    assert set(game.parameters) == {parameter.name for parameter in spec.parameters}


@pytest.mark.parametrize("spec", list_games()[:-1], ids=lambda spec: spec.name)
def test_the_resolved_parameters_build_the_same_game_also_as_texts(spec: GameSpec) -> None:
    game = make_game(spec.name)
    again = make_game(spec.name, **game.parameters)
    assert np.array_equal(again.preferences, game.preferences)
    texts = {name: as_text(value) for name, value in game.parameters.items()}
    read = make_game(spec.name, **texts)
    assert read.parameters == game.parameters
    assert np.array_equal(read.preferences, game.preferences)


def as_text(value: object) -> str:
    if isinstance(value, tuple):
        nested = any(isinstance(item, tuple) for item in value)
        return (";" if nested else ",").join(as_text(item) for item in value)
    return str(value)


def test_texts_are_read_in_the_parameters_type() -> None:
    game = make_game("cyclic", actions=" 5 ", strength="0.25", beats="next")
    assert game.parameters == {"actions": 5, "strength": 0.25, "beats": "next"}
    assert make_game("cyclic", actions=np.int64(5)).size == 5
    assert make_game("cyclic", actions=5.0).size == 5
    utilities = make_game("bradley-terry", utilities="0, 1.5, 3").utilities
    assert utilities is not None
    assert utilities.tolist() == [[0.0, 1.5, 3.0]]
    table = make_game("plackett-luce", utilities=np.eye(2)).utilities
    assert table is not None
    assert table.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert make_game("plackett-luce", utilities=[0, 1, 2]).size == 3
    assert make_game("plackett-luce", weights="none").parameters["weights"] is None


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("cyclc", {}, "unknown game 'cyclc'; did you mean 'cyclic'?"),
        ("chess", {}, "unknown game 'chess'; known: biased-rps, blotto"),
        ("cyclic", {"action": 3}, "has no parameter 'action'; did you mean 'actions'?"),
        ("cyclic", {"name": 3}, "game 'cyclic' has no parameter 'name'"),
        ("cyclic", {"actions": "three"}, "actions must be a whole number from 3 to 5000, not 't"),
        ("cyclic", {"actions": 3.5}, "actions must be a whole number from 3 to 5000, not 3.5"),
        ("cyclic", {"actions": True}, "actions must be a whole number from 3 to 5000, not True"),
        ("cyclic", {"actions": None}, "actions must be a whole number"),
        ("cyclic", {"actions": 2}, "from 3 to 5000, not 2"),
        ("cyclic", {"actions": 10**6}, "from 3 to 5000, not 1000000"),
        ("cyclic", {"strength": "nan"}, "strength must be a number from 0 to 1, not 'nan'"),
        ("cyclic", {"strength": 1.5}, "game 'cyclic': strength must be a number from 0 to 1, not"),
        ("cyclic", {"strength": False}, "strength must be a number"),
        ("cyclic", {"beats": "nxt"}, "unknown beats 'nxt'; did you mean 'next'?"),
        ("cyclic", {"beats": 3}, "beats must be one of previous, next, not 3"),
        ("random-skew", {"seed": -1}, "seed must be a whole number from 0"),
        ("bradley-terry", {"utilities": "1"}, "utilities has 1 numbers; give one per action"),
        ("bradley-terry", {"utilities": "1,x"}, "utilities must be numbers separated by commas"),
        ("bradley-terry", {"utilities": []}, "utilities must be numbers separated by commas"),
        ("plackett-luce", {"utilities": "1,2;3"}, "utilities must be rows separated by ';'"),
        ("plackett-luce", {"utilities": 3}, "utilities must be rows separated by ';'"),
        ("plackett-luce", {"utilities": "1;2"}, "utilities has 1 actions"),
        ("plackett-luce", {"weights": "1,0"}, "2 weights for 3 annotators; give one each"),
        ("plackett-luce", {"players": 1}, "players must be a whole number from 2"),
        ("condorcet", {"weights": ".5,.3,.3"}, "weights must be positive and sum to 1; they are"),
        ("condorcet", {"weights": "1,0,0"}, "weights must be positive"),
        ("condorcet", {"rankings": "abc,bcd,cab"}, "only one of them has 'a'"),
        ("condorcet", {"rankings": "abb,bba,bab"}, "the ranking a>b>b names 'b' twice"),
        ("condorcet", {"rankings": "a,a,a"}, "rankings is 'a,a,a'; give one per annotator"),
        ("condorcet", {"rankings": ""}, "rankings must be a text, not ''"),
        ("random-skew", {"recipe": "sin", "seed": 2}, "recipe=sin draws nothing, so seed=2"),
        ("clone", {"action": 3}, "action 3 is not in the base game, whose actions are 0 to 2"),
        ("clone", {"base": "cycle"}, "unknown game 'cycle'; did you mean 'cyclic'?"),
        ("clone", {"base": "cyclic:actions"}, "game 'cyclic:actions': 'actions' is not key=value"),
        ("clone", {"base": "tie", "copies": 4997}, "more than 5000 actions"),
        ("contextual", {"contexts": 10**6, "actions": 50}, "cells; at most 25000000 are allowed"),
        ("blotto", {"soldiers": 50, "fields": 6}, "make 3478761 allocations; at most 5000"),
        ("blotto", {"soldiers": 1, "allocations": "unordered"}, "one unordered allocation"),
        ("file", {}, "no file given; write file:PATH"),
        ("file:a.csv", {"path": "b.csv"}, "give the path once"),
        ("file:a.csv", {"scal": 2}, "has no parameter 'scal'; did you mean 'scale'?"),
        ("file:a.csv", {"antisymmetrize": "maybe"}, "antisymmetrize must be true or false, not"),
        ("file:a.csv", {"scale": 0}, "scale must be a number"),
        ("file:a.csv", {"min_count": -1}, "min_count must be a number of at least 0, not -1"),
        ("file:a.csv", {"kind": "payoffs"}, "unknown kind 'payoffs'; did you mean 'payoff'?"),
    ],
)
def test_wrong_names_and_values(name: str, parameters: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        make_game(name, **parameters)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_value_is_not_printed_whole() -> None:
    with pytest.raises(InvalidSetting) as caught:
        make_game("cyclic", actions=list(range(10_000)))
    assert len(str(caught.value)) < 200


def test_games_inside_texts() -> None:
    game = game_from_text("cyclic:actions=5;strength=.5")
    assert game.parameters == {"actions": 5, "strength": 0.5, "beats": "previous"}
    clone = make_game("clone", base="bradley-terry:actions=3", action="2", copies=2)
    assert clone.actions == ("a0", "a1", "a2", "a22", "a23")


def test_a_file_can_be_the_base_of_another_game(tmp_path: Path) -> None:
    np.save(tmp_path / "g.npy", [[0.0, 3.0], [-3.0, 0.0]])
    game = make_game("clone", base=f"file:{tmp_path / 'g.npy'};scale=6")
    assert game.preferences.tolist() == [[0.5, 0.5, 0.75], [0.5, 0.5, 0.75], [0.25, 0.25, 0.5]]
