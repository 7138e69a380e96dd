"""Runs with a board of them, made once and copied for every test that damages something."""

import json
import shutil
from pathlib import Path

import pytest

from evaluation.mini.benchmark import open_benchmark
from evaluation.suite.loading import load_settings
from evaluation.suite.run import run_evaluation
from leaderboards.collect import collect_board
from leaderboards.render import write_board

RULE = {"kind": "oracle", "oracle": {"kind": "rule", "rule": "brevity", "target": 20}}


def evaluate(folder: Path, name: str = "eval") -> Path:
    """An evaluation of three sets of answers under a rule: mini and cross-play."""
    outputs = []
    for model, words in (("short", 20), ("middle", 40), ("long", 70)):
        rows = [
            {"question_id": q.id, "model_id": model, "output": "word " * (words - 5 * (i % 3))}
            for i, q in enumerate(open_benchmark().questions())
        ]
        file = folder / f"{model}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        outputs.append(f"{model}={file}")
    settings = load_settings(
        None, [], outputs, {"benchmarks": ["mini"], "judges": [RULE], "limit": 10}
    )
    both = settings.model_copy(update={"benchmarks": ("mini", "cross-play")})
    assert not run_evaluation(both, folder / name).failures
    return folder / name


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    evaluate(folder)
    write_board(collect_board([folder / "eval"]), folder / "board")
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A folder with the run ``eval`` and its ``board``; the run it was made of is elsewhere."""
    for name in ("eval", "board"):
        shutil.copytree(made / name, tmp_path / name)
    board = tmp_path / "board" / "leaderboard.json"
    board.write_text(board.read_text().replace(str(made / "eval"), "eval"))
    from leaderboards.render import load_board

    write_board(load_board(board), tmp_path / "board")
    return tmp_path
