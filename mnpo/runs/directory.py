"""A run directory: resolved configuration, manifest, and content-addressed parts."""

import errno
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from mnpo.errors import DamagedRun, UserError
from mnpo.runs.environment import environment
from mnpo.runs.files import digest, is_partial, sha256_file, write_atomically
from mnpo.runs.reading import load_written

FORMAT = 1
#: What of a configuration must be the same for a run to go on.
Essence = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def everything(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """All of a configuration counts."""
    return config


@dataclass(frozen=True)
class RunDirectory:
    """A folder that holds one run whole.

    ``run.yaml`` is the resolved configuration, ``manifest.json`` versions, hashes and status,
    ``parts/KEY.*`` the finished pieces of work, addressed by a hash of everything that went into
    them. Opening the folder again with the same configuration resumes it.
    """

    path: Path

    @classmethod
    def open(
        cls,
        path: Path,
        config: Mapping[str, Any],
        *,
        inputs: Mapping[str, str] | None = None,
        overwrite: bool = False,
        essence: Essence = everything,
    ) -> "RunDirectory":
        """Create the directory, or take up the one that is there.

        Args:
            path: the folder.
            config: the resolved configuration, YAML-ready.
            inputs: the files the run reads and the sha256 of each, kept in the manifest.
            overwrite: delete a run with another configuration instead of refusing.
            essence: what of a configuration must be the same. Where the rest differs, ``run.yaml``
                gets the new values, and the manifest notes the change under ``resumed``.

        Raises:
            UserError: the folder holds something else: another configuration (the first
                differing key is named), a newer format, files that are no run, or a run of
                input files that have changed since.
            OSError: it cannot be created or written.
        """
        run = cls(path)
        if run.refuse(config, inputs=inputs, overwrite=overwrite, essence=essence):
            shutil.rmtree(path)
        run.parts.mkdir(parents=True, exist_ok=True)
        if not (path / "run.yaml").exists():
            write_atomically(path / "run.yaml", dump_yaml(config))
        elif changed := _differences(run._there(), config):
            if (path / "manifest.json").exists():
                resumed = [*run.manifest().get("resumed", []), {"at": _now(), "changed": changed}]
                run.update_manifest(resumed=resumed, config_sha256=digest(config))
            write_atomically(path / "run.yaml", dump_yaml(config))
        if not (path / "manifest.json").exists():
            run.write_manifest(
                {"format": FORMAT, "config_sha256": digest(config), "started": _now()}
                | ({"inputs": dict(inputs)} if inputs else {})
                | {"environment": environment(), "status": "running"}
            )
        return run

    def refuse(
        self,
        config: Mapping[str, Any],
        *,
        inputs: Mapping[str, str] | None = None,
        overwrite: bool = False,
        essence: Essence = everything,
    ) -> bool:
        """Look whether `open` with the same arguments would be refused; writes nothing.

        Returns:
            whether `open` would delete what is there.

        Raises:
            UserError: as `open`.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file; give a folder to write the run into")
        if not self.path.is_dir() or self._is_fresh():
            return False
        if overwrite and (self.path / "run.yaml").is_file():
            return True
        self._require_same(config, essence)
        self._require_unchanged(inputs or {})
        return False

    @property
    def parts(self) -> Path:
        """Folder of the finished pieces."""
        return self.path / "parts"

    def manifest(self) -> dict[str, Any]:
        """The manifest as a dictionary.

        Raises:
            DamagedRun: it is missing or not readable.
        """
        try:
            loaded = json.loads((self.path / "manifest.json").read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise DamagedRun(
                f"{self.path}/manifest.json cannot be read ({error}); the run is damaged, "
                "start it again with --overwrite"
            ) from None
        if not isinstance(loaded, dict):
            raise DamagedRun(f"{self.path}/manifest.json is not a manifest; use --overwrite")
        return loaded

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest."""
        write_atomically(self.path / "manifest.json", json.dumps(manifest, indent=2) + "\n")

    def update_manifest(self, **entries: Any) -> None:
        """Add or replace entries of the manifest."""
        self.write_manifest(self.manifest() | entries)

    def begin(self, *, taken_over: bool, **entries: Any) -> None:
        """Note that work starts, and with which versions.

        Args:
            taken_over: some parts were finished earlier; this invocation's environment then
                stands beside theirs, else it replaces what an older attempt noted.
            entries: further entries of the manifest.
        """
        here: dict[str, Any] = {"started": _now(), "environment": environment()}
        if taken_over:
            here = {"resumed": [*self.manifest().get("resumed", []), here]}
        self.update_manifest(status="running", **here, **entries)

    def finish(self, outputs: Mapping[str, Path], seconds: float, **entries: Any) -> None:
        """Mark the run done, with the hashes of its outputs.

        Args:
            outputs: files by their names below the run directory.
            seconds: wall time of this invocation.
            entries: further entries of the manifest; they go before these.
        """
        facts = {
            "status": "done",
            "finished": _now(),
            "seconds": round(seconds, 3),
            "outputs": {name: sha256_file(path) for name, path in outputs.items()},
        }
        self.update_manifest(**facts | entries)

    def has_part(self, key: str, suffix: str) -> bool:
        """Whether a piece is there and is what was written; a damaged one is removed."""
        path, seal = self._part(key, suffix)
        if not (path.is_file() and seal.is_file()):
            return False
        if seal.read_bytes().strip() == sha256_file(path).encode():
            return True
        path.unlink()
        seal.unlink()
        return False

    def part(self, key: str, suffix: str) -> Path:
        """Path of a piece."""
        return self._part(key, suffix)[0]

    def write_part(
        self, key: str, suffix: str, content: bytes | str | Callable[[BinaryIO], object]
    ) -> None:
        """Write a piece, then its seal: without the seal the piece does not count."""
        path, seal = self._part(key, suffix)
        write_atomically(path, content)
        write_atomically(seal, sha256_file(path) + "\n")

    def _is_fresh(self) -> bool:
        """Whether the folder holds nothing but what a first write that failed leaves behind."""
        held = [entry for entry in self.path.iterdir() if not is_partial(entry)]
        return not held or (held == [self.parts] and not any(self.parts.iterdir()))

    def _part(self, key: str, suffix: str) -> tuple[Path, Path]:
        path = self.parts / f"{key}.{suffix}"
        return path, path.with_name(path.name + ".sha256")

    def _there(self) -> dict[str, Any]:
        """The configuration of the run that the folder holds."""
        file = self.path / "run.yaml"
        if not file.is_file():
            raise UserError(
                f"{self.path} is not empty and holds no run; give another --output folder"
            )
        try:
            there = load_written(file.read_text())
        except (yaml.YAMLError, ValueError, RecursionError):
            there = None
        if not isinstance(there, dict):
            raise DamagedRun(f"{file} cannot be read; start the run again with --overwrite")
        return there

    def _require_same(self, config: Mapping[str, Any], essence: Essence) -> None:
        there, config = essence(self._there()), essence(config)
        if (self.path / "manifest.json").exists():
            found = self.manifest().get("format", 0)
            if found != FORMAT:
                raise UserError(
                    f"{self.path} was written in format {found}, this version writes {FORMAT}; "
                    "give another --output folder"
                )
        for key in sorted({*there, *config}):
            if there.get(key) != config.get(key):
                raise UserError(
                    f"{self.path} holds a run with {key}: {there.get(key)!r}, not "
                    f"{config.get(key)!r}; give another --output folder, or --overwrite"
                )

    def _require_unchanged(self, inputs: Mapping[str, str]) -> None:
        if not (self.path / "manifest.json").exists():
            return
        kept = self.manifest().get("inputs", {})
        for name, sha256 in inputs.items():
            if kept.get(name, sha256) != sha256:
                raise UserError(
                    f"{self.path} holds a run with another {name}: the file has changed since; "
                    "give another --output folder, or --overwrite"
                )


def _differences(there: Any, here: Any, path: str = "") -> dict[str, list[Any]]:
    """Dotted key -> [value there, value here] of all that differs between two configurations."""
    if not (isinstance(there, Mapping) and isinstance(here, Mapping)):
        return {} if there == here else {path: [there, here]}
    found: dict[str, list[Any]] = {}
    for key in dict.fromkeys([*there, *here]):
        inner = f"{path}.{key}" if path else str(key)
        found |= _differences(there.get(key), here.get(key), inner)
    return found


def dump_yaml(config: Mapping[str, Any]) -> str:
    """The configuration as YAML, keys in their own order."""
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)


def explain_os_error(error: OSError, path: Path) -> str:
    """One line for a write that failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"the disk is full: could not write {error.filename or path}; free some space and "
            "repeat the command, finished parts are kept"
        )
    return f"cannot write {error.filename or path}: {error.strerror or error}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
