"""From a path to a raw matrix: bytes, compression and suffixes; every failure in one line."""

import gzip
import zipfile
import zlib
from pathlib import Path

import numpy as np

from mnpo.errors import InvalidGame
from simulators.games.files.csv_tables import parse_csv
from simulators.games.files.json_games import parse_json
from simulators.games.files.raw import LARGEST, RawMatrix, check_size
from simulators.games.matrices import labels

MAX_BYTES = 512 * 2**20
"""Bytes read from one file, after decompression; a full matrix of MAX_ACTIONS needs about this."""

_SUFFIXES = ".csv, .tsv, .json (each also .gz) or .npy"


def read_matrix(path: Path, mode: str | None = None) -> RawMatrix:
    """Read a matrix file by its suffix.

    Args:
        path: a .csv, .tsv, .json (also .gz) or .npy file.
        mode: the rows of a long table of pairs to use, by its column ``mode``.

    Raises:
        InvalidGame: a file that is missing, unreadable, too large, empty, of another type, or whose
            text is not a matrix; names the line, column or key.
    """
    if path.is_dir():
        raise InvalidGame(f"{path}: a folder; give a file, {_SUFFIXES}")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if packed else suffixes)[-1:]
    if kind == [".npy"] and not packed:
        raw = _read_npy(path)
    elif kind in ([".csv"], [".tsv"]):
        delimiter = "\t" if kind == [".tsv"] else None
        return parse_csv(_text(path, packed), path.name, mode, delimiter)
    elif kind == [".json"]:
        raw = parse_json(_text(path, packed), path.name)
    else:
        raise InvalidGame(f"{path.name}: unknown kind of file; a game is read from {_SUFFIXES}")
    if mode is not None:
        raise InvalidGame(
            f"{path.name}: mode={mode} picks rows of a CSV table of pairs; this file has none"
        )
    return raw


def stem(path: Path) -> str:
    """The file's name without ``.csv.gz`` and the like."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return name.rpartition(".")[0] or name


def _text(path: Path, packed: bool) -> str:
    data = _bytes(path, packed)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidGame(f"{path.name}: not UTF-8 text (byte {error.start})") from None
    if not text.strip():
        raise InvalidGame(f"{path.name}: the file is empty")
    return text


def _bytes(path: Path, packed: bool) -> bytes:
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidGame(f"{path.name}: not a whole gzip file ({error})") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(data) > MAX_BYTES:
        raise InvalidGame(
            f"{path.name}: more than {MAX_BYTES // 2**20} MiB of text; save it as .npy"
        )
    return data


def _read_npy(path: Path) -> RawMatrix:
    try:
        # Mapped, so that the header is judged before the numbers are read.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise _unreadable(path, error) from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:120]
        raise InvalidGame(f"{path.name}: not a numeric .npy array ({reason})") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise InvalidGame(f"{path.name}: an archive of arrays; save one array with numpy.save")
    if array.dtype.kind not in "fiu":
        raise InvalidGame(f"{path.name}: holds {array.dtype} values; a game matrix holds numbers")
    square = array.ndim in (2, 3) and array.shape[-1] == array.shape[-2]
    if not square or array.shape[-1] < 2 or array.shape[0] < 1:
        raise InvalidGame(
            f"{path.name}: shape {array.shape}; a game is (K, K), or (C, K, K) with one matrix per "
            "context, K at least 2"
        )
    check_size(path.name, array.shape[-1])
    if array.nbytes > MAX_BYTES:
        raise InvalidGame(f"{path.name}: more than {MAX_BYTES // 2**20} MiB of numbers")
    values = np.array(array, dtype=np.float64)
    if np.abs(values).max(initial=0.0, where=~np.isnan(values)) > LARGEST:
        cell = tuple(int(i) for i in np.argwhere(np.abs(values) > LARGEST)[0])
        raise InvalidGame(f"{path.name}: cell {cell} is {values[cell]:g}, not a finite number")
    return RawMatrix(path.name, values, labels(array.shape[-1]))


def _unreadable(path: Path, error: OSError) -> InvalidGame:
    if isinstance(error, FileNotFoundError):
        return InvalidGame(f"{path}: no such file")
    return InvalidGame(f"{path}: cannot be read ({error.strerror or error})")
