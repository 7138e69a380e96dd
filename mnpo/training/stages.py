"""Restartable, content-addressed stages: same inputs, same key, done is done.

A stage is a folder named by a hash of everything that went into it. It is made in a working folder
beside it, sealed with the sha256 of every file, and renamed into place, so that it is whole or
absent. A working folder outlives a kill: a stage that keeps its own partial results below
`SCRATCH` there (shards of samples, training checkpoints) takes them up again. They are removed
only when the stage counts, since sealing it may be killed, or find the disk full, too.

Methods that need the same samples ask for the same key and share them, which is how equal budgets
become the same data.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnpo.errors import DamagedRun
from mnpo.runs.files import digest, is_partial, sha256_file, write_atomically
from mnpo.training.world import World

#: Raised whenever stages of an older version must not be reused.
VERSION = 1
SEAL = "stage.json"
#: Folder inside a working folder for what the finished stage does not need.
SCRATCH = "scratch"

Maker = Callable[[Path], None]
#: Told of what happens: (event, kind, key, detail); events are "reused", "started", "finished",
#: "damaged".
Listener = Callable[[str, str, str, str], None]


def _silent(event: str, kind: str, key: str, detail: str) -> None:
    """Listen to nothing."""


@dataclass
class StageStore:
    """All stages of a run.

    Attributes:
        root: the folder that holds them.
        world: the processes that make them together.
        listen: told of what happens.
    """

    root: Path
    world: World = field(default_factory=World)
    listen: Listener = _silent
    _verified: set[str] = field(default_factory=set, repr=False)

    def key(self, kind: str, inputs: Mapping[str, Any]) -> str:
        """Name of a stage: its kind and the start of a hash of its inputs."""
        whole = digest({"kind": kind, "version": VERSION, "inputs": dict(inputs)})
        return f"{kind}-{whole[:20]}"

    def has(self, kind: str, inputs: Mapping[str, Any]) -> bool:
        """Whether a stage is done; says nothing of its health."""
        return (self.root / self.key(kind, inputs) / SEAL).is_file()

    def build(self, kind: str, inputs: Mapping[str, Any], make: Maker) -> Path:
        """The stage's folder, made now if it is not there whole.

        Args:
            kind: what it is: sample, ask, train.
            inputs: JSON-ready; everything the result depends on, and nothing else.
            make: fills a working folder, which may hold what an interrupted attempt left. Under
                several processes all of them call it, and share the work by their rank.

        Raises:
            whatever ``make`` raises; the working folder stays for the next attempt.
        """
        key = self.key(kind, inputs)
        final = self.root / key
        if key in self._verified:
            self.listen("reused", kind, key, "")
            return final
        with self._alone(key):
            if self.world.leads:
                self._repair(kind, key)
            self.world.barrier()
            if not final.is_dir():
                self._make(kind, key, inputs, make)
            else:
                self.listen("reused", kind, key, "")
        self._verified.add(key)
        return final

    def _make(self, kind: str, key: str, inputs: Mapping[str, Any], make: Maker) -> None:
        working = self.root / f".{key}.working"
        if self.world.leads:
            working.mkdir(parents=True, exist_ok=True)
        self.world.barrier()
        self.listen("started", kind, key, "")
        start = time.monotonic()
        make(working)
        self.world.barrier()
        seconds = time.monotonic() - start
        if self.world.leads:
            seal = {
                "kind": kind,
                "inputs": dict(inputs),
                "seconds": round(seconds, 3),
                "files": {name: sha256_file(working / name) for name in _files(working)},
            }
            write_atomically(working / SEAL, json.dumps(seal, indent=1, sort_keys=True) + "\n")
            working.rename(self.root / key)
            _clean(self.root / key)
        self.world.barrier()
        self.listen("finished", kind, key, f"{seconds:.1f} s")

    def _repair(self, kind: str, key: str) -> None:
        """Remove a stage whose files are not what its seal says; it is made again."""
        final = self.root / key
        if not final.is_dir():
            return
        try:
            verify(final)
        except DamagedRun as error:
            self.listen("damaged", kind, key, f"{error}; it is made again")
            shutil.rmtree(final)
        else:
            _clean(final)

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Let other runs that share the folder wait while one makes a stage."""
        if not self.world.leads:
            yield
            return
        from filelock import FileLock

        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(str(self.root / f".{key}.lock")):
            yield


def verify(folder: Path, only: str | None = None) -> Mapping[str, Any]:
    """The seal of a stage whose files are what it says.

    Args:
        folder: the stage.
        only: look at this file alone; None looks at all.

    Raises:
        DamagedRun: naming the first file that is missing or changed.
    """
    seal = folder / SEAL
    try:
        held = json.loads(seal.read_text())
        files = dict(held["files"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DamagedRun(f"{folder} has no readable {SEAL}") from None
    for name, sha256 in files.items():
        if only not in (None, name):
            continue
        path = folder / name
        if not path.is_file():
            raise DamagedRun(f"{path} is missing")
        if sha256_file(path) != sha256:
            raise DamagedRun(f"{path} is not what was written (its hash differs)")
    return dict(held)


def _files(folder: Path) -> list[str]:
    """Relative names of all files that belong to a stage, sorted; scratch ones left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if inner.parts[0] in (SCRATCH, SEAL) or not path.is_file():
            continue
        if is_partial(path) or any(is_partial(parent) for parent in inner.parents):
            continue
        found.append(inner.as_posix())
    return found


def _clean(folder: Path) -> None:
    """Remove what does not belong to a finished stage."""
    if (folder / SCRATCH).is_dir():
        shutil.rmtree(folder / SCRATCH)
    for path in [path for path in folder.rglob(".*") if is_partial(path)]:
        if path.is_dir():  # a checkpoint whose saving was killed
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
