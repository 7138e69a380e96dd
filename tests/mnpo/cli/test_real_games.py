"""The real matrices of the reference data, from file to report."""

import csv
from pathlib import Path

import pytest

pytestmark = pytest.mark.shared_data

FILES = {
    "chatbot_arena_20240329_full/win_fraction.csv": (
        ["--set", "fill_missing=bradley-terry", "--set", "counts=battle_count.csv"]
    ),
    "sppo_pairrm_figure3.csv": [],
    "pandalm/win_fraction.csv": [],
    "soccer_10x10.csv": [],
    "roshambo_43x43.csv": ["--set", "scale=1000", "--set", "antisymmetrize=true"],
    "blotto_5_3.csv.gz": [],
    "blotto_5_4.csv.gz": [],
    "kuhn_poker_64.csv.gz": [],
    "comal_synthetic_3x3.json": [],
    "pokemon_types.json": [],
}


@pytest.mark.parametrize("file", FILES)
def test_simulate(bench, shared_data: Path, tmp_path: Path, file: str) -> None:
    path = shared_data / "data" / "games" / file
    outcome = bench(
        *("simulate", "--game", f"file:{path}", *FILES[file], "--algorithms", "inpo,mwu"),
        *("--iterations", 30, "--output", "o"),
    )
    assert outcome.code == 0, outcome.err
    with (tmp_path / "o" / "summary.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["algorithm"] for row in rows] == ["inpo", "mwu"]
    for row in rows:
        assert row["game"].startswith("file:")
        assert 0 <= float(row["gap_last"]) <= 1
        assert row["verdict"]


@pytest.mark.parametrize("file", FILES)
def test_show(bench, shared_data: Path, file: str) -> None:
    path = shared_data / "data" / "games" / file
    outcome = bench("games", "show", f"file:{path}", *FILES[file])
    assert outcome.code == 0, outcome.err
    assert "cyclic share" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_the_arena_says_which_pairs_are_missing(bench, shared_data: Path) -> None:
    path = shared_data / "data/games/chatbot_arena_20240329_full/win_fraction.csv"
    outcome = bench("simulate", "--game", f"file:{path}", "--output", "o")
    assert outcome.code == 2
    (line,) = outcome.errors
    assert "have no preference" in line
    assert "fill_missing=bradley-terry" in line
    assert not Path("o").exists()
