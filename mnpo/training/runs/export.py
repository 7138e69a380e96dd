"""What a run leaves for people and other tools: plain checkpoints and tables."""

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mnpo.runs.files import sha256_file, write_atomically
from mnpo.training.models.verifying import HASHES
from mnpo.training.runs.results import MethodResult

#: The model card of a checkpoint.
CARD = "README.md"


def policy_name(method: str, seed: int, player: int | None = None) -> str:
    """What a final policy is called in folders and tables, e.g. "inpo-seed-0"."""
    return f"{method}-seed-{seed}" + ("" if player is None else f"-player-{player + 1}")


def export_policy(checkpoint: Path, folder: Path, card: str | None = None) -> None:
    """Make a checkpoint available under another name, whole or not at all.

    Files are hard links where the file system has them, else copies; the model card is the
    policy's own, since methods that agree in their last update share the checkpoint. A folder that
    already holds the same is left alone; another one of that name is replaced.

    Args:
        checkpoint: a saved policy.
        folder: the other name.
        card: text of its README.md; None keeps the checkpoint's.
    """
    if is_exported(checkpoint, folder) and card in (None, _card_of(folder)):
        return
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for path in _files(checkpoint):
        target = partial / path.relative_to(checkpoint)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:  # another file system, or one without hard links
            shutil.copy2(path, target)
    if card is not None:
        write_atomically(partial / CARD, card)  # a file of its own: links are not written through
        if (partial / HASHES).is_file():
            hashes = json.loads((partial / HASHES).read_text()) | {
                CARD: sha256_file(partial / CARD)
            }
            write_atomically(partial / HASHES, json.dumps(hashes, indent=1) + "\n")
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)


def is_exported(checkpoint: Path, folder: Path) -> bool:
    """Whether a folder holds the checkpoint's files: links to them, or copies with their hashes.

    Its model card is its own; it is held against the folder's list of hashes.
    """
    if not folder.is_dir():
        return False
    shared = [path for path in _files(checkpoint) if path.name not in (CARD, HASHES)]
    if not all(_same(path, folder / path.relative_to(checkpoint)) for path in shared):
        return False
    if not (checkpoint / HASHES).is_file():
        return True
    try:
        listed = json.loads((folder / HASHES).read_text())
        own = json.loads((checkpoint / HASHES).read_text())
        unlike = {name for name in {*listed, *own} if listed.get(name) != own.get(name)}
        return unlike <= {CARD} and listed[CARD] == sha256_file(folder / CARD)
    except (OSError, ValueError, KeyError):
        return False


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


def _card_of(folder: Path) -> str:
    return (folder / CARD).read_text(encoding="utf-8")


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
