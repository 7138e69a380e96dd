"""The boards and matrices that were really published: their order, their scores, all their rows."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from leaderboards.board import Board, Pool, Section
from leaderboards.collect import matrices
from leaderboards.collect.published import published_section
from leaderboards.options import BoardOptions
from leaderboards.ratings import Games
from leaderboards.render import render_csv

pytestmark = pytest.mark.shared_data

ALPACA = "alpaca_eval/leaderboard_weighted_alpaca_eval_gpt4_turbo.csv"
WRITTEN = (
    "arena_hard/v0.1/leaderboard_20240731.csv",
    "arena_hard/v0.1/battles_gpt4o_judge/leaderboard_20240806.csv",
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def rendered(path: Path, columns: tuple[str, ...]) -> tuple[Section, list[dict[str, str]]]:
    """The section, and the rows of ``leaderboard.csv`` that it is rendered to."""
    found = published_section(path, "board")
    assert found is not None
    run, own = found
    options = BoardOptions(columns=columns)
    text = render_csv(Board("Board", (own,), runs=(run,), options=options.describe()))
    return own, list(csv.DictReader(io.StringIO(text)))


def test_alpaca_eval_by_length_controlled_win_rate(shared_data: Path) -> None:
    theirs = rows_of(shared_data / "data" / ALPACA)
    lc, wr = "alpaca-eval-2/length_controlled_win_rate", "alpaca-eval-2/win_rate"
    _, ours = rendered(shared_data / "data" / ALPACA, (lc, wr))
    assert [row["name"] for row in ours] == [row[""] for row in theirs]
    for own, their in zip(ours, theirs, strict=True):
        assert float(own[lc]) == float(their["length_controlled_winrate"])
        assert float(own[wr]) == float(their["win_rate"])
        half, error = (float(own[f"{wr} high"]) - float(own[f"{wr} low"])) / 2, 1.959963984540054
        assert half == pytest.approx(error * float(their["standard_error"]), abs=1e-9)


def test_alpaca_eval_by_win_rate(shared_data: Path) -> None:
    found = published_section(shared_data / "data" / ALPACA, "board")
    assert found is not None
    key = "alpaca-eval-2/win_rate"
    entries = sorted(found[1].entries, key=lambda own: -own.figures[key].interval.value)
    theirs = sorted(rows_of(shared_data / "data" / ALPACA), key=lambda row: -float(row["win_rate"]))
    assert [own.name for own in entries] == [row[""] for row in theirs]


def test_one_row_of_alpaca_eval_does_not_agree_with_its_counts(shared_data: Path) -> None:
    found = published_section(shared_data / "data" / ALPACA, "board")
    assert found is not None
    flagged = {
        own.name: figure.flags
        for own in found[1].entries
        for figure in own.figures.values()
        if figure.flags
    }
    assert flagged == {
        "aligner-2b_gpt-4-turbo-2024-04-09": (
            "discrete win rate is published as 40.19, its counts give 47.14",
        )
    }


@pytest.mark.parametrize("name", WRITTEN)
def test_arena_hard_as_written(shared_data: Path, name: str) -> None:
    theirs = rows_of(shared_data / "data" / name)
    key = "arena-hard-v0.1/score"
    own, ours = rendered(shared_data / "data" / name, (key,))
    assert [row["name"] for row in ours] == [row["model"] for row in theirs]
    for mine, their in zip(ours, theirs, strict=True):
        assert [float(mine[f"{key}{end}"]) for end in ("", " low", " high")] == [
            float(their[end]) for end in ("score", "rating_q025", "rating_q975")
        ]
    # The published intervals of models that are told apart do not overlap much.
    first, *_, last = own.entries
    assert first.figures[key].rank is not None
    assert last.figures[key].rank == (len(theirs), len(theirs)) or len(theirs) == 59


@pytest.mark.parametrize(
    ("name", "label", "count"),
    [
        ("arena_hard/v0.1/past_leaderboards.csv", "block", 2),
        ("arena_hard/v2.0/leaderboards.csv", "leaderboard", 4),
    ],
)
def test_arena_hard_as_quoted(shared_data: Path, name: str, label: str, count: int) -> None:
    path = shared_data / "data" / name
    found = published_section(path, "board")
    assert found is not None
    columns = [column for column in found[1].columns if column.better == "higher"]
    assert len(columns) == count
    blocks = list(split(rows_of(path), label))
    for column, block in zip(columns, blocks, strict=True):
        entries = [own for own in found[1].entries if column.key in own.figures]
        assert len(entries) == len(block)
        entries.sort(key=lambda own: -own.figures[column.key].interval.value)
        scores = [own.figures[column.key].interval.value for own in entries]
        assert scores == [float(row["score"]) for row in block]
        intervals = {own.name: own.figures[column.key].interval for own in entries}
        for row in block:
            own = intervals[row["model"]]
            assert own.value == float(row["score"])
            assert own.low == pytest.approx(own.value + float(row["ci_minus"]))
            assert own.high == pytest.approx(own.value + float(row["ci_plus"]))


def split(rows: list[dict[str, str]], label: str) -> Iterator[list[dict[str, str]]]:
    """Rows of one leaderboard; scores that rise again begin another."""
    block: list[dict[str, str]] = []
    for row in rows:
        last = block[-1] if block else row
        if row[label] != last[label] or float(row["score"]) > float(last["score"]):
            yield block
            block = []
        block.append(row)
    yield block


def test_mt_bench_as_published(shared_data: Path) -> None:
    folder = shared_data / "data" / "arena_hard" / "separability"
    found = published_section(folder / "bootstrap_stats_mt_bench.jsonl.gz", "board")
    assert found is not None
    assert len(found[1].entries) == 25
    assert found[1].entries[0].name == "gpt-4-0314"
    assert found[1].entries[0].figures["mt-bench/score"].interval.value == 9.240625


def test_chatbot_arena_with_its_battles(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Games] = []

    def keep(games: Games, **more: object) -> Pool:
        seen.append(games)
        wins = games.win_rates
        return Pool("", "", "", games.names, wins, wins, wins, (), None, None)

    monkeypatch.setattr(matrices, "make_pool", keep)
    folder = shared_data / "data" / "games" / "chatbot_arena_20240329_full"
    found = matrices.matrix_pool(folder, "arena", 0)
    assert found is not None
    (games,) = seen
    counts = np.array([row[1:] for row in csv.reader((folder / "battle_count.csv").open())][1:])
    battles = counts.astype(float)
    assert len(games.names) == 25
    assert not games.clustered
    assert np.array_equal(games.played[0], battles)
    assert found[0].facts["games"] == battles.sum() / 2
    assert int(np.isnan(games.win_rates).sum()) == 124  # cells_missing of invariants.json
    # Ties were left out, so that wins are whole numbers.
    assert np.abs(games.points - np.round(games.points)).max() < 1e-4


def test_pandalm_counts_its_majorities(shared_data: Path) -> None:
    folder = shared_data / "data" / "games" / "pandalm"
    found = matrices.matrix_pool(folder, "pandalm", 0)
    assert found is not None
    run, pool = found
    assert run.facts["games"] == 999.0
    lines = [row for row in rows_of(folder / "pairwise_counts.csv") if row["mode"] == "majority"]
    for row in lines:
        i, j = pool.names.index(row["model_1"]), pool.names.index(row["model_2"])
        wins, losses, ties = (float(row[key]) for key in ("model_1_wins", "model_2_wins", "ties"))
        assert pool.wins[i, j] == pytest.approx((wins + ties / 2) / (wins + losses + ties))
    assert pool.cyclic_share is not None


def test_noisy_payoffs(shared_data: Path) -> None:
    found = matrices.matrix_pool(shared_data / "data" / "games" / "roshambo_43x43.csv", "r", 0)
    assert found is not None
    assert len(found[1].names) == 43
    assert np.allclose(found[1].wins + found[1].wins.T, 1.0)
