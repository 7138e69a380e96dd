"""Rows of other people's files: JSON, JSON lines or CSV, plain or gzipped, with their places.

What would be lost without a word is refused: a name that stands twice in an object or a header.
Halves of surrogate pairs, which no file of ours could hold, are replaced (U+FFFD) as rows are read.
"""

import csv
import gzip
import io
import json
import re
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mnpo.errors import UserError
from mnpo.printable import shown, storable

Form = Literal["json", "jsonl", "csv"]
#: How JSON spells half of a surrogate pair; whole pairs are spelled so too.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
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
                raise UserError(
                    f"{self.where}: {name} must be a text, got {shown(self.values[name])}"
                )
        raise UserError(f"{self.where}: has no {' or '.join(names)}")

    def whole(self, name: str) -> int:
        """The field as a whole number; a text of digits is one too, as in CSV.

        Raises:
            UserError: it is not there, or something else.
        """
        if name not in self.values:
            raise UserError(f"{self.where}: has no {name}")
        value = self.values[name]
        try:
            if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
                raise ValueError
            return int(value)
        except (TypeError, ValueError, OverflowError):
            raise UserError(
                f"{self.where}: {name} is {shown(value, 40)}, expected a whole number"
            ) from None


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
        UserError: it is no regular file, cannot be read, is no gzip file, or no UTF-8.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # it might never end
            raise UserError(f"{path}: is no regular file; write what it gives into one")
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
            if number == 1:
                _require_different(reader.fieldnames or (), path)
            if "" in values and isinstance(values[""], list):
                raise UserError(f"{where}: has more cells than the header")
            if None in values.values():
                raise UserError(f"{where}: has fewer cells than the header")
            yield Row(dict(values), where)
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}") from None


def _require_different(names: Sequence[str], path: Path) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"{path}: the header names {shown(name)} twice; leave one of them")
        seen.add(name)


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
    for number, record in enumerate(_parsed(text, str(path)), 1):
        yield _row(record, f"{path}, row {number}")


def _json_lines(text: str, path: Path) -> Iterator[Row]:
    # Only "\n" ends a line: str.splitlines would also cut at U+2028, which JSON texts may hold.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, row {number}"
        yield _row(_parsed(line, where), where)


def _parsed(text: str, where: str) -> Any:
    try:
        found = json.loads(text, object_pairs_hook=_object)
        return _storable(found) if _SURROGATE.search(text) else found
    except _Twice as twice:
        raise UserError(f"{where}: names {shown(twice.name)} twice; leave one of them") from None
    except ValueError as error:
        raise UserError(f"{where}: is no JSON ({error})") from None
    except RecursionError:
        raise UserError(f"{where}: is nested too deeply") from None


class _Twice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for place, name in enumerate(names) if name in names[:place]))
    return found


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(own) for own in value]
    if isinstance(value, dict):
        return _object([(storable(name), _storable(own)) for name, own in value.items()])
    return value


def _row(record: Any, where: str) -> Row:
    if not isinstance(record, dict):
        raise UserError(f"{where}: is no JSON object")
    return Row(record, where)
