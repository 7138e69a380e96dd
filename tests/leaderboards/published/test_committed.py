"""The project's own boards: what is committed is what was made, and its commands exist."""

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest
import typer

from leaderboards.published import __main__ as published
from leaderboards.published.boards import BOARDS, PublishedBoard
from mnpo.cli.app import app

NAMES = [board.name for board in BOARDS]


def made(name: str) -> dict:
    return json.loads((published.HERE / name / "made.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_files_are_those_that_were_made(name: str) -> None:
    for file, sha256 in made(name)["sha256"].items():
        text = (published.HERE / name / file).read_bytes()
        assert hashlib.sha256(text).hexdigest() == sha256, file


def test_the_index_says_what_the_folders_say() -> None:
    assert (published.HERE / "README.md").read_text() == published.index(published.HERE)


@pytest.mark.parametrize("board", BOARDS, ids=NAMES)
def test_the_commands_are_known(board: PublishedBoard) -> None:
    commands = typer.main.get_command(app).commands
    for words in board.commands():
        known = {option for own in commands[words[0]].params for option in own.opts}
        assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("board", BOARDS, ids=NAMES)
def test_nothing_of_the_machine_is_told(board: PublishedBoard) -> None:
    for file in board.files:
        text = (published.HERE / board.name / file).read_text()
        assert not re.search(r"/(tmp|home|work|root|Users)/", text), file


def test_the_methods_that_a_user_looks_for_are_there() -> None:
    with open(published.HERE / "tiny" / "leaderboard.csv", newline="") as file:
        names = {row["algorithm"] for row in csv.DictReader(file)}
    assert names >= {"sft", "dpo", "ipo", "simpo", "sppo", "inpo", "mnpo"}
    assert any(name.startswith("ht-mnpo") for name in names)


def test_a_board_is_made_by_its_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = PublishedBoard("game", "One game", "A game.", ("simulate", "--iterations", "20"))
    monkeypatch.setattr(published, "BOARDS", (small,))
    target = tmp_path / "target"
    words = ["--work", str(tmp_path / "work"), "--target", str(target)]
    assert published.main(words) == 0
    assert {path.name for path in (target / "game").iterdir()} == {*small.files, "made.json"}
    assert (
        "mnpo-bench simulate --iterations 20 --output runs/game"
        in (target / "README.md").read_text()
    )
    assert published.main(["gam", *words]) == 2
