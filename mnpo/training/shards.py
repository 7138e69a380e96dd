"""Pieces of an unfinished stage: JSON with its own hash, redone when it is not what was written."""

import json
from pathlib import Path
from typing import Any

from mnpo.errors import DamagedRun
from mnpo.runs.files import digest, write_atomically


def write_shard(file: Path, rows: list[Any]) -> None:
    """Write JSON-ready rows and their hash."""
    write_atomically(file, json.dumps({"sha256": digest(rows), "rows": rows}))


def is_done(file: Path) -> bool:
    """Whether the piece is there and intact; a damaged one is removed."""
    if not file.exists():
        return False
    try:
        read_shard(file)
    except DamagedRun:
        file.unlink()
        return False
    return True


def read_shard(file: Path) -> list[Any]:
    """The rows.

    Raises:
        DamagedRun: they are not what was written.
    """
    try:
        held = json.loads(file.read_text())
        rows, sha256 = list(held["rows"]), held["sha256"]
    except (ValueError, KeyError, TypeError):
        raise DamagedRun(f"{file} cannot be read; repeat the command") from None
    if digest(rows) != sha256:
        raise DamagedRun(f"{file} is not what was written (its hash differs); repeat the command")
    return rows
