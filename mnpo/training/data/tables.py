"""Rows of json, jsonl, csv and parquet files, plain or gzipped, with their numbers."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from mnpo.errors import UserError

#: Number of the row, from 1, and its columns.
Row: TypeAlias = tuple[int, dict[str, Any]]

FORMATS = (".json", ".jsonl", ".csv", ".parquet")


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, by its ending: .json (a list), .jsonl, .csv, .parquet; and .gz of each.

    Empty lines of .jsonl count as lines but give no row; in .csv the first row after the header
    is row 1. Cells of .csv that hold a JSON list of messages are read as that.

    Raises:
        UserError: no such file, another ending, damage, or a row that is not a mapping, with the
            file and the row.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a file of prompts or preference pairs")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    zipped = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if zipped else suffixes)[-1:]
    if not kind or kind[0] not in FORMATS:
        raise UserError(
            f"{path}: unknown ending; prompts are read from {', '.join(FORMATS)}, plain or .gz"
        )
    content = _content(path, zipped)
    if kind[0] == ".parquet":
        return _parquet(path, content)
    text = _text(path, content)
    if kind[0] == ".csv":
        return _csv(path, text)
    return _jsonl(path, text) if kind[0] == ".jsonl" else _json(path, text)


def _content(path: Path, zipped: bool) -> bytes:
    content = path.read_bytes()
    if not zipped:
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: the gzip file is damaged ({error}); fetch it again") from None


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: not UTF-8 text; save the file as UTF-8") from None


def _json(path: Path, text: str) -> Iterator[Row]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        hint = "; one JSON object a line is .jsonl" if error.msg == "Extra data" else ""
        raise UserError(f"{path}, line {error.lineno}: not JSON ({error.msg}){hint}") from None
    except RecursionError:
        raise UserError(f"{path}: its JSON is nested too deeply to be data") from None
    if not isinstance(rows, list):
        raise UserError(f"{path}: holds a {type(rows).__name__}, expected a list of rows")
    for number, row in enumerate(rows, start=1):
        yield number, _mapping(path, number, row)


def _jsonl(path: Path, text: str) -> Iterator[Row]:
    # Not splitlines(): JSON strings may hold the other line separators of Unicode as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}, row {number}: not JSON ({error.msg})") from None
        except RecursionError:
            raise UserError(f"{path}, row {number}: its JSON is nested too deeply") from None
        yield number, _mapping(path, number, row)


def _csv(path: Path, text: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if None in row or None in row.values():
                raise UserError(
                    f"{path}, row {number}: has another number of cells than the header"
                )
            yield number, {column: _cell(value) for column, value in row.items()}
    except csv.Error as error:
        raise UserError(f"{path}, row {number + 1}: not CSV ({error})") from None


def _cell(value: str) -> Any:
    if value.startswith("[{"):
        try:
            return json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            return value
    return value or None


def _parquet(path: Path, content: bytes) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as parquet ({reason})") from None
    yield from enumerate(table.to_pylist(), start=1)


def _mapping(path: Path, number: int, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise UserError(
            f"{path}, row {number}: is a {type(row).__name__}, expected an object with a key "
            "'prompt' or 'messages'"
        )
    return row
