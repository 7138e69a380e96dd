"""What every `score` command shares: its options, and what is printed and written at the end."""

import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnpo.cli.lines import say
from mnpo.errors import UserError

if TYPE_CHECKING:
    from evaluation.scores import Scores

#: What is written.
RESULTS, TABLE = "results.json", "results.csv"


def _folder(text: str) -> Path:
    if not text:  # a Path of it would be the current folder
        raise typer.BadParameter("is empty; give a folder")
    return Path(text)


def _writable(folder: Path | None) -> Path | None:
    """The folder, refused before anything is scored where results could not be written.

    Raises:
        UserError: why.
    """
    if folder is not None:
        require_writable(folder)
    return folder


OutputOption = Annotated[
    Path | None,
    typer.Option(
        parser=_folder,
        callback=_writable,
        metavar="PATH",
        help="Folder for results.json and results.csv.  \\[default: print only]",
    ),
]
AllowMissingOption = Annotated[
    bool,
    typer.Option(
        "--allow-missing",
        help="Score although rows are missing; what is missing is counted, never filled in.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print results.json's content, and nothing else.")
]


def report(scores: "Scores", output: Path | None, as_json: bool) -> None:
    """Print the scores, and write ``results.json`` and ``results.csv`` where asked.

    Raises:
        UserError: there is something in the way of the files.
        OSError: a file cannot be written; neither is then.
    """
    from evaluation.scores_table import parts_table, scores_table
    from evaluation.tidy import results_csv
    from mnpo.cli.printing import print_to, width_of

    text = scores.json()
    if output is not None:
        table = results_csv(scores.results(output.resolve().name))
        _write(output, {RESULTS: text, TABLE: table})
    if as_json:
        print(text, end="")
        return
    parts = parts_table(scores)
    rows = scores_table(scores, width_of(sys.stdout))
    print_to(sys.stdout, rows, *(() if parts is None else (parts,)), *scores.notes)
    for own in scores.models:
        print_to(sys.stdout, *(f"warning: {own.model}: {flag}" for flag in own.flags))
    if output is not None:
        say(f"wrote {output / RESULTS}, {TABLE}")


def require_writable(folder: Path) -> None:
    """Nothing, or a refusal of a folder for results; writes nothing.

    Raises:
        UserError: a file is in its place or above it, it may not be written, or results of another
            origin would be replaced.
    """
    from evaluation.tidy import COLUMNS

    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise UserError(f"--output {folder}: {nearest} is a file; give a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"--output {folder}: {nearest} may not be written; give another folder")
    for name in (RESULTS, TABLE):
        path = folder / name
        if path.is_dir():
            raise UserError(f"--output {folder}: {name} is a folder; give another one")
        if path.exists() and not (_is_ours(path) if name == RESULTS else _begins(path, COLUMNS)):
            raise UserError(
                f"--output {folder}: {name} is no result of 'score' and would be replaced; give "
                "another folder, or move it away"
            )


def _is_ours(path: Path) -> bool:
    try:
        found = json.loads(path.read_text("utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "benchmark" in found


def _begins(path: Path, header: Sequence[str]) -> bool:
    wanted = (",".join(header) + "\n").encode()
    try:
        with path.open("rb") as file:
            return path.is_file() and file.read(len(wanted)) == wanted
    except OSError:
        return False


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Both files, or neither and no new folder."""
    from mnpo.runs.files import write_together

    require_writable(folder)
    new = [own for own in (folder, *folder.parents) if not own.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_together({folder / name: text for name, text in texts.items()})
    except BaseException:
        for own in new:
            with contextlib.suppress(OSError):
                own.rmdir()
        raise
