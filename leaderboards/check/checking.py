"""Everything that can be wrong with a board."""

from collections.abc import Callable, Iterable
from pathlib import Path

from leaderboards.board import Board
from leaderboards.check.anew import make_anew, newly_left_out
from leaderboards.check.counting import count_figures
from leaderboards.check.files import file_problems
from leaderboards.check.places import Placed, changed_files, place_runs
from leaderboards.check.recount import recount
from leaderboards.check.report import Report
from leaderboards.check.trees import board_differences
from leaderboards.render import load_board
from leaderboards.render.select import options_of
from mnpo.errors import UserError

#: Differences of one kind that are named; the rest is counted.
MOST = 20


def check_board(folder: str | Path, listen: Callable[[str], None] = lambda what: None) -> Report:
    """Check that every figure on a board can be recomputed from the files it names.

    1. The files of its runs have the sha256 that the board recorded. A run that was moved is
       looked for from the board's folder.
    2. The board, made anew of the same runs with the same options, has the same figures, ranks,
       ratings, games, points and cells.
    3. The other files in the folder are what the JSON file renders to, byte by byte.
    4. The runs' own results follow from their verdicts, trajectories and games: these are scored
       again, and nobody is asked.

    Args:
        folder: that holds ``leaderboard.json``, or that file.
        listen: told what is going on.

    Returns:
        What was found; `Report.problems` is empty where all agrees.

    Raises:
        UserError: there is no board, or one that cannot be read.
    """
    folder = Path(folder)
    if folder.name == "leaderboard.json":
        folder = folder.parent
    elif folder.is_file():
        raise UserError(f"{folder} is a file; give the board's folder")
    board = load_board(folder / "leaderboard.json")
    placed, problems = place_runs(board, folder)
    listen("files of the runs")
    problems += _first(own for one in placed for own in changed_files(one))
    listen("the board anew")
    anew, why = _anew(board, placed)
    problems += _first(why)
    listen("files of the board")
    problems += file_problems(board, folder)
    recounted: dict[str, int] = {}
    compared: dict[str, str] = {}
    for one in placed:
        listen(f"verdicts of {one.run.key}")
        for part in recount(one.run, one.path):
            problems += _first(part.problems)
            if part.figures:
                recounted[part.what] = part.figures
            if part.why_not:
                compared[part.what] = part.why_not
    files = sum(len(own.files) for own in board.runs)
    return Report(
        count_figures(board), tuple(problems), recounted, compared, files, _unchecked(board, anew)
    )


def _anew(board: Board, placed: list[Placed]) -> tuple[Board | None, list[str]]:
    """The board made anew, and what is different; None where it cannot be made."""
    if not placed:
        return None, []
    try:
        anew = make_anew(board, placed, options_of(board))
    except UserError as error:
        return None, [f"the board cannot be made anew: {error}"]
    return anew, [*newly_left_out(board, anew), *board_differences(board, anew)]


def _unchecked(board: Board, anew: Board | None) -> tuple[str, ...]:
    """What whoever made the board wrote above it: no file says whether it is true."""
    made = anew.notes if anew is not None else board.notes
    return tuple(f"not checked: note '{own}'" for own in board.notes if own not in made)


def _first(problems: Iterable[str]) -> list[str]:
    found = list(problems)
    if len(found) <= MOST:
        return found
    return [*found[:MOST], f"and {len(found) - MOST} more differences of this kind"]
