"""Paths as runs: what a folder holds, and its files read once, hashed, and held to its manifest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from leaderboards.collect.shapes import require_shape
from mnpo.errors import DamagedRun, UserError
from mnpo.printable import shown
from mnpo.runs import RunDirectory
from mnpo.runs.chain import stages_of, training_status
from mnpo.runs.directory import FORMAT
from mnpo.runs.files import digest, sha256_file
from mnpo.runs.reading import load_written

Kind = Literal["training", "evaluation", "simulation", "suite", "claims"]
#: Keys of run.yaml that only this kind of run has, the most telling first.
_KEYS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("suite", frozenset({"suite"})),
    ("claims", frozenset({"claims"})),
    ("training", frozenset({"recipe", "methods", "budget"})),
    ("evaluation", frozenset({"models", "benchmarks"})),
    ("simulation", frozenset({"game", "algorithms", "iterations"})),
)


class NotUsable(UserError):
    """A path that exists and cannot go on a board; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A run directory whose files are read through `read`, so that each is hashed and checked.

    Attributes:
        path: as given.
        kind: what it holds.
        config: ``run.yaml``.
        manifest: ``manifest.json``.
        files: name -> sha256 of what has been read so far.
    """

    path: Path
    kind: Kind
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Of the manifest, "done" or "failed"; of a chain's training, whatever follows it."""
        return str(training_status(self.manifest))

    @property
    def name(self) -> str:
        """The folder's."""
        return self.path.resolve().name

    @property
    def identity(self) -> str:
        """A hash that another copy of the same run has too, and no other run."""
        outputs: Any = self.manifest.get("outputs")
        if self.status != "done":
            file = self.path / "results.csv"
            outputs = sha256_file(file) if file.is_file() else None
        return digest([self.kind, self.manifest.get("config_sha256"), outputs, self.status])

    def has(self, name: str) -> bool:
        """Whether the run has a file, or its manifest says that it had."""
        return (self.path / name).is_file() or name in self._sealed()

    def read(self, name: str) -> bytes:
        """A file's bytes.

        Raises:
            DamagedRun: it is missing, unreadable, or not what the manifest says.
        """
        content = _content(self.path / name)
        found = hashlib.sha256(content).hexdigest()
        if self.status == "done":
            sealed = self._sealed()
            if name not in sealed:
                raise DamagedRun(f"{self.path}: its manifest does not list {name} as an output")
            if sealed[name] != found:
                raise DamagedRun(
                    f"{self.path}: {name} is not what the run wrote (its sha256 differs from the "
                    "manifest's); run the command again to restore it"
                )
        self.files[name] = found
        return content

    def require(self, *endings: str) -> None:
        """Read every sealed file of these names, in any folder: a run is whole or damaged.

        Raises:
            DamagedRun: as `read`.
        """
        for name in self._sealed() if self.status == "done" else ():
            if name.rpartition("/")[2] in endings:
                self.read(name)

    def text(self, name: str) -> str:
        """A file as text.

        Raises:
            DamagedRun: as `read`, or it is no UTF-8.
        """
        try:
            return self.read(name).decode()
        except UnicodeDecodeError:
            raise DamagedRun(f"{self.path}: {name} is no text; run the command again") from None

    def _sealed(self) -> Mapping[str, str]:
        found = self.manifest.get("outputs")
        return found if isinstance(found, Mapping) else {}


def open_run(path: Path) -> Opened:
    """The run that a folder holds.

    Raises:
        NotUsable: it holds none, one of a newer format, or one that is not finished.
        DamagedRun: its configuration or manifest cannot be read, or they do not belong together.
    """
    file = path / "run.yaml"
    if not file.is_file():
        raise NotUsable(f"{path} holds no run (no run.yaml){_inner(path)}")
    text = _content(file)
    try:
        config = load_written(text.decode())
    except (yaml.YAMLError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise DamagedRun(f"{path}: run.yaml cannot be read; run the command again with --overwrite")
    kind = _kind(path, config)
    manifest = RunDirectory(path).manifest()
    chained = bool(stages_of(manifest))
    if chained:  # the training is done before the evaluation and the board that follow it
        manifest = {**manifest, "status": training_status(manifest)}
    _require_format(path, manifest)
    if manifest.get("config_sha256") != digest(_plain(config)):
        raise DamagedRun(
            f"{path}: run.yaml is not the configuration that its manifest names; it was changed "
            "after the run"
        )
    _require_finished(path, kind, manifest)
    require_shape(str(path), kind, config, manifest)
    opened = Opened(path, kind, config, manifest)
    opened.files["run.yaml"] = hashlib.sha256(text).hexdigest()
    if not chained:  # a chain's changes once more when its board is there
        content = _content(path / "manifest.json")
        opened.files["manifest.json"] = hashlib.sha256(content).hexdigest()
    return opened


def inner_evaluation(path: Path) -> Path | None:
    """The evaluation that a chain keeps within its training run; None where there is none."""
    inner = path / "evaluation"
    return inner if (inner / "run.yaml").is_file() else None


def _kind(path: Path, config: Mapping[str, Any]) -> Kind:
    for kind, keys in _KEYS:
        if keys <= set(config):
            return kind
    if (path / "claims.json").is_file():
        return "claims"
    raise NotUsable(
        f"{path} holds a run of no known kind; a simulation, training, evaluation, suite or "
        "verification can go on a board"
    )


def _require_format(path: Path, manifest: Mapping[str, Any]) -> None:
    found = manifest.get("format", 0)
    if isinstance(found, bool) or found != FORMAT:
        raise NotUsable(
            f"{path} was written in format {shown(found, 40)}, and this version reads {FORMAT}; "
            + (
                "a newer version wrote it: update mnpo-bench"
                if _is_newer(found)
                else "run the command again"
            )
        )


def _is_newer(found: Any) -> bool:
    """Also where it is a text: what a later version writes there is not known."""
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found[:18]) > FORMAT
    return isinstance(found, int | float) and not isinstance(found, bool) and found > FORMAT


def _require_finished(path: Path, kind: Kind, manifest: Mapping[str, Any]) -> None:
    status = training_status(manifest)
    if status == "done":
        return
    partly = kind in ("training", "evaluation") and (path / "results.csv").is_file()
    if status == "failed" and partly:
        return
    what = {"running": "is not finished", "failed": "has failed"}.get(
        str(status), f"has the unknown status {status!r}"
    )
    raise NotUsable(f"{path} {what}; repeat its command to go on")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise DamagedRun(
            f"{file.parent}: {file.name} is missing; run the command again to restore it"
        ) from None
    except OSError as error:
        raise DamagedRun(f"{file} cannot be read ({error.strerror})") from None


def _plain(config: Any) -> Any:
    """As JSON would have it: YAML has dates and keys that are no texts."""
    if isinstance(config, Mapping):
        return {str(key): _plain(value) for key, value in config.items()}
    if isinstance(config, list):
        return [_plain(value) for value in config]
    return config if config is None or isinstance(config, str | int | float) else str(config)


def _inner(path: Path) -> str:
    """What else the user may have meant."""
    runs = sorted(file.parent.name for file in path.glob("*/run.yaml"))
    if not runs:
        return "; give the folder that a command's --output named"
    shown = ", ".join(runs[:3]) + (", ..." if len(runs) > 3 else "")
    return f"; the runs in it ({shown}) can be given as {path}/*"
