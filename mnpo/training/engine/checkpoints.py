"""Checkpoints inside an iteration that are known to be whole before anything is read from them.

A checkpoint is a folder ``checkpoint-N`` as transformers writes it. What makes it count is its
seal, a file of hashes that is written last: a process killed while saving leaves a folder without
one, and a file that changed afterwards no longer fits.
"""

import json
import logging
import re
import shutil
from pathlib import Path

from mnpo.errors import UserError
from mnpo.runs.files import sha256_file, write_atomically

_logger = logging.getLogger(__name__)
_SEAL = "seal.json"
_NAME = re.compile(r"checkpoint-(\d+)")

#: Older checkpoints beyond this number are deleted; the second is there should the first be hurt.
KEPT = 2


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint after so many steps lies."""
    return folder / f"checkpoint-{step}"


def seal_checkpoint(checkpoint: Path, key: str) -> None:
    """Hash every file of a finished checkpoint, and delete those that have become too old.

    Args:
        checkpoint: the folder, complete.
        key: of the plan it belongs to.
    """
    files = {name: sha256_file(checkpoint / name) for name in _files(checkpoint)}
    write_atomically(checkpoint / _SEAL, json.dumps({"key": key, "sha256": files}, indent=2) + "\n")
    sealed = [path for path in _newest_first(checkpoint.parent) if (path / _SEAL).exists()]
    for old in sealed[KEPT:]:
        shutil.rmtree(old)


def find_checkpoint(folder: Path, key: str) -> Path | None:
    """The newest intact checkpoint of a plan; broken ones are deleted.

    One that was never sealed is what a kill while saving leaves, and nothing to speak of. One
    that no longer fits its seal is said in a line of the log.

    Args:
        folder: holds ``checkpoint-N`` folders, or does not exist.
        key: of the plan.

    Raises:
        UserError: an intact checkpoint belongs to another plan.
    """
    for checkpoint in _newest_first(folder):
        if not (checkpoint / _SEAL).exists():
            shutil.rmtree(checkpoint)
            continue
        fault = _fault(checkpoint)
        if fault is None:
            found = json.loads((checkpoint / _SEAL).read_text())["key"]
            if found != key:
                raise UserError(
                    f"{checkpoint} belongs to training with other data, loss or settings; "
                    "give another folder, or delete this one"
                )
            return checkpoint
        _logger.warning("%s is damaged (%s); going back to the one before", checkpoint, fault)
        shutil.rmtree(checkpoint)
    return None


def discard_checkpoint(checkpoint: Path) -> None:
    """Delete a checkpoint that could not be written whole."""
    shutil.rmtree(checkpoint, ignore_errors=True)


def _fault(checkpoint: Path) -> str | None:
    """What is wrong with a sealed checkpoint, or None."""
    try:
        sealed = json.loads((checkpoint / _SEAL).read_text())
        hashes, _ = dict(sealed["sha256"]), str(sealed["key"])
    except (ValueError, KeyError, TypeError):
        return f"{_SEAL} cannot be read"
    for name, expected in hashes.items():
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
        if sha256_file(checkpoint / name) != expected:
            return f"{name} has changed"
    return None


def _files(checkpoint: Path) -> list[str]:
    """Names of all files but the seal, relative to the checkpoint."""
    found = (path for path in checkpoint.rglob("*") if path.is_file())
    names = (path.relative_to(checkpoint).as_posix() for path in found)
    return sorted(name for name in names if name != _SEAL)


def _newest_first(folder: Path) -> list[Path]:
    """Checkpoint folders, the one with the most steps first."""
    if not folder.is_dir():
        return []
    numbered = [
        (int(match[1]), path)
        for path in folder.iterdir()
        if path.is_dir() and (match := _NAME.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered, reverse=True)]
