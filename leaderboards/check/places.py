"""Where the files of a board's runs are, and whether they are still what they were."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leaderboards.board import Board, Run

#: The board's folder and so many above it are looked through, less one.
_ABOVE = 4


@dataclass(frozen=True)
class Placed:
    """A run that was found again.

    Attributes:
        run: as on the board.
        path: where it is now.
    """

    run: Run
    path: Path


def place_runs(board: Board, folder: Path) -> tuple[list[Placed], list[str]]:
    """The board's runs on this machine.

    A path counts from where the command runs, as it did when the board was made; else from the
    board's folder or one above, by as much of its end as is there. Of these the first whose files
    are the board's, else the first that is there.

    Args:
        board: whose runs.
        folder: of the board.

    Returns:
        The runs that were found, and a line for each that was not.
    """
    placed, problems = [], []
    for run in board.runs:
        candidates = [path for path in _candidates(run, folder) if _may_be(run, path)]
        if not candidates:
            problems.append(
                f"run {run.key}: {run.path} is not there, nor beside {folder}; its figures cannot "
                "be checked"
            )
            continue
        best = next((path for path in candidates if not _changed(run, path)), candidates[0])
        placed.append(Placed(run, best))
    return placed, problems


def changed_files(placed: Placed) -> list[str]:
    """A line for each file that is not what the board was made of."""
    return [
        f"run {placed.run.key}: {placed.path / name if name else placed.path} {what}"
        for name, what in _changed(placed.run, placed.path)
    ]


def _may_be(run: Run, path: Path) -> bool:
    """Whether it holds the board's files, whatever is in them."""
    if path.is_file():
        return len(run.files) <= 1
    return path.is_dir() and any((path / name).exists() for name in run.files)


def _candidates(run: Run, folder: Path) -> Iterator[Path]:
    """Most likely first; for a board within its own run, the folders above it as well."""
    given = Path(run.path)
    yield given
    parts = [part for part in given.parts if part not in (given.anchor, "..")]
    bases = [folder.resolve(), *folder.resolve().parents][:_ABOVE]
    for base in bases:
        for start in range(len(parts)):
            yield base.joinpath(*parts[start:])
    yield from bases


def _changed(run: Run, path: Path) -> list[tuple[str, str]]:
    found = []
    for name, recorded in run.files.items():
        file = path / name if path.is_dir() else path
        try:
            with file.open("rb") as opened:
                now = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            found.append((name, f"cannot be read ({error.strerror})"))
            continue
        if now != recorded:
            found.append(
                (name, f"has changed: its sha256 is {now[:12]}, {recorded[:12]} on the board")
            )
    return found
