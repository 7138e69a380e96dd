"""Rows of other people's files: JSON, JSON lines or CSV, plain or gzipped, with their places."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mnpo.errors import UserError

Form = Literal["json", "jsonl", "csv"]
_ENDINGS: dict[str, Form] = {".json": "json", ".jsonl": "jsonl", ".csv": "csv"}


@dataclass(frozen=True)
class Row:
    """One record of a file.

    Attributes:
        values: its fields; of a CSV file all are texts.
        where: for messages, e.g. "annotations.json.gz, row 12" (rows count from 1).
    """

    values: dict[str, Any]
    where: str

    def text(self, *names: str) -> str:
        """The first of these fields that is there, which must be a text.

        Raises:
            UserError: none is there, or it is something else.
        """
        for name in names:
            if name in self.values:
                if isinstance(self.values[name], str):
                    return str(self.values[name])
                raise UserError(f"{self.where}: {name} must be a text, got {self.values[name]!r}")
        raise UserError(f"{self.where}: has no {' or '.join(names)}")


def read_rows(path: Path) -> list[Row]:
    """All records of a file.

    The form follows the name (.json, .jsonl, .csv, each with .gz or without); a .json file may
    hold one list of records or JSON lines.

    Raises:
        UserError: the file cannot be read, is of another form, or a record is not an object; the
            message names the row.
    """
    return list(iterate_rows(path))


def iterate_rows(path: Path) -> Iterator[Row]:
    """The records one by one; see `read_rows`."""
    form = _ENDINGS.get(Path(path.name.removesuffix(".gz")).suffix)
    if form is None:
        raise UserError(
            f"{path}: the name must end with .json, .jsonl or .csv, or one of them and .gz"
        )
    text = read_text(path)
    if form == "csv":
        yield from _csv(text, path)
    elif form == "json" and text.lstrip()[:1] == "[":
        yield from _json_list(text, path)
    else:
        yield from _json_lines(text, path)


def read_text(path: Path) -> str:
    """A file's text, unzipped where its name ends with .gz.

    Raises:
        UserError: it cannot be read, is no gzip file, or no UTF-8.
    """
    try:
        data = path.read_bytes()
        if path.name.endswith(".gz"):
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise UserError(f"{path}: is no whole gzip file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def _csv(text: str, path: Path) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        for number, values in enumerate(_with_long_cells(reader, len(text)), 1):
            where = f"{path}, row {number}"
            if "" in values and isinstance(values[""], list):
                raise UserError(f"{where}: has more cells than the header")
            if None in values.values():
                raise UserError(f"{where}: has fewer cells than the header")
            yield Row(dict(values), where)
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}") from None


def _with_long_cells(reader: Iterator[dict[str, Any]], longest: int) -> Iterator[dict[str, Any]]:
    """The rows, whose cells may be this long.

    The csv module has one limit for the whole process (131,072): it is raised only while a row is
    read, so that nobody else sees it.
    """
    while True:
        before = csv.field_size_limit()
        csv.field_size_limit(max(before, longest))
        try:
            row = next(reader, None)
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        yield row


def _json_list(text: str, path: Path) -> Iterator[Row]:
    try:
        records = json.loads(text)
    except ValueError as error:
        raise UserError(f"{path}: is no JSON ({error})") from None
    for number, record in enumerate(records, 1):
        yield _row(record, f"{path}, row {number}")


def _json_lines(text: str, path: Path) -> Iterator[Row]:
    # Only "\n" ends a line: str.splitlines would also cut at U+2028, which JSON texts may hold.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, row {number}"
        try:
            record = json.loads(line)
        except ValueError:
            raise UserError(f"{where}: is no JSON") from None
        yield _row(record, where)


def _row(record: Any, where: str) -> Row:
    if not isinstance(record, dict):
        raise UserError(f"{where}: is no JSON object")
    return Row(record, where)
