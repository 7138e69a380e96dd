"""Files that are either whole or absent, and their hashes."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from mnpo.printable import storable

_PARTIAL = ".partial"


def write_atomically(path: Path, content: bytes | str | Callable[[BinaryIO], object]) -> None:
    """Write a file under a temporary name, flush it to disk, and rename it into place.

    Args:
        path: the final name; its folder must exist.
        content: the bytes, the text (UTF-8), or a function that writes to the open file.

    Raises:
        OSError: when the disk is full or not writable, with the final name as its ``filename``;
            nothing is left behind and an older file of that name is untouched.
    """
    try:
        _write(path, content)
    except OSError as error:
        error.filename = str(path)  # a failed write names no file, a failed open the partial one
        raise


def write_together(files: Mapping[Path, str]) -> None:
    """Write several files of one folder; all are on the disk before the first gets its name.

    Args:
        files: texts by their final name.

    Raises:
        OSError: as `write_atomically`; no file is new then.
    """
    written: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            try:
                written[path] = _write_partial(path, content)
            except OSError as error:
                error.filename = str(path)
                raise
        for path, partial in written.items():
            os.replace(partial, path)
    finally:
        for partial in written.values():
            partial.unlink(missing_ok=True)


def is_partial(path: Path) -> bool:
    """Whether a file is the temporary one of a write that was killed."""
    return path.name.startswith(".") and path.name.endswith(_PARTIAL)


def _write(path: Path, content: bytes | str | Callable[[BinaryIO], object]) -> None:
    partial = _write_partial(path, content)
    try:
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _write_partial(path: Path, content: bytes | str | Callable[[BinaryIO], object]) -> Path:
    """The name of a file beside it that holds the content, flushed to disk."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_PARTIAL, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            if callable(content):
                content(file)
            else:
                # Names of files and models come from outside: half a character stops no write.
                file.write(storable(content).encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def digest(value: Any) -> str:
    """Hex sha256 of a JSON-ready value, independent of key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
