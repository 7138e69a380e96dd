"""What a run leaves for people and other tools: plain checkpoints and tables."""

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mnpo.runs.files import sha256_file
from mnpo.training.results import MethodResult


def policy_name(method: str, seed: int, player: int | None = None) -> str:
    """What a final policy is called in folders and tables, e.g. "inpo-seed-0"."""
    return f"{method}-seed-{seed}" + ("" if player is None else f"-player-{player + 1}")


def export_policy(checkpoint: Path, folder: Path) -> None:
    """Make a checkpoint available under another name, whole or not at all.

    Files are hard links where the file system has them, else copies. A folder that already holds
    the same files is left alone; another one of that name is replaced.
    """
    if is_exported(checkpoint, folder):
        return
    files = _files(checkpoint)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for path in files:
        target = partial / path.relative_to(checkpoint)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:  # another file system, or one without hard links
            shutil.copy2(path, target)
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)


def is_exported(checkpoint: Path, folder: Path) -> bool:
    """Whether a folder holds the checkpoint's files: links to them, or copies with their hashes."""
    return folder.is_dir() and all(
        _same(path, folder / path.relative_to(checkpoint)) for path in _files(checkpoint)
    )


def ledger_csv(results: Sequence[MethodResult]) -> str:
    """A row for each method and seed."""
    rows = [
        {"method": result.method, "seed": result.seed, **result.ledger.describe()}
        for result in results
    ]
    return _csv(rows)


def training_csv(results: Sequence[MethodResult]) -> str:
    """A row for each gradient step: whose it is, and the record of the training log.

    Raises:
        OSError: a log is gone.
    """
    rows = []
    for result in results:
        for log in result.logs:
            for line in log.path.read_text().splitlines():
                record = json.loads(line)
                place = {
                    "method": result.method,
                    "seed": result.seed,
                    "iteration": log.iteration + 1,
                    "player": log.player + 1,
                    "update": log.update + 1,
                    "step": record.pop("step"),
                }
                rows.append(place | record)
    return _csv(rows)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _same(one: Path, other: Path) -> bool:
    if not other.is_file():
        return False
    return one.samefile(other) or sha256_file(one) == sha256_file(other)


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """All keys as columns, in order of appearance; floats so that they are read back exactly."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
