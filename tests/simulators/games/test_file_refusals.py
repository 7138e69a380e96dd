"""Every file that is refused, and the one line that says why."""

import gzip
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mnpo.errors import InvalidGame, InvalidSetting, UserError
from simulators.games import load_game, make_game
from simulators.games.files import read

GOOD = "p,a,b,c\na,.5,.1,.8\nb,.9,.5,.1\nc,.2,.9,.5\n"


def refused(path: Path, **options: object) -> str:
    with pytest.raises(InvalidGame) as caught:
        make_game(f"file:{path}", **options)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


CSV = [
    ("", {}, "g.csv: the file is empty"),
    (" \n\n", {}, "the file is empty"),
    ("p,a,b\na,.5,x\nb,.5,.5\n", {}, "g.csv, line 2, column 'b': 'x' is not a finite number"),
    ("p,a,b\na,.5,inf\nb,.5,.5\n", {}, "line 2, column 'b': 'inf' is not a finite number"),
    ("p,a,b\na,.5,1e999\nb,.5,.5\n", {}, "'1e999' is not a finite number"),
    (".5,.4\n.6,zzz\n", {}, "line 2, column 'a1': 'zzz' is not a finite number"),
    (".5,zzz\n.6,.5\n", {}, "line 1, column 'a1': 'zzz' is not a finite number"),
    ("p,a,b\na,.5\nb,.5,.5\n", {}, "line 2: 2 cells, but the first line has 3"),
    ("p,a,b\n\n\na,.5,.5\nb,.5,.5,.5\n", {}, "line 5: 4 cells, but the first line has 3"),
    (".5,.5\n.5,.5\n.5,.5\n", {}, "3 rows of 2 numbers; a game matrix is square"),
    ("a,b\n.5,.5\n", {}, "'.5' is among the rows but not among the columns"),
    ("a,b,c\n.5,.5,.5\n", {}, "1 rows of 3 numbers; a game matrix is square"),
    ("p,a\na,.5\n", {}, "1 action; a game takes two at least"),
    ("model,rating\na,10\nb,20\n", {}, "'a' is among the rows but not among the columns (and 1"),
    ("p,a,b\na,.5,.5\nc,.5,.5\n", {}, "'c' is among the rows but not among the columns; rows and"),
    ("p,a,b,c\na,.5,.5,.5\nb,.5,.5,.5\n", {}, "'c' is among the columns but not among the rows"),
    ("p,a,b\nb,.5,.5\na,.5,.5\n", {}, "row 1 is 'b' but column 1 is 'a'; rows and columns must"),
    ("p,a,a\na,.5,.5\na,.5,.5\n", {}, "two rows are called 'a'"),
    ("p,a,\na,.5,.5\n,.5,.5\n", {}, "one of the rows has an empty label; name every action"),
    ('p,a,b\na,.5,".5\nb,.5,.5\n', {}, "g.csv, line"),
    (
        GOOD.replace("b,.9", "b,.7"),
        {},
        "win-fraction of 'a' against 'b' is 0.1 and of 'b' against 'a' 0.7; their sum is 0.8, must "
        "be 1 (worst of 1 pairs); antisymmetrize=true averages the two sides of every pair",
    ),
    (
        GOOD.replace("c,.2,.9,.5", "c,.2,.9,0"),
        {},
        "win-fraction of 'c' against 'c' is 0, must be 0.5 or blank; antisymmetrize=true makes it",
    ),
    (GOOD.replace(".9", "1.9"), {}, "'b' against 'a' is 1.9; a win-fraction with scale=1 runs fr"),
    (GOOD, {"scale": 0.5, "kind": "win-fraction"}, "with scale=0.5 runs from 0 to 0.5; give the"),
    (GOOD, {"scale": 5, "kind": "win-fraction"}, "sum is 1, must be 5 (worst of 3 pairs)"),
    (GOOD, {"mode": "votes"}, "mode=votes picks rows of a table of pairs; this file is a square"),
    (GOOD, {"context": 1}, "context=1 given, but the file has one matrix"),
    (GOOD, {"min_count": 5}, "min_count=5 needs the comparisons of each pair; give counts=FILE"),
    (
        "payoff,a,b\na,0,12\nb,-10,0\n",
        {},
        "payoffs reach 12; say what a sure win is worth, e.g. scale=20",
    ),
    (
        "payoff,a,b\na,0,12\nb,-10,0\n",
        {"scale": 20},
        "payoff of 'a' against 'b' is 12 and of 'b' against 'a' -10; their sum is 2, must be 0",
    ),
    ("payoff,a,b\na,0.2,1\nb,-1,0\n", {}, "payoff of 'a' against 'a' is 0.2, must be 0 or blank"),
    ("payoff,a,b\na,0,3\nb,-3,0\n", {"scale": 2}, "scale=2 runs from -2 to 2; give the right"),
    ("wins,a,b\na,0,3\nb,-3,0\n", {}, "'b' against 'a' is -3; a count is at least 0"),
    ("wins,a,b\na,0,3\nb,1,0\n", {"scale": 2}, "scale=2 means nothing for counts; leave it out"),
    ("wins,a,b\na,0,3\nb,1,0\n", {"counts": "n.csv"}, "but counts are in the file already"),
    (
        "battles,a,b\na,0,3\nb,3,0\n",
        {},
        "numbers of comparisons, not who won; load the win fractions and give this file as counts=",
    ),
    # Without a word in the header, what cannot be told safely is not guessed.
    ("0,3\n3,0\n", {}, "whole numbers, the same on both sides of every pair: numbers of compari"),
    (
        "0,3\n-1,0\n",
        {},
        "two sides of a pair do not cancel (off by up to 2); if they are noisy pay",
    ),
    (".5,.6\n.6,.5\n", {}, "numbers from 0.6 to 0.6 may be win fractions, payoffs or counts of"),
    (
        "0,0\n0,0\n",
        {},
        "say kind=win-fraction (antisymmetrize=true if noisy), kind=payoff or kind=",
    ),
    ("50,60.5\n39.5,50\n", {}, "they look like percentages: kind=win-fraction scale=100"),
    # Missing pairs.
    (
        "p,a,b,c,d\na,.5,,,\nb,,.5,,.5\nc,,,.5,.5\nd,,.5,.5,.5\n",
        {},
        "g.csv: 4 of 6 pairs have no preference: 'a' against 'b', 'a' against 'c', 'a' against 'd'"
        ", ...; fill them with fill_missing=bradley-terry or fill_missing=half, or keep a fully "
        "compared block with drop_missing=true",
    ),
    ("p,a,b\na,.5,\nb,NA,.5\n", {"kind": "payoff"}, "antisymmetrize=true makes it so"),
    ("wins,a,b\na,0,0\nb,0,0\n", {}, "1 of 1 pairs have no preference: 'a' against 'b'; fill"),
    ("p,a,b\na,.5,\nb,,.5\n", {"drop_missing": True}, "no two actions were compared; nothing is"),
    (
        "p,a,b\na,.5,\nb,,.5\n",
        {"fill_missing": "bradley-terry"},
        "cannot compare 'b' with 'a': no chain of compared pairs joins them; use fill_missing=half",
    ),
    (
        "p,a,b,c\na,.5,1,\nb,0,.5,.5\nc,,.5,.5\n",
        {"fill_missing": "bradley-terry"},
        "no finite strengths, because 'a' never lost to any of the others; use fill_missing=half",
    ),
    (
        "p,a,b,c,d\na,.5,.5,0,\nb,.5,.5,,0\nc,1,,.5,.5\nd,,1,.5,.5\n",
        {"fill_missing": "bradley-terry"},
        "no finite strengths, because 'c', 'd' never lost to any of the others",
    ),
]


@pytest.mark.parametrize(("text", "options", "words"), CSV, ids=range(len(CSV)))
def test_refused_tables(tmp_path: Path, text: str, options: dict[str, object], words: str) -> None:
    path = tmp_path / "g.csv"
    path.write_text(text)
    assert words in refused(path, **options)


HEADER = "mode,m_1,m_2,m_1_wins,m_2_wins,ties\n"
PAIRS = [
    (HEADER + "x,a,b,1,2,0\ny,a,b,1,2,0\nz,a,b,1,2,0\n", {}, "choose one with mode=x (or y, z)"),
    (HEADER + "votes,a,b,1,2,0\n", {"mode": "vote"}, "no line has mode 'vote'; did you mean 'vot"),
    ("m_1,m_2,m_1_wins,m_2_wins\na,b,1,2\n", {"mode": "x"}, "the table has no column 'mode'"),
    (HEADER + "x,a,a,1,2,0\nx,a,b,1,2,0\n", {}, "line 2: 'a' is compared with itself"),
    (HEADER + "x,a,b,-1,2,0\n", {}, "line 2, column 'm_1_wins': '-1' is not a count (a number of"),
    (HEADER + "x,a,b,1,,0\n", {}, "line 2, column 'm_2_wins': '' is not a count"),
    (HEADER + "x,a,b,1,2,x\n", {}, "line 2, column 'ties': 'x' is not a finite number"),
    (HEADER + "x,a,,1,2,0\n", {}, "one of the rows has an empty label"),
    (HEADER, {}, "no pair of actions to compare"),
    ("m_1,b,m_1_wins,m_2_wins\na,b,1,2\n", {}, "needs the columns m_1, m_2, m_1_wins, m_2_wins; '"),
    ("m_1,m_2,m_1_wins,m_2_wins,tie\na,b,1,2,3\n", {}, "unknown column 'tie'; did you mean 'ties'"),
    (HEADER + "x,a,b,1,2\n", {}, "line 2: 5 cells, but the first line has 6"),
]


@pytest.mark.parametrize(("text", "options", "words"), PAIRS, ids=range(len(PAIRS)))
def test_refused_tables_of_pairs(
    tmp_path: Path, text: str, options: dict[str, object], words: str
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    assert words in refused(path, **options)


JSON = [
    ("{", "g.json, line 1, column 2: not JSON"),
    ('{"p":\n [[0.5, 0.5],\n [0.5 0.5]]}', "g.json, line 3, column 7: not JSON"),
    ("[" * 100_000, "nested too deeply"),
    ("[" + "1" * 5000 + "]", "not JSON (Exceeds the limit"),
    ("3", "holds no matrix; a game is a list of rows or an object with one"),
    ("[]", "the matrix is not a matrix"),
    ("[1, 2]", "the matrix has shape (2,); a game is (K, K)"),
    ("[[[[1]]]]", "the matrix is not a matrix"),
    ("[[0.5, 0.5], [0.5]]", "the matrix, item [1] has 1 items, expected 2; rows differ in length"),
    ("[[0.5, 0.5], 3]", "the matrix, item [1] has no list, expected 2"),
    ('[[0.5, "x"], [0.5, 0.5]]', 'the matrix, item [0][1] is "x", not a number'),
    ("[[0.5, true], [0.5, 0.5]]", "the matrix, item [0][1] is true, not a number"),
    ("[[0.5, 1e999], [0.5, 0.5]]", "the matrix, item [0][1] is not a finite number"),
    ("[[0.5, [1]], [0.5, 0.5]]", "the matrix, item [0][1] is [1], not a number"),
    ("[[0.5, null], [null, 0.5]]", "no pair of actions has a number; every cell is missing"),
    ("[[[0.5, 0.5], [0.5, 0.5]], [[0.5, null], [null, 0.5]]]", "g.json, context 1: 1 of 1 pairs"),
    ('{"matrix": [[1]]}', "needs one matrix, but no key holds one; call it preferences, payoffs,"),
    ('{"counts": [[0, 3], [3, 0]]}', "needs one matrix, but no key holds one"),
    ('{"p": [[1]], "wins": [[1]]}', "keys p and wins both hold one"),
    ('{"p": [[0.5]]}', "'p' has shape (1, 1); a game is (K, K)"),
    ('{"p": [[0.5, 0.5], [0.5, 0.5]], "actions": ["a"]}', "'actions' has 1 names for 2 actions"),
    ('{"p": [[0.5, 0.5], [0.5, 0.5]], "names": "ab"}', "'names' must be a list of names"),
    ('{"p": [[0.5, 0.5], [0.5, 0.5]], "names": ["a", "a"]}', "two rows are called 'a'"),
    ('{"p": [[0.5, 0.5], [0.5, 0.5]], "counts": [[1]]}', "'counts' has shape (1, 1)"),
    (
        '{"p": [[0.5, 0.5], [0.5, 0.5]], "counts": [[0, 1], [2, 0]]}',
        "the comparisons of 'a0' against 'a1' are not the same on both sides (1)",
    ),
    (
        '{"p": [[0.5, 0.5], [0.5, 0.5]], "counts": [[0, -1], [-1, 0]]}',
        "the comparisons of 'a0' against 'a1' are negative (-1)",
    ),
    ('{"p": [[0.5, 0.5], [0.5, 0.5]], "features": [[1]]}', "'features' must have one list"),
    ('{"p": [[[0.5, 0.5], [0.5, 0.5]]], "features": [[null]]}', "'features' has a missing number"),
    ('{"p": [[[0.5, 0.5], [0.5, 0.5]]], "features": 3}', "'features' must have one list"),
    ('{"a": {"b": 0.5}, "b": {"c": 0.5}}', "'c' is among the columns but not among the rows"),
    ('[{"x": 1}]', "item 0 is no type of a chart; each needs a name and strengths, weaknesses"),
    ('[{"name": "a", "strengths": ["b"]}]', "'a': strengths names \"b\", which is no type of"),
    ('[{"name": "a", "strengths": [["a"]]}]', "'a': strengths names [\"a\"], which is no type"),
    ('[{"name": "a", "strengths": "a"}]', "'a': strengths must be a list of names"),
    ('[{"name": "a", "strengths": ["a"], "immunes": ["a"]}]', "'a' names 'a' twice"),
]


@pytest.mark.parametrize(("text", "words"), JSON, ids=range(len(JSON)))
def test_refused_json(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(text)
    assert words in refused(path)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((2, 3), 0.5), "g.npy: shape (2, 3); a game is (K, K), or (C, K, K)"),
        (np.full((1, 1), 0.5), "shape (1, 1)"),
        (np.full(4, 0.5), "shape (4,)"),
        (np.array([["a", "b"], ["c", "d"]]), "holds <U1 values; a game matrix holds numbers"),
        (np.full((2, 2), True), "holds bool values"),
        (np.full((2, 2), 1j), "holds complex128 values"),
        (np.array([[0.5, np.inf], [0.5, 0.5]]), "cell (0, 1) is inf, not a finite number"),
        (np.full((2, 2), np.nan), "no pair of actions has a number"),
        (np.zeros((0, 2, 2)), "shape (0, 2, 2)"),
    ],
)
def test_refused_arrays(tmp_path: Path, array: np.ndarray, words: str) -> None:
    np.save(tmp_path / "g.npy", array)
    assert words in refused(tmp_path / "g.npy")


def test_files_that_are_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "g.npy"
    for content in (b"", b"hello", b"PK\x03\x04hello", pickle.dumps([1])):
        path.write_bytes(content)
        assert "not a numeric .npy array" in refused(path)
    np.save(path, np.full((50, 50), 0.5))
    path.write_bytes(path.read_bytes()[:-100])
    assert "not a numeric .npy array" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"")
    assert "an archive of arrays; save one array with numpy.save" in refused(path)
    np.save(tmp_path / "h.npy", np.full((2, 2), 0.5))
    assert "mode=x picks rows of a CSV table" in refused(tmp_path / "h.npy", mode="x")


def test_unreadable_files(tmp_path: Path) -> None:
    for name in ("absent.csv", "absent.csv.gz", "absent.json", "absent.npy"):
        assert "no such file" in refused(tmp_path / name)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "folder.csv: a folder; give a file, .csv, " in refused(folder)
    for name in ("g.txt", "g", "g.npz", "g.npy.gz", "g.gz"):
        (tmp_path / name).write_text("x")
        assert "unknown kind of file; a game is read from .csv, .tsv, .json" in refused(
            tmp_path / name
        )
    path = tmp_path / "g.csv"
    path.write_bytes(b"p,a\xff\n")
    assert "not UTF-8 text (byte 3)" in refused(path)
    packed = tmp_path / "g.csv.gz"
    packed.write_text(GOOD)
    assert "not a whole gzip file" in refused(packed)
    packed.write_bytes(gzip.compress(GOOD.encode())[:-9])
    assert "not a whole gzip file" in refused(packed)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_files_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text(GOOD)
    path.chmod(0)
    assert "cannot be read (Permission denied)" in refused(path)


def test_huge_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "g.csv"
    path.write_text(",".join(f"m{i}" for i in range(5_002)) + "\n" + "1\n" * 5_002)
    assert "5001 actions; at most 5000 are supported" in refused(path)
    np.save(tmp_path / "g.npy", np.lib.stride_tricks.as_strided(np.int8(1), (5001, 5001), (0, 0)))
    assert "5001 actions; at most 5000 are supported" in refused(tmp_path / "g.npy")
    monkeypatch.setattr(read, "MAX_BYTES", 2**20)
    path.write_text("0.5," * 2**19)
    assert "more than 1 MiB of text; save it as .npy" in refused(path)
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(b"0" * 2**22))
    assert "more than 1 MiB of text" in refused(bomb)
    np.save(tmp_path / "c.npy", np.full((2**16, 2, 2), 0.5))
    assert "more than 1 MiB of numbers" in refused(tmp_path / "c.npy")


def test_refused_counts(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text(GOOD)
    cases = {
        "battles,a,b\na,0,1\nb,1,0\n": "n.csv: 'c' of g.csv is not in the counts",
        "battles,a,x,y\na,0,1,1\nx,1,0,1\ny,1,1,0\n": "'b' of g.csv is not in the counts (and 1",
        GOOD: "n.csv: the comparisons of 'a' against 'b' are not the same on both sides (0.1)",
        "battles,a,b,c\na,0,-1,1\nb,-1,0,1\nc,1,1,0\n": "are negative (-1)",
        "": "n.csv: the file is empty",
    }
    for text, words in cases.items():
        (tmp_path / "n.csv").write_text(text)
        with pytest.raises(InvalidGame) as caught:
            load_game(path, counts="n.csv")
        assert words in str(caught.value)
    with pytest.raises(InvalidGame, match=r"absent\.csv: no such file"):
        load_game(path, counts="absent.csv")
    np.save(tmp_path / "n.npy", np.zeros((2, 2, 2)))
    with pytest.raises(InvalidGame, match=r"n\.npy: counts must be one matrix"):
        load_game(path, counts="n.npy")


def test_contexts_and_options_that_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_text(json.dumps([[[0.5, None], [None, 0.5]]] * 2))
    assert "context=2 is not there; the file has contexts 0 to 1" in refused(path, context=2)
    assert "drop_missing needs one matrix; choose it with context=" in refused(
        path, drop_missing=True, kind="win-fraction"
    )
    assert "counts is for one matrix only" in refused(path, counts="n", kind="win-fraction")
    with pytest.raises(InvalidSetting, match="exclude each other"):
        load_game(path, fill_missing="half", drop_missing=True)


def test_every_refusal_is_a_user_error() -> None:
    assert issubclass(InvalidGame, UserError)
    assert issubclass(InvalidSetting, UserError)


def test_an_unlabelled_matrix_that_does_not_sum_to_one_names_the_worst_pair(tmp_path) -> None:
    path = tmp_path / "wins.csv"
    path.write_text(",a,b,c\na,.5,.8,.4\nb,.3,.5,.7\nc,.6,.3,.5\n")
    with pytest.raises(InvalidGame, match=r"'a' against 'b' is 0\.8 and of 'b' against 'a' 0\.3"):
        load_game(path)
