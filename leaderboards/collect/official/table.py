"""The rows of a published file, with messages that say where something is wrong."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnpo.errors import UserError
from mnpo.printable import shown

#: Characters, after decompression, of the largest board that is read; and of a header.
_MOST, _MOST_OF_HEADER = 64 * 2**20, 64 * 2**10


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        file: the file's name, for messages.
        number: of the table's rows, from 1 (without the header).
        cells: by column.
    """

    file: str
    number: int
    cells: Mapping[str, str]

    def refuse(self, column: str, why: str) -> UserError:
        """The error that names file, row and column."""
        value = shown(self.cells.get(column, ""))
        return UserError(f"{self.file}, row {self.number}, column '{column}': {value} {why}")

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        found = self.cells[column].strip()
        if not found:
            raise self.refuse(column, "is empty")
        return found

    def optional(self, column: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """A finite number within bounds; None where the cell is empty or the column is absent."""
        found = self.cells.get(column, "").strip()
        if not found:
            return None
        try:
            value = float(found)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.refuse(column, "is not a number")
        if not low <= value <= high:
            raise self.refuse(column, f"is not within [{low:g}, {high:g}]")
        return value

    def real(self, column: str, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number within bounds."""
        found = self.optional(column, low, high)
        if found is None:
            raise self.refuse(column, "is empty")
        return found

    def count(self, column: str) -> int:
        """A whole number of at least 0."""
        found = self.real(column, 0.0, 1e15)
        if found != int(found):
            raise self.refuse(column, "is not a whole number")
        return int(found)


def first_line(path: Path) -> str:
    """The first line of a text file, plain or gzipped; "" where it is neither."""
    try:
        with _opened(path) as stream:
            return stream.readline(_MOST_OF_HEADER).decode("utf-8-sig").strip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return ""


def read_text(path: Path) -> str:
    """The whole file.

    Raises:
        UserError: it cannot be read, is cut off, too large, or no UTF-8 text.
    """
    try:
        with _opened(path) as stream:
            data = stream.read(_MOST + 1)
        if len(data) > _MOST:
            raise UserError(f"{path.name}: more than {_MOST // 2**20} MiB of text")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name}: not UTF-8 text (byte {error.start})") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path.name}: not a whole gzip file ({error})") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def header_of(line: str) -> tuple[str, ...]:
    """The columns that a CSV header names; () where it is none."""
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], strict=True), []))
    except csv.Error:
        return ()


def read_rows(path: Path, required: Sequence[str]) -> list[Row]:
    """The rows of a CSV file.

    Args:
        path: the file.
        required: columns that must be there.

    Raises:
        UserError: the file cannot be read, a column is absent or twice there, a row has too few or
            too many cells, or there is no row.
    """
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    try:
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise UserError(f"{path.name}, line {reader.line_num}: {error}") from None
    header = [cell.strip() for cell in lines[0]]
    for column in required:
        if column not in header:
            raise UserError(f"{path.name}: the column '{column}' is missing")
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise UserError(f"{path.name}: the column '{twice[0]}' is there twice")
    for number, line in enumerate(lines[1:], 1):
        if len(line) != len(header):
            raise UserError(
                f"{path.name}, row {number}: {len(line)} cells under {len(header)} columns"
            )
    if len(lines) < 2:
        raise UserError(f"{path.name}: a header and no row")
    return [
        Row(path.name, number, dict(zip(header, line, strict=True)))
        for number, line in enumerate(lines[1:], 1)
    ]


def _opened(path: Path) -> io.BufferedIOBase | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")
