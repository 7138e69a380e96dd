"""What every run directory says of itself, read without writing anything."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from leaderboards.chain.status_values import State
from mnpo.errors import DamagedRun, UserError
from mnpo.printable import shown
from mnpo.runs import sha256_file
from mnpo.runs.alive import is_at_work
from mnpo.runs.chain import stages_of
from mnpo.runs.directory import FORMAT
from mnpo.runs.reading import load_written


@dataclass(frozen=True)
class Held:
    """A run directory's two files, and whether somebody works in it.

    Attributes:
        folder: the run directory.
        config: of ``run.yaml``.
        manifest: empty where the run was killed before it wrote one.
        alive: whether a process works in it.
    """

    folder: Path
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]
    alive: bool

    def command(self, otherwise: str) -> str:
        """The command line of the last call, or another one where none is noted."""
        notes = [self.manifest, *_list(self.manifest.get("resumed"))]
        for note in reversed(notes):
            environment = note.get("environment") if isinstance(note, Mapping) else None
            words = environment.get("arguments") if isinstance(environment, Mapping) else None
            if isinstance(words, list) and words and words[0] in otherwise.split():
                return shlex.join(["mnpo-bench", *map(str, words)])
        return otherwise

    def state(self) -> State:
        """Of the whole; "interrupted" where it is unfinished and nobody works on it."""
        if self.alive:
            return "running"
        status = self.manifest.get("status")
        if status == "done":
            return "done"
        return "failed" if status == "failed" else "interrupted"

    def damage(self) -> list[str]:
        """Outputs that are not what the finished run wrote."""
        if self.manifest.get("status") != "done":
            return []
        found = []
        for name, sha256 in _mapping(self.manifest.get("outputs")).items():
            path = self.folder / name
            if not path.is_file():
                found.append(f"{name} is missing; the same command makes it again")
            elif sha256_file(path) != sha256:
                found.append(f"{name} is not what was written; the same command makes it again")
        return found


def read_run(folder: Path) -> Held:
    """What a folder holds.

    Raises:
        UserError: there is no such folder, it holds no run, or one of a newer format.
        DamagedRun: ``run.yaml`` or ``manifest.json`` cannot be read.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}; give a run directory")
    alive = is_at_work(folder)  # before the files: a run that ends meanwhile is told as finished
    file, manifest = folder / "run.yaml", folder / "manifest.json"
    if not file.is_file():
        if manifest.is_file():
            raise DamagedRun(f"{folder} has no run.yaml; the run is damaged")
        if (folder / "leaderboard.json").is_file():
            raise UserError(
                f"{folder} holds a leaderboard and no run; 'mnpo-bench leaderboard --check "
                f"{shlex.quote(str(folder))}' holds it to its runs"
            )
        raise UserError(f"{folder} holds no run (it has no run.yaml); give a run directory")
    config = _parsed(file, load_written)
    found = _parsed(manifest, json.loads) if manifest.is_file() else {}
    version = found.get("format", FORMAT)
    if isinstance(version, bool) or version != FORMAT:
        raise UserError(
            f"{folder} was written in format {shown(version, 40)}, this version reads {FORMAT}; "
            "take the version of mnpo-bench that wrote it"
        )
    status = found.get("status", "running")
    if status not in ("running", "done", "failed") or (
        found.get("chain") is not None and not stages_of(found)
    ):
        raise DamagedRun(f"{manifest} is not a manifest; the run is damaged")
    return Held(folder, config, found, alive)


def disk_bytes(folder: Path) -> int:
    """Bytes of the files below a folder, hard links counted once."""
    seen: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        try:
            own = path.lstat()
        except OSError:  # gone meanwhile
            continue
        if path.is_file() and not path.is_symlink():
            seen[own.st_dev, own.st_ino] = own.st_size
    return sum(seen.values())


def _parsed(file: Path, parse: Any) -> dict[str, Any]:
    try:
        loaded = parse(file.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        raise DamagedRun(f"{file} cannot be read; the run is damaged") from None
    if not isinstance(loaded, dict):
        raise DamagedRun(f"{file} holds something else; the run is damaged")
    return loaded


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
