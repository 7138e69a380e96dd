"""Every format and meaning of a file reads back the matrix that was written."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import preference_matrices
from hypothesis import given

from simulators.games import load_game, make_game
from simulators.games.files.csv_tables import parse_csv
from simulators.games.files.json_games import parse_json

RPS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])
COMAL = np.array([[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]])
NAMES = ("x, y", "b", 'quoted "c"')


def csv_text(
    matrix: np.ndarray, corner: str | None, names: tuple[str, ...], mark: str = ","
) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=mark)
    if corner is not None:
        writer.writerow([corner, *names])
    for name, row in zip(names, matrix, strict=True):
        cells = ["" if np.isnan(x) else repr(float(x)) for x in row]
        writer.writerow(cells if corner is None else [name, *cells])
    return stream.getvalue()


def write(folder: Path, name: str, matrix: np.ndarray, names: tuple[str, ...] = NAMES) -> Path:
    path = folder / name
    if ".npy" in name:
        np.save(path, matrix)
        return path
    if ".json" in name:
        text = json.dumps({"actions": names, "preferences": matrix.tolist()})
    else:
        text = csv_text(matrix, "row_beats_col", names, "\t" if ".tsv" in name else ",")
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


FILES = ["g.csv", "g.CSV", "g.csv.gz", "g.tsv", "g.tsv.gz", "g.json", "g.json.gz", "g.npy"]


@pytest.mark.parametrize("name", FILES)
def test_round_trip(tmp_path: Path, name: str) -> None:
    game = load_game(write(tmp_path, name, COMAL))
    assert np.array_equal(game.preferences, COMAL)
    assert game.name == "file:g"
    assert game.actions == (("a0", "a1", "a2") if name.endswith("npy") else NAMES)
    assert game.parameters["kind"] == "win-fraction"
    again = make_game("file", **game.parameters)
    assert np.array_equal(again.preferences, COMAL)
    by_name = make_game(f"file:{tmp_path / name}", kind="win-fraction", scale="1")
    assert np.array_equal(by_name.preferences, COMAL)


@given(preference_matrices(2, 6))
def test_any_matrix_survives_text(P: np.ndarray) -> None:
    names = tuple(f"model {i}" for i in range(len(P)))
    for text in (csv_text(P, "p", names), csv_text(P, None, names), csv_text(P, "", names)):
        assert np.array_equal(parse_csv(text, "g.csv").values, P)
    assert np.array_equal(parse_json(json.dumps(P.tolist()), "g.json").values, P)


def test_layouts_of_labels(tmp_path: Path) -> None:
    layouts = {
        "both": csv_text(COMAL, "row_beats_col", ("a", "b", "c")),
        "blank corner": csv_text(COMAL, "", ("a", "b", "c")),
        "header only": "a,b,c\n" + csv_text(COMAL, None, ("a", "b", "c")),
        "semicolons": csv_text(COMAL, "p", ("a", "b", "c"), ";"),
        "byte order mark": "\ufeff" + csv_text(COMAL, "p", ("a", "b", "c")),
        "spaces and blank lines": csv_text(COMAL, "p", (" a", "b ", "c")).replace("\n", "\n\n"),
    }
    path = tmp_path / "g.csv"
    for layout, text in layouts.items():
        path.write_text(text, encoding="utf-8")
        game = load_game(path)
        assert game.actions == ("a", "b", "c"), layout
        assert np.array_equal(game.preferences, COMAL), layout


def test_numbers_as_labels_and_blank_diagonals(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text(csv_text(COMAL, "", ("0", "1", "2")))  # what a data frame writes
    assert load_game(path).actions == ("0", "1", "2")
    path.write_text(csv_text(COMAL, "row_beats_col", ("10", "20", "30")))
    assert load_game(path).actions == ("10", "20", "30")
    blank = COMAL.copy()
    np.fill_diagonal(blank, np.nan)
    for corner in (None, "", "p"):
        path.write_text(csv_text(blank, corner, ("a", "b", "c")))
        assert np.array_equal(load_game(path).preferences, COMAL)
    for size in (2, 3):  # actions that tie: no label in sight
        blank = np.full((size, size), 0.5)
        np.fill_diagonal(blank, np.nan)
        path.write_text(csv_text(blank, None, ("",) * size))
        assert load_game(path).actions == tuple(f"a{i}" for i in range(size))


def test_half_of_each_pair_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    upper = np.where(np.tri(3, k=-1, dtype=bool), np.nan, COMAL)
    path.write_text(csv_text(upper, "p", ("a", "b", "c")))
    assert load_game(path).preferences == pytest.approx(COMAL, abs=1e-15)
    path.write_text(csv_text(np.where(np.isnan(upper), np.nan, upper - 0.5), "payoff", NAMES))
    assert load_game(path, scale=0.5).preferences == pytest.approx(COMAL, abs=1e-15)


WINS = np.array([[0.0, 3.0, 6.0], [1.0, 0.0, 2.0], [2.0, 8.0, 0.0]])
FRACTIONS = np.array([[0.5, 0.75, 0.75], [0.25, 0.5, 0.2], [0.25, 0.8, 0.5]])


@pytest.mark.parametrize(
    ("matrix", "options", "kind", "expected"),
    [
        (RPS, {}, "win-fraction", RPS),
        (100 * COMAL, {"scale": 100}, "win-fraction", COMAL),
        (2 * COMAL - 1, {}, "payoff", COMAL),
        (2 * COMAL - 1, {"scale": 2}, "payoff", 0.25 + COMAL / 2),
        (1000 * (2 * COMAL - 1), {"scale": 1000}, "payoff", COMAL),
        (WINS, {}, "counts", FRACTIONS),
        (np.array([[0.0, 1.0], [3.0, 0.0]]), {}, "counts", [[0.5, 0.25], [0.75, 0.5]]),
        (
            np.array([[1.0, 2.0], [0.0, 0.5]]),
            {"kind": "multipliers"},
            "multipliers",
            [[0.5, 1.0], [0.0, 0.5]],
        ),
        (
            np.array([[0.5, 0.7], [0.5, 0.4]]),
            {"kind": "win-fraction", "antisymmetrize": True},
            "win-fraction",
            [[0.5, 0.6], [0.4, 0.5]],
        ),
        (
            np.array([[0.2, 0.7], [-0.5, 0.4]]),
            {"kind": "payoff", "antisymmetrize": "yes"},
            "payoff",
            [[0.5, 0.8], [0.2, 0.5]],
        ),
        (np.zeros((2, 2)), {"kind": "payoff"}, "payoff", np.full((2, 2), 0.5)),
    ],
)
def test_meanings(
    tmp_path: Path, matrix: np.ndarray, options: dict[str, object], kind: str, expected: object
) -> None:
    """Detected from the numbers alone, in every format."""
    np.save(tmp_path / "g.npy", matrix)
    (tmp_path / "g.csv").write_text(csv_text(matrix, None, ("",) * len(matrix)))
    (tmp_path / "g.json").write_text(json.dumps(matrix.tolist()))
    for name in ("g.npy", "g.csv", "g.json"):
        game = make_game(f"file:{tmp_path / name}", **options)
        assert game.parameters["kind"] == kind
        np.testing.assert_allclose(game.preferences, expected, rtol=0, atol=1e-15)


def test_comparisons_of_counts_are_kept(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text(csv_text(WINS, "wins", NAMES))
    counts = load_game(tmp_path / "g.csv").counts
    assert counts is not None
    assert counts.tolist() == [[0, 4, 8], [4, 0, 10], [8, 10, 0]]


def test_long_table_of_pairs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(
        "mode,model_1,model_2,model_1_wins,model_2_wins,ties\n"
        "votes,b,a,6,2,2\nmajority,b,a,9,1,0\nvotes,a,c,1,0,3\nvotes,c,b,5,5,0\nvotes,a,b,0,10,0\n"
    )
    game = load_game(path, mode="votes")
    assert game.actions == ("b", "a", "c")
    assert game.counts is not None
    assert game.counts.tolist() == [[0, 20, 10], [20, 0, 4], [10, 4, 0]]
    expected = [[0.5, 17 / 20, 0.5], [3 / 20, 0.5, 2.5 / 4], [0.5, 1.5 / 4, 0.5]]
    np.testing.assert_allclose(game.preferences, expected, rtol=0, atol=1e-15)
    assert load_game(path, mode="majority").preferences[0, 1] == 0.9
    path.write_text("player_1,player_2,player_1_wins,player_2_wins\nx,y,3,1\n")
    assert load_game(path).preferences[0, 1] == 0.75


def test_json_objects(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    content: dict[str, object] = {
        "models": ["a", "b", 3],
        "win_rate": COMAL.tolist(),
        "battles": [[0, 5, 6], [5, 0, 7], [6, 7, 0]],
        "source": "somewhere",
        "other": [1, 2],
    }
    path.write_text(json.dumps(content))
    game = load_game(path)
    assert game.actions == ("a", "b", "3")
    assert game.counts is not None
    assert game.counts.tolist() == content["battles"]
    path.write_text(json.dumps({"payoffs": [[0, 1], [-1, 0]]}))
    assert load_game(path).preferences.tolist() == [[0.5, 1], [0, 0.5]]
    path.write_text(json.dumps({"wins": [[None, 1], [0, None]]}))
    assert load_game(path).preferences.tolist() == [[0.5, 1], [0, 0.5]]
    path.write_text(json.dumps({"a": {"b": 0.9}, "b": {"b": 0.5, "c": 0.6}, "c": {"a": 0.2}}))
    game = load_game(path)
    assert game.actions == ("a", "b", "c")
    expected = [[0.5, 0.9, 0.8], [0.1, 0.5, 0.6], [0.2, 0.4, 0.5]]
    np.testing.assert_allclose(game.preferences, expected, rtol=0, atol=1e-15)


def test_type_chart(tmp_path: Path) -> None:
    path = tmp_path / "types.json"
    chart = [
        {"name": "fire", "strengths": ["grass"], "weaknesses": ["fire", "water"], "immunes": []},
        {"name": "water", "strengths": ["fire"], "weaknesses": [], "immunes": ["grass"]},
        {"name": "grass", "strengths": ["water"], "weaknesses": ["fire"]},
    ]
    path.write_text(json.dumps(chart))
    game = load_game(path)
    # fire on grass x2, grass on fire x1/2: (2 - 1/2) / (2 * 2) over one half; and so on.
    expected = [[0.5, 0.125, 0.875], [0.875, 0.5, 0.0], [0.125, 1.0, 0.5]]
    assert game.preferences.tolist() == expected
    assert game.parameters["kind"] == "multipliers"
    assert game.parameters["scale"] == 2.0
    assert load_game(path, scale=4).preferences[2, 1] == 0.75


def test_several_matrices_are_contexts(tmp_path: Path) -> None:
    stack = np.stack([RPS, COMAL])
    features = [[1.0, 2.0], [3.0, 4.0]]
    np.save(tmp_path / "g.npy", stack)
    (tmp_path / "g.json").write_text(json.dumps({"p": stack.tolist(), "features": features}))
    for name in ("g.npy", "g.json"):
        game = load_game(tmp_path / name)
        assert game.contexts == 2
        assert np.array_equal(game.preferences, stack)
        one = make_game(f"file:{tmp_path / name}", context="1")
        assert one.contexts == 1
        assert one.features is None
        assert np.array_equal(one.preferences, COMAL)
    with_features = load_game(tmp_path / "g.json").features
    assert with_features is not None
    assert with_features.tolist() == features
    np.save(tmp_path / "wins.npy", np.stack([WINS, WINS.T]))
    game = load_game(tmp_path / "wins.npy")
    assert game.preferences[1] == pytest.approx(FRACTIONS.T)


def test_counts_beside_the_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "g.csv", COMAL, ("a", "b", "c"))
    # Another order and an action more: found by their names.
    order = ("c", "a", "extra", "b")
    table = np.array([[np.nan, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]])
    (tmp_path / "n.csv").write_text(csv_text(table, "battles", order))
    expected = [[0, 5, 1], [5, 0, 3], [1, 3, 0]]
    for counts in ("n.csv", tmp_path / "n.csv"):
        game = load_game(path, counts=counts)
        assert game.counts is not None
        assert game.counts.tolist() == expected
    monkeypatch.chdir(tmp_path)
    game = load_game("g.csv", counts="n.csv")
    assert game.counts is not None
    assert game.counts.tolist() == expected


def test_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "g.csv", COMAL)
    assert load_game("~/g.csv").name == "file:g"


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint16])
def test_other_number_types(tmp_path: Path, dtype: Callable[[object], object]) -> None:
    np.save(tmp_path / "g.npy", np.array([[0, 3], [1, 0]], dtype=dtype))  # type: ignore[call-overload]
    assert load_game(tmp_path / "g.npy").preferences.tolist() == [[0.5, 0.75], [0.25, 0.5]]
