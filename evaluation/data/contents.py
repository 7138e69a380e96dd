"""What a file holds, whether it is zipped or not: the identity by which it is known again."""

import gzip
import hashlib
import os
import zlib
from pathlib import Path

from mnpo.errors import UserError

#: No benchmark file comes near this; a .gz file that unzips to more is not unzipped further.
LARGEST = 1 << 28
_BLOCK = 1 << 20
_GZIP = b"\x1f\x8b"


def content_sha256(path: Path) -> str:
    """Hex sha256 of a file's content: of a gzip file's unzipped.

    Raises:
        UserError: it cannot be read, is a damaged gzip file, or unzips to more than `LARGEST`.
    """
    hasher = hashlib.sha256()
    size = 0
    try:
        with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
            while block := file.read(_BLOCK):
                size += len(block)
                if size > LARGEST:
                    raise UserError(f"{path}: holds more than {LARGEST >> 20} MiB")
                hasher.update(block)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise UserError(f"{path}: is no whole gzip file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    return hasher.hexdigest()


def content_size(path: Path) -> int:
    """Bytes of the content, of a gzip file as its last four bytes say (one member, below 4 GiB).

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size < 18 or not is_gzip(path):  # the shortest gzip file there is
        return size
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def is_gzip(path: Path) -> bool:
    """Whether a file begins as gzip files do.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def spellings(path: str) -> tuple[str, str]:
    """A path as given, and with .gz dropped or added."""
    return path, path.removesuffix(".gz") if path.endswith(".gz") else f"{path}.gz"
