"""AlpacaEval's leaderboard, read and ranked."""

import math
from itertools import combinations
from pathlib import Path

import pytest
from published_files import ALPACA, ALPACA_ROWS, table, write

from leaderboards.board import Section
from leaderboards.collect.published import published_section
from mnpo.errors import UserError

LC, WR = "alpaca-eval-2/length_controlled_win_rate", "alpaca-eval-2/win_rate"
NAME = "leaderboard_weighted_alpaca_eval_gpt4_turbo.csv"


def section(path: Path) -> Section:
    found = published_section(path, "board")
    assert found is not None
    return found[1]


def made(folder: Path, rows: tuple[tuple[object, ...], ...] = ALPACA_ROWS) -> Path:
    return write(folder / NAME, table(ALPACA, rows))


def replaced(row: int, column: str, value: object) -> tuple[tuple[object, ...], ...]:
    rows = [list(own) for own in ALPACA_ROWS]
    rows[row][ALPACA.index(column)] = value
    return tuple(map(tuple, rows))


def test_rows_scores_and_order_are_the_files(tmp_path: Path) -> None:
    own = section(made(tmp_path))
    assert own.kind == "published"
    assert own.sorted_by == LC
    assert [entry.name for entry in own.entries] == ["short", "long", "baseline", "wrong"]
    assert own.entries[0].figures[LC].interval.value == 60.0
    assert own.entries[0].figures["alpaca-eval-2/mean_length"].interval.value == 900.0
    assert {column.judge for column in own.columns if column.unit == "%"} == {
        "weighted_alpaca_eval_gpt4_turbo"
    }


def test_intervals_are_normal_ones_of_their_standard_errors(tmp_path: Path) -> None:
    interval = section(made(tmp_path)).entries[1].figures[WR].interval
    assert interval.low == pytest.approx(70.0 - 1.959963984540054 * 1.5, abs=1e-12)
    assert interval.high == pytest.approx(70.0 + 1.959963984540054 * 1.5, abs=1e-12)
    assert (interval.n, interval.clusters) == (100, 100)


def test_ends_stay_within_percentages(tmp_path: Path) -> None:
    rows = replaced(0, "win_rate", 99.0)
    interval = section(made(tmp_path, rows)).entries[1].figures[WR].interval
    assert interval.high == 100.0


def test_a_row_that_does_not_agree_with_its_counts_is_flagged_and_kept(tmp_path: Path) -> None:
    own = section(made(tmp_path))
    flags = {
        entry.name: {key: figure.flags for key, figure in entry.figures.items() if figure.flags}
        for entry in own.entries
    }
    assert flags["wrong"][WR] == ("discrete win rate is published as 35.00, its counts give 30.00",)
    assert LC not in flags["wrong"]
    assert not flags["long"]
    assert any(note.startswith("3 of 4 rows agree") and "wrong" in note for note in own.notes)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("n_draws", 3, "counts do not add up: 69 wins, 29 losses and 3 draws of 100"),
        ("standard_error", 9.0, "standard error 9.00 is more than 100 preferences can have (5.03)"),
    ],
)
def test_impossible_counts_and_errors_are_flagged(
    tmp_path: Path, column: str, value: object, says: str
) -> None:
    own = section(made(tmp_path, replaced(0, column, value)))
    flags = next(entry for entry in own.entries if entry.name == "long").figures[WR].flags
    assert says in flags


def test_models_without_a_standard_error_are_not_ranked(tmp_path: Path) -> None:
    own = section(made(tmp_path))
    ranks = {entry.name: entry.figures[LC].rank for entry in own.entries}
    # The baseline's 50 is by construction, and has no error for that reason.
    assert ranks == {"short": (1, 1), "long": (2, 3), "baseline": (2, 3), "wrong": None}
    assert any("1 of 4 models have no published standard error" in note for note in own.notes)


def test_rank_ranges_are_those_of_all_pairs_of_tests(tmp_path: Path) -> None:
    own = section(made(tmp_path))
    printed = {row[0]: (float(str(row[1])), float(str(row[2]))) for row in ALPACA_ROWS}
    pairs = list(combinations(printed, 2))
    p = []
    for a, b in pairs:
        z = abs(printed[a][0] - printed[b][0]) / math.hypot(printed[a][1], printed[b][1])
        p.append(math.erfc(z / math.sqrt(2)))
    different, worst = set(), 0.0
    for place, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        worst = max(worst, p[i] * (len(p) - place))
        if worst <= 0.05:
            different |= {pairs[i], pairs[i][::-1]}
    for entry in own.entries:
        mine = printed[entry.name][0]
        better = [o for o in printed if (o, entry.name) in different and printed[o][0] > mine]
        worse = [o for o in printed if (o, entry.name) in different and printed[o][0] < mine]
        assert entry.figures[WR].rank == (1 + len(better), 4 - len(worse))


def test_sources_name_file_and_row(tmp_path: Path) -> None:
    path = made(tmp_path)
    found = published_section(path, "board")
    assert found is not None
    run, own = found
    assert (run.key, run.kind, run.path, list(run.files)) == ("board", "board", str(path), [NAME])
    source = own.entries[0].figures[LC].sources[0]
    assert (source.run, source.file, source.row) == ("board", NAME, 2)


def test_gzipped_and_without_length_control(tmp_path: Path) -> None:
    rows = [row[:10] for row in ALPACA_ROWS]
    own = section(write(tmp_path / "leaderboard.csv.gz", table(ALPACA[:10], rows)))
    assert own.sorted_by == WR
    assert [entry.name for entry in own.entries] == ["long", "baseline", "short", "wrong"]
    assert own.columns[0].judge == "not stated in the file"


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("win_rate", "many", r"row 2, column 'win_rate': 'many' is not a number"),
        ("win_rate", "", r"row 2, column 'win_rate': '' is empty"),
        ("win_rate", 101, r"column 'win_rate': '101' is not within \[0, 100\]"),
        ("win_rate", "nan", r"'nan' is not a number"),
        ("standard_error", -1, r"'-1' is not within \[0, 100\]"),
        ("n_wins", 1.5, r"column 'n_wins': '1.5' is not a whole number"),
        ("n_wins", "1e400", r"is not a number"),
        ("", "", r"row 2, column '': '' is empty"),
        ("", "long", r"rows 1 and 2: 'long' is there twice"),
    ],
)
def test_broken_cells_are_named(tmp_path: Path, column: str, value: object, says: str) -> None:
    with pytest.raises(UserError, match=says):
        published_section(made(tmp_path, replaced(1, column, value)), "board")


def test_broken_tables_are_named(tmp_path: Path) -> None:
    header = [name for name in ALPACA if name != "standard_error"]
    rows = [[*row[:2], *row[3:]] for row in ALPACA_ROWS]
    with pytest.raises(UserError, match="the column 'standard_error' is missing"):
        published_section(write(tmp_path / "a.csv", table(header, rows)), "board")
    with pytest.raises(UserError, match="a header and no row"):
        published_section(write(tmp_path / "b.csv", table(ALPACA, ())), "board")
    with pytest.raises(UserError, match="row 1: 2 cells under 12 columns"):
        published_section(write(tmp_path / "c.csv", table(ALPACA, [("a", "b")])), "board")
    with pytest.raises(UserError, match="the column 'mode' is there twice"):
        published_section(write(tmp_path / "d.csv", table([*ALPACA, "mode"], ())), "board")


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    rows = [(f"model {i}", *ALPACA_ROWS[0][1:]) for i in range(2000)]
    whole = write(tmp_path / "a.csv.gz", table(ALPACA, rows)).read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"a\.csv\.gz: not a whole gzip file"):
        published_section(tmp_path / "a.csv.gz", "board")
    (tmp_path / "b.csv").write_bytes(table(ALPACA, ALPACA_ROWS).encode() + b"\xff,1\n")
    with pytest.raises(UserError, match=r"b\.csv: not UTF-8 text"):
        published_section(tmp_path / "b.csv", "board")
