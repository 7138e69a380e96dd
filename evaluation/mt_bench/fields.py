"""Fields that ratings and comparisons have in common, and rows that stand there twice."""

import ast
import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.mt_bench.questions import OFFICIAL_TURNS
from evaluation.rows import Row
from mnpo.errors import UserError
from mnpo.runs.files import digest


@dataclass(frozen=True)
class Stored:
    """A value of a file beside what the judge's text says."""

    where: str
    field: str
    value: str
    text_says: str


def check_stored(values: Sequence[Stored]) -> None:
    """Nothing, or a refusal where a stored value is not what the text says.

    Raises:
        UserError: the first such row, and how many there are.
    """
    wrong = [one for one in values if one.value != one.text_says]
    if not wrong:
        return
    one = wrong[0]
    more = f" (and {len(wrong) - 1} more rows like it)" if len(wrong) > 1 else ""
    raise UserError(
        f"{one.where}: {one.field} is {one.value}, but the judgment's text reads {one.text_says}"
        f"{more}; --reread takes what the texts say"
    )


@dataclass(frozen=True)
class Kept:
    """Rows of judgement files.

    Attributes:
        rows: in their order.
        copies: number of rows left out as copies, by owner.
        alike: number of rows kept although they agree with an earlier one, by owner.
    """

    rows: tuple[Row, ...]
    copies: Mapping[str, int]
    alike: Mapping[str, int]

    def flags(self) -> dict[str, tuple[str, ...]]:
        """What readers must know, by owner."""
        found: dict[str, tuple[str, ...]] = {}
        for owner, count in self.copies.items():
            line = f"{count} rows are copies of earlier ones, field by field, and count once"
            found[owner] = (line,)
        for owner, count in self.alike.items():
            line = f"{count} rows agree with earlier ones in every field and count as repeats"
            found[owner] = (*found.get(owner, ()), line)
        return found


def without_copies(
    rows: Iterable[Row], allow: bool, owner: Callable[[Row], str], *further: str
) -> Kept:
    """The rows without copies.

    A row that agrees with an earlier one in every field is a copy, unless its owner was judged
    repeatedly and its question and turn would have fewer judgements than others without it: a judge
    may say the same twice.

    Args:
        rows: of the files.
        allow: leave copies out instead of refusing them.
        owner: whose row it is.
        further: fields that tell what is judged, beside question and turn.

    Raises:
        UserError: a row is a copy and that is not allowed.
    """
    keyed = [(row, _key(row), owner(row)) for row in rows]
    different: dict[tuple[str, str], set[str]] = {}
    for row, key, whose in keyed:
        different.setdefault((whose, _cell(row, further)), set()).add(key)
    most: Counter[str] = Counter()
    for (whose, _), keys in different.items():
        most[whose] = max(most[whose], len(keys))
    first: dict[str, str] = {}
    kept: list[Row] = []
    copies: Counter[str] = Counter()
    alike: Counter[str] = Counter()
    room = {cell: most[cell[0]] - len(keys) for cell, keys in different.items()}
    example = ""
    for row, key, whose in keyed:
        cell = whose, _cell(row, further)
        if key not in first:
            first[key] = row.where
        elif room[cell] > 0:
            room[cell] -= 1
            alike[whose] += 1
        else:
            copies[whose] += 1
            example = example or f"{row.where}: is a copy of {first[key]}, field by field"
            continue
        kept.append(row)
    if copies and not allow:
        total = sum(copies.values())
        more = f" ({total} rows are such copies)" if total > 1 else ""
        raise UserError(f"{example}{more}; --allow-missing counts copies once")
    return Kept(tuple(kept), dict(copies), dict(alike))


def _cell(row: Row, further: Sequence[str]) -> str:
    return "/".join(str(row.values.get(field)) for field in ("question_id", "turn", *further))


def _key(row: Row) -> str:
    try:
        return digest(row.values)
    except ValueError:  # NaN; the field's own check says which
        return json.dumps(row.values, sort_keys=True)


def name_of(row: Row, field: str) -> str:
    """A model's name.

    Raises:
        UserError: it is absent or empty.
    """
    name = row.text(field)
    if not name.strip():
        raise UserError(f"{row.where}: {field} is empty")
    return name


def turn_of(row: Row) -> int:
    """1 or 2; a text in CSV.

    Raises:
        UserError: anything else.
    """
    value = row.values.get("turn")
    turns = {str(turn): turn for turn in range(1, OFFICIAL_TURNS + 1)}
    if isinstance(value, bool) or str(value) not in turns:
        raise UserError(f"{row.where}: turn must be 1 or 2, got {value!r}")
    return turns[str(value)]


def judge_of(row: Row) -> tuple[str, str]:
    """The judge's name and its template's, which is "" where the file does not say.

    Raises:
        UserError: the field is neither a pair of texts nor a text.
    """
    value = row.values.get("judge")
    if isinstance(value, str) and value[:1] + value[-1:] == "[]":  # a cell of a CSV file
        value = _pair(value)
    if isinstance(value, str) and value:
        return value, ""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value):
        return value[0], value[1]
    raise UserError(
        f"{row.where}: judge must be a name and a template's name, got "
        f"{row.values.get('judge')!r:.100}"
    )


def _pair(cell: str) -> Any:
    """A list as JSON or, from pandas, as Python writes it; None where it is neither."""
    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return read(cell)
    return None
