"""A board's folder."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

import leaderboards.render.html
from leaderboards.board import Board
from leaderboards.options import BoardOptions
from leaderboards.render import load_board, render_json, write_board
from leaderboards.render.write import FORMS, refuse
from mnpo.errors import UserError


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        leaderboards.render.html, "render_html", lambda board: "<p>page</p>\n", raising=False
    )


def test_five_files_json_last(
    sample_board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    replaced = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append(Path(b).name), replaced(a, b))[1])
    folder = tmp_path / "new" / "board"
    paths = write_board(sample_board, folder)
    assert list(paths) == list(FORMS)
    assert {path.name for path in folder.iterdir()} == {f"leaderboard.{form}" for form in FORMS}
    assert order[-1] == "leaderboard.json"
    assert render_json(load_board(folder)) == render_json(sample_board)


def test_the_same_board_gives_the_same_files(sample_board: Board, tmp_path: Path) -> None:
    first = write_board(sample_board, tmp_path / "a")
    again = write_board(load_board(tmp_path / "a"), tmp_path / "b")
    for form in FORMS:
        assert first[form].read_bytes() == again[form].read_bytes(), form


def test_an_older_board_is_replaced_beside_other_files(sample_board: Board, tmp_path: Path) -> None:
    write_board(sample_board, tmp_path)
    (tmp_path / "README.md").write_text("kept")
    write_board(replace(sample_board, title="Other"), tmp_path)
    assert load_board(tmp_path).title == "Other"
    assert (tmp_path / "README.md").read_text() == "kept"


def test_other_folders_are_refused(sample_board: Board, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"holds thesis\.tex and no leaderboard"):
        write_board(sample_board, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UserError, match="is a file"):
        write_board(sample_board, tmp_path / "thesis.tex")


def test_what_a_killed_write_leaves_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".leaderboard.csv.x.partial").write_text("")
    refuse(tmp_path)
    # Killed between the first file that got its name and the last.
    (tmp_path / ".leaderboard.json.x.partial").write_text("")
    (tmp_path / "leaderboard.csv").write_text("")
    refuse(tmp_path)


@pytest.mark.parametrize("name", ["leaderboard.md", "leaderboard.html", "leaderboard.json"])
def test_a_strangers_leaderboard_is_not_overwritten(
    sample_board: Board, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text('{"models": []}')
    with pytest.raises(UserError, match=f"holds {name} and no leaderboard of this program"):
        write_board(sample_board, tmp_path)
    assert (tmp_path / name).read_text() == '{"models": []}'
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_leaderboard_of_ours_is_replaced(sample_board: Board, tmp_path: Path) -> None:
    paths = write_board(sample_board, tmp_path)
    paths["json"].write_bytes(paths["json"].read_bytes()[:200])
    write_board(sample_board, tmp_path)
    assert load_board(tmp_path).title == sample_board.title


def test_unknown_columns_write_nothing(sample_board: Board, tmp_path: Path) -> None:
    options = BoardOptions(columns=("gapp",)).describe()
    with pytest.raises(UserError, match="did you mean 'gap'"):
        write_board(replace(sample_board, options=options), tmp_path / "new")
    assert not (tmp_path / "new").exists()
