"""Make the published boards again: ``python -m leaderboards.published``.

Runs every command of `leaderboards.published.boards` in a work folder (a finished run there is
taken over, a broken off one continued) and copies CSV and Markdown beside this file.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leaderboards.published.boards import BOARDS, PublishedBoard
from mnpo.errors import UserError, suggest
from mnpo.runs import write_atomically

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the boards that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m leaderboards.published", description=__doc__)
    parser.add_argument("names", nargs="*", help="boards; all where none is named")
    parser.add_argument("--work", type=Path, default=Path("published-runs"), help="work folder")
    parser.add_argument("--target", type=Path, default=HERE, help="where the files go")
    given = parser.parse_args(arguments)
    try:
        boards = [_find(name) for name in given.names] or list(BOARDS)
        for board in boards:
            make(board, given.work, given.target)
        write_atomically(given.target / "README.md", index(given.target))
    except UserError as error:
        print(f"mnpo-bench: {error}", file=sys.stderr)
        return 2
    return 0


def make(board: PublishedBoard, work: Path, target: Path) -> None:
    """Run a board's commands and copy what is published of it.

    Raises:
        UserError: a command failed.
    """
    work.mkdir(parents=True, exist_ok=True)
    for words, line in zip(board.commands(), board.lines(), strict=True):
        print(line, flush=True)
        done = subprocess.run([sys.executable, "-m", "mnpo.cli", *words], cwd=work)
        if done.returncode:
            raise UserError(f"{line}: exit code {done.returncode}; the same command goes on")
    home = target / board.name
    home.mkdir(parents=True, exist_ok=True)
    for name in board.files:
        shutil.copyfile(work / board.name / name, home / name)
    manifest = json.loads((work / board.run / "manifest.json").read_text())
    write_atomically(home / "made.json", json.dumps(_made(board, home, manifest), indent=1) + "\n")


def index(target: Path) -> str:
    """``README.md`` of the published boards, from what each folder says of itself."""
    lines = [
        "# Published boards",
        "",
        "The project's own results. `python -m leaderboards.published` makes all of them again, in",
        "a work folder, and checks them; a name makes one. Each folder holds the board as CSV and",
        "Markdown, and `made.json` with versions and hashes.",
    ]
    for board in BOARDS:
        file = target / board.name / "made.json"
        if not file.is_file():
            continue
        made = json.loads(file.read_text())
        versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
        lines += ["", f"## [{board.title}]({board.name}/leaderboard.md)", "", board.what, ""]
        lines += ["```bash", *made["commands"], "```", ""]
        lines += [f"mnpo-bench {made['mnpo_bench']} at commit {made['git_commit']},"]
        lines += [f"Python {made['python']}, {versions}; {made['platform']}."]
        lines += [f"{made['minutes']} minutes on {made['cores']} shared cores."]
        lines += ["", "| file | sha256 |", "| --- | --- |"]
        lines += [f"| [{n}]({board.name}/{n}) | `{own}` |" for n, own in made["sha256"].items()]
    return "\n".join(lines) + "\n"


def _find(name: str) -> PublishedBoard:
    for board in BOARDS:
        if board.name == name:
            return board
    raise UserError(f"no board '{name}'{suggest(name, [board.name for board in BOARDS])}")


def _made(board: PublishedBoard, home: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    environment = manifest["environment"]
    return {
        "commands": board.lines(),
        "mnpo_bench": environment["mnpo_bench"],
        "git_commit": environment["git_commit"],
        "python": environment["python"],
        "versions": environment["versions"],
        "platform": environment["platform"],
        "cores": environment["cores"],
        # Of a run that was interrupted only its last part is known.
        "minutes": None if manifest.get("resumed") else round(manifest["seconds"] / 60, 1),
        "sha256": {
            name: hashlib.sha256((home / name).read_bytes()).hexdigest() for name in board.files
        },
    }


if __name__ == "__main__":
    raise SystemExit(main())
