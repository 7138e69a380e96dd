"""`games` and `algorithms`: lists, single entries, and their JSON."""

import json

import numpy as np
import pytest

from mnpo.algorithms import list_algorithms
from simulators import make_game
from simulators.games import list_games


def test_games_list_names_every_family_parameter_and_default(bench) -> None:
    text = bench("games", "list").out
    lines = [line.strip() for line in text.splitlines()]
    for spec in list_games():
        assert ("file:PATH" if spec.name == "file" else spec.name) in lines
        for parameter in spec.parameters:
            assert any(line.startswith(f"{parameter.name} = ") for line in lines)
    assert max(map(len, text.splitlines())) <= 80


def test_games_list_as_json(bench) -> None:
    listed = json.loads(bench("games", "list", "--json").out)
    assert [entry["name"] for entry in listed] == [spec.name for spec in list_games()]
    cyclic = next(entry for entry in listed if entry["name"] == "cyclic")
    assert {p["name"]: p["default"] for p in cyclic["parameters"]} == {
        "actions": 3,
        "strength": 1.0,
        "beats": "previous",
    }
    assert all(entry["summary"] and entry["source"] for entry in listed)


@pytest.mark.parametrize("name", [s.name for s in list_games() if s.name != "file"])
def test_games_show(bench, name) -> None:
    outcome = bench("games", "show", name)
    assert outcome.code == 0
    assert outcome.err == ""
    assert name in outcome.out.splitlines()[0]
    facts = json.loads(bench("games", "show", name, "--json").out)
    assert facts["name"] == name
    assert facts["size"] == make_game(name).size


def test_games_show_prints_the_matrix_and_the_equilibrium(bench) -> None:
    text = bench("games", "show", "biased-rps").out
    rows = [line.split() for line in text.splitlines()]
    matrix = [row for row in rows if row[:1] in (["0"], ["1"], ["2"])]
    shown = np.array([[float(p) for p in row[-3:]] for row in matrix])
    np.testing.assert_allclose(shown, make_game("biased-rps").preferences, atol=0.005)
    # Nash of the COMAL paper's game: (4/11, 3/11, 4/11).
    assert text.count("0.3636") == 2
    assert "0.2727" in text


def test_games_show_with_parameters_and_a_file(bench, tmp_path) -> None:
    facts = json.loads(bench("games", "show", "cyclic", "--set", "actions=5", "--json").out)
    assert facts["size"] == 5
    np.testing.assert_allclose(facts["nash"], np.full(5, 0.2), atol=1e-9)
    (tmp_path / "wins.csv").write_text("win,a,b\na,.5,.8\nb,.2,.5\n")
    facts = json.loads(bench("games", "show", "file:wins.csv", "--json").out)
    assert facts["actions"] == ["a", "b"]
    assert facts["nash"] == [1.0, 0.0]


def test_algorithms_list(bench) -> None:
    text = bench("algorithms", "list").out
    lines = text.splitlines()
    for entry in list_algorithms():
        assert entry.name in lines
        assert entry.kind.card.arxiv in text
        assert str(entry.kind.card.badge) in text
    assert max(map(len, lines)) <= 80


def test_algorithms_as_json(bench) -> None:
    listed = json.loads(bench("algorithms", "list", "--json").out)
    assert [entry["name"] for entry in listed] == [entry.name for entry in list_algorithms()]
    for entry in listed:
        assert json.loads(bench("algorithms", "show", entry["name"], "--json").out) == entry
        assert entry["badge"]
        assert entry["equations"]


@pytest.mark.parametrize("entry", list_algorithms(), ids=lambda entry: entry.name)
def test_algorithms_show(bench, entry) -> None:
    outcome = bench("algorithms", "show", entry.name)
    assert outcome.code == 0
    assert outcome.err == ""
    assert entry.kind.card.title in outcome.out
    assert entry.kind.card.equations in outcome.out


def test_algorithms_show_says_how_the_paper_calls_it(bench) -> None:
    assert "eta: eta is the inverse step: alpha = 1/eta" in bench("algorithms", "show", "inpo").out
