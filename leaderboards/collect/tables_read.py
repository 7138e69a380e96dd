"""CSV tables of runs, besides the tidy one."""

import csv
import io
import math
from collections.abc import Mapping, Sequence

from leaderboards.collect.opening import Opened
from mnpo.errors import DamagedRun
from mnpo.printable import shown

Line = Mapping[str, str]
#: No figure is as large, and squares of larger ones are no numbers.
LARGEST = 1e150


def csv_lines(opened: Opened, name: str) -> list[list[str]]:
    """The cells of a CSV file, line by line, the header first.

    Raises:
        DamagedRun: it is missing or damaged, or is no CSV.
    """
    reader = csv.reader(io.StringIO(opened.text(name), newline=""), strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise DamagedRun(
            f"{opened.path}: {name}, line {reader.line_num} cannot be read ({error}); run the "
            "command again"
        ) from None


def read_table(opened: Opened, name: str, needed: Sequence[str]) -> list[Line]:
    """Rows of a CSV file as texts by column.

    Raises:
        DamagedRun: it is missing or damaged, lacks a column, or a row has other cells than the
            header.
    """
    lines = csv_lines(opened, name)
    header = lines[0] if lines else []
    missing = [column for column in needed if column not in header]
    if missing:
        raise DamagedRun(f"{opened.path}: {name} has no column {missing[0]}; run the command again")
    found: list[Line] = []
    for number, cells in enumerate(lines[1:], start=1):
        if len(cells) != len(header):
            raise DamagedRun(
                f"{opened.path}: {name}, row {number} has {len(cells)} cells, not {len(header)}"
            )
        found.append(dict(zip(header, cells, strict=True)))
    return found


def number(opened: Opened, name: str, row: int, line: Line, column: str) -> float | None:
    """A cell as a number; None where it is empty or says that there is none (NaN, infinity).

    Raises:
        DamagedRun: it is neither, or beyond all that is measured.
    """
    text = line.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise DamagedRun(
            f"{opened.path}: {name}, row {row}: {column} must be a number, got {shown(text)}"
        ) from None
    if math.isfinite(value) and abs(value) > LARGEST:
        raise DamagedRun(f"{opened.path}: {name}, row {row}: {column} cannot be {value:g}")
    return value if math.isfinite(value) else None
