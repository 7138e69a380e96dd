"""Win matrices from files, as pools."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from published_files import table, write

from leaderboards.board import Pool, Source
from leaderboards.collect import matrices
from leaderboards.collect.matrices import matrix_pool
from leaderboards.ratings import Games
from mnpo.errors import UserError

NAMES = ("a", "b", "c")
#: Games 10, 20 and 40 between the pairs; both views to three decimals, so they do not sum to 1.
RATES = np.array([[np.nan, 0.7, 0.667], [0.3, np.nan, 0.45], [0.334, 0.55, np.nan]])
COUNTS = np.array([[0, 10, 20], [10, 0, 40], [20, 40, 0]])


def square(corner: str, values: np.ndarray) -> str:
    rows = [
        [name, *("" if np.isnan(x) else x for x in row)]
        for name, row in zip(NAMES, values.tolist(), strict=True)
    ]
    return table((corner, *NAMES), rows)


def pool(path: Path) -> Pool:
    found = matrix_pool(path, "matrix", 0)
    assert found is not None
    return found[1]


@pytest.fixture
def unrated(monkeypatch: pytest.MonkeyPatch) -> list[Games]:
    """Keeps games in place of rating them, which takes a second."""
    seen: list[Games] = []

    def keep(games: Games, *, sources: tuple[Source, ...], **more: object) -> Pool:
        seen.append(games)
        wins = games.win_rates
        return Pool("", "", "", games.names, wins, wins, wins, (), None, None, sources=sources)

    monkeypatch.setattr(matrices, "make_pool", keep)
    return seen


def counted(folder: Path) -> Path:
    write(folder / "win_fraction.csv", square("row_beats_col", RATES))
    write(folder / "battle_count.csv", square("battles", COUNTS.astype(float)))
    return folder


def test_with_counts_there_are_intervals(tmp_path: Path) -> None:
    found = matrix_pool(counted(tmp_path), "matrix", 0)
    assert found is not None
    run, own = found
    assert (run.kind, run.facts["players"], run.facts["games"]) == ("matrix", 3, 70.0)
    assert set(run.files) == {"win_fraction.csv", "battle_count.csv"}
    assert own.names == NAMES
    assert own.basis == "games"
    # The mean of both views, one game counted once.
    assert own.wins[0, 2] == pytest.approx((0.667 + 1 - 0.334) / 2)
    assert own.low[0, 1] < 0.7 < own.high[0, 1]
    assert all(value.low is not None for value in own.ratings[0].values)
    assert any("70 games" in note for note in own.notes)
    assert any("do not sum to 1" in note for note in own.notes)


def test_a_file_finds_the_counts_beside_it(tmp_path: Path, unrated: list[Games]) -> None:
    pool(counted(tmp_path))
    own = pool(tmp_path / "win_fraction.csv")
    assert np.array_equal(unrated[0].played, unrated[1].played)
    assert [source.file for source in own.sources] == ["win_fraction.csv", "battle_count.csv"]


def test_counts_are_put_in_the_order_of_the_rates(tmp_path: Path, unrated: list[Games]) -> None:
    pool(counted(tmp_path))
    turned = COUNTS[::-1, ::-1].astype(float)
    rows = [[name, *row] for name, row in zip(NAMES[::-1], turned.tolist(), strict=True)]
    write(tmp_path / "battle_count.csv", table(("battles", *NAMES[::-1]), rows))
    pool(tmp_path)
    assert np.array_equal(unrated[0].played, unrated[1].played)
    assert np.array_equal(unrated[0].played[0], COUNTS)


def test_without_counts_there_are_values_only(tmp_path: Path) -> None:
    own = pool(write(tmp_path / "mine.csv", square("row_beats_col", RATES)))
    assert own.basis == "none"
    assert np.isnan(own.low[0, 1])
    assert all(value.low is None for rating in own.ratings for value in rating.values)
    assert any("no intervals" in note for note in own.notes)


def test_a_table_of_pairs_is_its_counts(tmp_path: Path, unrated: list[Games]) -> None:
    head = ("mode", "model_1", "model_2", "model_1_wins", "model_2_wins", "ties")
    rows = [
        ("majority", "a", "b", 6, 2, 2),
        ("majority", "b", "c", 1, 3, 0),
        ("majority", "a", "c", 3, 1, 1),
        ("votes", "a", "b", 18, 6, 6),
        ("votes", "b", "c", 3, 9, 0),
        ("votes", "a", "c", 9, 3, 3),
    ]
    write(tmp_path / "pairwise_counts.csv", table(head, rows))
    write(tmp_path / "win_fraction.csv", square("row_beats_col", RATES))
    found = matrix_pool(tmp_path, "matrix", 0)
    assert found is not None
    run, own = found
    assert list(run.files) == ["pairwise_counts.csv"]
    assert run.facts["games"] == 19.0
    assert own.wins[0, 1] == pytest.approx(7 / 10)
    assert not unrated[0].clustered
    only = write(tmp_path / "pairs.csv", table(head[1:], [row[1:] for row in rows[:3]]))
    assert pool(only).wins == pytest.approx(own.wins)
    odd = write(tmp_path / "odd.csv", table(head, [("x", *rows[0][1:]), ("y", *rows[1][1:])]))
    with pytest.raises(UserError, match="choose one with mode"):
        matrix_pool(odd, "matrix", 0)


def test_pairs_that_never_met_stay_unknown(tmp_path: Path) -> None:
    rates = RATES.copy()
    rates[0, 1] = rates[1, 0] = np.nan
    own = pool(write(tmp_path / "mine.csv", square("row_beats_col", rates)))
    assert np.isnan(own.wins[0, 1])
    assert own.cyclic_share is None


def test_of_a_triangle_the_other_half_follows(tmp_path: Path) -> None:
    rates = np.triu(np.full((3, 3), 0.8), 1)
    rates[rates == 0] = np.nan
    own = pool(write(tmp_path / "mine.csv", square("row_beats_col", rates)))
    assert own.wins[1, 0] == pytest.approx(0.2)
    assert own.cyclic_share is not None
    assert any(note.startswith("Of 3 pairs one view") for note in own.notes)


def test_wins_of_one_side_say_nothing_of_the_other(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="write 0 if it never won"):
        pool(write(tmp_path / "mine.csv", square("row_wins", np.where(RATES < 0.4, np.nan, 7.0))))


def test_payoffs_and_what_a_sure_win_is_worth(tmp_path: Path) -> None:
    payoffs = np.array([[0.0, 700.0, -20.0], [-710.0, 0.0, 5.0], [18.0, -5.0, 0.0]])
    own = pool(write(tmp_path / "mine.csv", square("row_payoff", payoffs)))
    assert own.wins[0, 1] == pytest.approx(0.5 + 705 / 1600)
    assert any("710" in note and "800" in note for note in own.notes)
    small = pool(write(tmp_path / "small.csv", square("row_payoff", payoffs / 1000)))
    assert small.wins[0, 1] == pytest.approx(0.5 + 0.705 / 2)


def test_other_forms(tmp_path: Path) -> None:
    whole = np.nan_to_num(RATES, nan=0.5)
    whole = (whole + 1 - whole.T) / 2
    expected = pool(write(tmp_path / "a.csv", square("p", whole))).wins
    data = {"actions": list(NAMES), "preferences": whole.tolist()}
    assert pool(write(tmp_path / "b.json.gz", json.dumps(data))).wins == pytest.approx(expected)
    assert pool(write(tmp_path / "c.json", json.dumps(whole.tolist()))).wins == pytest.approx(
        expected
    )
    np.save(tmp_path / "d.npy", whole)
    assert pool(tmp_path / "d.npy").wins == pytest.approx(expected)
    bare = "\n".join("\t".join(map(str, row)) for row in whole.tolist())
    assert pool(write(tmp_path / "e.tsv", bare)).wins == pytest.approx(expected)
    named = write(tmp_path / "f.csv", square("", whole))
    assert pool(named).names == NAMES
    both = {
        name: dict(zip(NAMES, row, strict=True))
        for name, row in zip(NAMES, whole.tolist(), strict=True)
    }
    assert pool(write(tmp_path / "g.json", json.dumps(both))).wins == pytest.approx(expected)
    chart = [
        {"name": "rock", "strengths": ["scissors"], "weaknesses": ["paper"], "immunes": []},
        {"name": "paper", "strengths": ["rock"], "weaknesses": ["scissors"], "immunes": []},
        {"name": "scissors", "strengths": ["paper"], "weaknesses": ["rock"], "immunes": []},
    ]
    assert pool(write(tmp_path / "h.json", json.dumps(chart))).names[0] == "rock"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "row_beats_col,a,b\na,0.5,x\nb,0.3,0.5\n", "line 2, column 'b': 'x'"),
        ("a.csv", "row_beats_col,a,b\na,0.5,1.7\nb,0.3,0.5\n", "is 1.7; a win rate lies in"),
        ("a.csv", "row_beats_col,a,b\na,0.5,0.7\n", "'b'"),
        ("a.json", '{"preferences": [[0.5, 0.7], [0.3]]}', "rows differ in length"),
        ("a.json", "[[[0.5, 0.7], [0.3, 0.5]]]", "several contexts"),
        ("a.npy", "no array", "not a numeric .npy array"),
    ],
)
def test_broken_matrices_are_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        matrix_pool(write(tmp_path / name, text), "matrix", 0)


def test_counts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    counted(tmp_path)
    write(tmp_path / "battle_count.csv", square("battles", COUNTS - 10.0))
    with pytest.raises(UserError, match=r"battle_count\.csv: .*'a' against 'b'.* 0 games"):
        matrix_pool(tmp_path, "matrix", 0)
    write(tmp_path / "battle_count.csv", "battles,a,b\na,0,1\nb,1,0\n")
    with pytest.raises(UserError, match=r"'c' of win_fraction\.csv is not there"):
        matrix_pool(tmp_path, "matrix", 0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "model,score\na,1\nb,2\n"),
        ("a.csv", "one\n"),
        ("a.csv", ""),
        ("a.csv", "1,2\n"),
        ("a.json", '{"title": "Leaderboard", "sections": []}'),
        ("a.json", '{"a": {"n": 1}, "b": {"n": 2}}'),
        ("a.json", "{"),
        ("a.json", "[]"),
        ("a.json", "3"),
        ("a.md", "row_beats_col,a,b\n"),
    ],
)
def test_other_files_are_none(tmp_path: Path, name: str, text: str) -> None:
    assert matrix_pool(write(tmp_path / name, text), "matrix", 0) is None
    assert matrix_pool(tmp_path, "matrix", 0) is None
    assert matrix_pool(tmp_path / "absent.csv", "matrix", 0) is None


def test_a_cut_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(square("p", RATES).encode() * 400)[:60])
    with pytest.raises(UserError, match="not a whole gzip file"):
        matrix_pool(tmp_path / "a.csv.gz", "matrix", 0)
