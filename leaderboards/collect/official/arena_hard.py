"""Arena-Hard's leaderboards: the table that its code writes, and those of its read-me."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from evaluation.statistics import Interval
from leaderboards.board import Column
from leaderboards.collect.official.parts import (
    NOT_STATED,
    Z90,
    Z95,
    Cell,
    Official,
    OfficialColumn,
    outside,
    plain,
)
from leaderboards.collect.official.table import Row, read_rows
from mnpo.errors import UserError

#: Headers of the two forms.
WRITTEN = frozenset({"model", "score", "rating_q025", "rating_q975"})
QUOTED = frozenset({"model", "score", "ci_minus", "ci_plus"})
_V1, _V2 = "arena-hard-v0.1", "arena-hard-v2.0"
_TOO_NARROW = (
    "The official bootstrap draws battles although both orders of a question, and the three "
    "battles of a strong verdict, belong together: intervals, and the ranks, are too narrow."
)
_ASIDE = re.compile(r"\*\*.*?\*\*")


def read_written(path: Path) -> Official:
    """Read the table that the benchmark's ``show_result.py`` writes: one leaderboard.

    Raises:
        UserError: a column is missing, a cell is no number of its kind, a model is there twice.
    """
    rows = read_rows(path, ("model", "score", "rating_q025", "rating_q975"))
    block = _Block("")
    for row in rows:
        name = row.text("model")
        if name in block.cells:
            raise UserError(f"{row.file}, row {row.number}: '{name}' is there twice")
        low, high = row.real("rating_q025", 0, 100), row.real("rating_q975", 0, 100)
        block.cells[name] = _cell(row, low, high, Z95)
        _add_tokens(block, row, name)
    column = _column(_V1, "score", NOT_STATED, "score %", "2.5 and 97.5 percentiles")
    dates = sorted({row.cells.get("date", "").strip() for row in rows} - {""})
    notes = [
        "Intervals: 2.5 and 97.5 percentiles of the official bootstrap, as published.",
        _TOO_NARROW,
    ]
    if dates:
        notes.append(f"Dated {', '.join(dates)}.")
    return Official(
        title="Arena-Hard v0.1, as published",
        benchmark=_V1,
        judge=NOT_STATED,
        columns=(OfficialColumn(column, block.cells), *_tokens([block], _V1)),
        rows=len(rows),
        notes=tuple(notes),
    )


def read_quoted(path: Path) -> Official:
    """Read leaderboards with ``ci_minus`` and ``ci_plus``, several in one file, each a column.

    Rows of one leaderboard share what the column ``leaderboard`` or ``block`` says; without these
    there is one. A model that comes again under the same heading begins another leaderboard, about
    which the file says nothing.

    Raises:
        UserError: a column is missing, a cell is no number of its kind.
    """
    rows = read_rows(path, ("model", "score", "ci_minus", "ci_plus"))
    second = "leaderboard" in rows[0].cells
    benchmark, z = (_V2, Z90) if second else (_V1, Z95)
    which = "5 and 95" if second else "2.5 and 97.5"
    blocks = _blocks(rows, second, z)
    columns: list[OfficialColumn] = []
    notes: list[str] = []
    for place, block in enumerate(blocks, 1):
        judge = _judge(block.heading)
        metric = _metric(block, second, place)
        column = _column(
            benchmark, metric, judge, block.title(place, len(blocks)), f"{which} percentiles"
        )
        columns.append(
            OfficialColumn(_unique(column, [own.column for own in columns]), block.cells)
        )
        if block.repeated:
            notes.append(
                f"'{columns[-1].column.title}' stands in the file below the same heading as the "
                "leaderboard before it, with other figures: the file does not say what it is."
            )
    notes.insert(0, f"Intervals: {which} percentiles of the official bootstrap, as published.")
    notes.insert(1, _TOO_NARROW)
    if second:
        notes.append("5 and 95 percentiles are an interval of 90 %, not of 95 %.")
    return Official(
        title=f"Arena-Hard {'v2.0' if second else 'v0.1'}, as published",
        benchmark=benchmark,
        judge=", ".join(dict.fromkeys(own.column.judge for own in columns)),
        columns=(*columns, *_tokens(blocks, benchmark)),
        rows=len(rows),
        notes=tuple(notes),
    )


@dataclass
class _Block:
    """One leaderboard of a file."""

    heading: str
    repeated: bool = False
    cells: dict[str, Cell] = field(default_factory=dict)
    tokens: dict[str, Cell] = field(default_factory=dict)

    def title(self, place: int, count: int) -> str:
        """Over its column."""
        if count == 1:
            return "score %"
        if self.repeated:
            return f"leaderboard {place}"
        short = _ASIDE.sub("", self.heading).replace(":", " ").strip(" ,")
        return " ".join((short or self.heading.replace("*", "")).split())


def _blocks(rows: Sequence[Row], second: bool, z: float) -> list[_Block]:
    label = "leaderboard" if second else "block"
    blocks: list[_Block] = []
    last: str | None = None
    for row in rows:
        name, at = row.text("model"), row.cells.get(label, "").strip()
        heading = at if second else row.cells.get("heading_above", "").strip()
        if last is None or at != last or name in blocks[-1].cells:
            known = any(own.heading == heading for own in blocks)
            blocks.append(_Block(heading, repeated=known))
            last = at
        score = row.real("score", 0, 100)
        low, high = score + row.real("ci_minus", -100, 100), score + row.real("ci_plus", -100, 100)
        blocks[-1].cells[name] = _cell(row, low, high, z)
        _add_tokens(blocks[-1], row, name)
    return blocks


def _cell(row: Row, low: float, high: float, z: float) -> Cell:
    score = row.real("score", 0, 100)
    # Sums of rounded numbers: 85.9 - 0.8 is 85.10000000000001.
    low, high = round(low, 6), round(high, 6)
    return Cell(
        Interval(score, low, high, 0, 0),
        row.number,
        error=max(0.0, high - low) / (2 * z),
        flags=outside(score, low, high),
    )


def _add_tokens(block: _Block, row: Row, name: str) -> None:
    tokens = row.optional("avg_tokens", 0)
    if tokens is not None:
        block.tokens[name] = Cell(plain(tokens), row.number)


def _column(benchmark: str, metric: str, judge: str, title: str, interval: str) -> Column:
    controlled = "style-controlled " if metric.startswith("style") else ""
    return Column(
        key=f"{benchmark}/{metric}",
        title=title,
        benchmark=benchmark,
        metric=metric,
        judge=judge,
        unit="%",
        explanation=f"{controlled}win rate against the baseline; interval: {interval}",
    )


def _tokens(blocks: Sequence[_Block], benchmark: str) -> list[OfficialColumn]:
    """Mean lengths; of models on several leaderboards the first's."""
    cells: dict[str, Cell] = {}
    for block in blocks:
        for name, cell in block.tokens.items():
            cells.setdefault(name, cell)
    if not cells:
        return []
    column = Column(
        key=f"{benchmark}/mean_tokens",
        title="tokens",
        benchmark=benchmark,
        metric="mean_tokens",
        unit="tokens",
        better="neither",
        headline=False,
        explanation="mean length of the answers",
    )
    return [OfficialColumn(column, cells)]


def _judge(heading: str) -> str:
    parts = _ASIDE.sub("", heading).split(",")
    found = [part for part in parts if re.search(r"\bas Judges?\b", part, re.I)]
    if not found:
        return NOT_STATED
    return re.sub(r"^\s*and\s+|\s+as Judges?\b.*$", "", found[0], flags=re.I).strip()


def _metric(block: _Block, second: bool, place: int) -> str:
    words = block.heading.lower()
    metric = "style_controlled_score" if "style control" in words else "score"
    if second:
        metric += "/creative_writing" if "creative" in words else "/hard_prompt"
    return f"{metric}/leaderboard-{place}" if block.repeated else metric


def _unique(column: Column, others: Sequence[Column]) -> Column:
    """The same metric under another judge has a key with its judge."""
    if all(own.key != column.key for own in others):
        return column
    return replace(column, key=f"{column.key}@{column.judge}")


#: By the columns that tell a form.
FORMS: tuple[tuple[frozenset[str], Callable[[Path], Official]], ...] = (
    (WRITTEN, read_written),
    (QUOTED, read_quoted),
)
