"""What `train` and `train-all` say at their end."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnpo.cli.lines import complain, say
from mnpo.runs.chain import STAGES

if TYPE_CHECKING:
    from leaderboards.chain.run import ChainResult
    from mnpo.training.runs.run import RunResult


def report(result: "ChainResult", *, until: str, as_json: bool) -> None:
    """Tables, places and failures.

    Args:
        result: of the chain.
        until: the last stage that was asked for.
        as_json: print what the tables hold, and nothing else.
    """
    training = result.training
    if as_json:
        _print_json(training.folder)
    else:
        _show_training(training)
        _show_board(result)
    for failure in training.failures:
        complain(f"{failure.method}, seed {failure.seed}, failed: {failure.reason}")
    for line in result.failures:
        complain(f"failed: {line}")
    if not as_json:
        _say_places(result, until)


def _print_json(folder: Path) -> None:
    """The training's summary, with what the later stages found."""
    summary = _read(folder / "summary.json")
    chain = _read(folder / "manifest.json").get("chain")
    if chain is None:
        file = folder / "summary.json"
        print(file.read_text() if file.is_file() else "{}", end="")
        return
    summary["chain"] = chain
    for name, file in (
        ("evaluation", folder / "evaluation" / "results.json"),
        ("leaderboard", folder / "leaderboard" / "leaderboard.json"),
    ):
        if file.is_file():
            summary[name] = _read(file)
    print(json.dumps(summary, indent=1))


def _show_training(training: "RunResult") -> None:
    from mnpo.cli.printing import print_to
    from mnpo.cli.training_tables import crossplay_table, ledger_table

    file = training.folder / "summary.json"
    if file.is_file():
        print_to(sys.stdout, ledger_table(training.results))
        print_to(sys.stdout, crossplay_table(_read(file)["crossplay"]))


def _show_board(result: "ChainResult") -> None:
    board = result.board
    file = result.training.folder / "leaderboard" / "leaderboard.json"
    if board is None and "leaderboard" in result.taken_over:
        from leaderboards.render import load_board

        board = load_board(file)
    if board is not None:
        from leaderboards.render.terminal import board_tables
        from mnpo.cli.printing import print_to, width_of

        print_to(sys.stdout, *board_tables(board, width_of(sys.stdout)))


def _say_places(result: "ChainResult", until: str) -> None:
    training, folder = result.training, result.training.folder
    runs = len(training.recipe.methods) * len(training.recipe.seeds)
    if training.finished_before and len(result.taken_over) in (0, STAGES.index(until) + 1):
        print("the run was finished before; --overwrite makes it anew")
    elif training.finished_before:
        print("the training was finished before and taken over")
    elif training.taken_over:
        print(f"{training.taken_over} of {runs} runs were finished before and taken over")
    if training.results:
        say(f"policies: {folder / 'policies'}")
        say(f"tables:   {folder / 'results.csv'}, training.csv, ledger.csv, crossplay.md")
    if (folder / "evaluation" / "results.csv").is_file() and until != "train":
        say(f"evaluation: {folder / 'evaluation' / 'results.csv'}, results.json")
    page = folder / "leaderboard" / "leaderboard.html"
    if page.is_file() and until == "leaderboard":
        say(f"leaderboard: {page}")
    if training.failures:
        failed = len(training.failures)
        print(f"{failed} of {runs} runs failed; the same command tries them again")


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    found: dict[str, Any] = json.loads(file.read_text())
    return found
