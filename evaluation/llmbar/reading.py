"""LLMBar's data and judges' results, in the official format or with a column for the subset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from evaluation.rows import Row, read_rows
from mnpo.errors import UserError, suggest

#: Subset and number within it.
Key: TypeAlias = tuple[str, int]
#: Pairs in each of the official subsets, numbered from 0.
OFFICIAL_SIZES: Mapping[str, int] = MappingProxyType(
    {
        "Natural": 100,
        "Adversarial/Neighbor": 134,
        "Adversarial/GPTInst": 92,
        "Adversarial/GPTOut": 47,
        "Adversarial/Manual": 46,
    }
)
WINNERS = ("1", "2")
_ORDERS = ("swap = False", "swap = True")


@dataclass(frozen=True)
class Pair:
    """Two answers to one instruction.

    Attributes:
        key: subset and number.
        instruction: what was asked.
        outputs: the answers.
        label: "1" or "2": the one that follows the instruction.
    """

    key: Key
    instruction: str
    outputs: tuple[str, str]
    label: str


@dataclass(frozen=True)
class Judged:
    """What a judge said about a pair.

    Attributes:
        key: subset and number.
        label: "1" or "2".
        winners: with the first output shown first, and second; "1", "2", or None where the judge's
            text has no verdict.
        where: for messages.
    """

    key: Key
    label: str
    winners: tuple[str | None, str | None]
    where: str


def read_pairs(path: Path, subset: str | None = None) -> dict[Key, Pair]:
    """The data: one file with a column ``subset``, an official file, or a folder of those.

    Args:
        path: of the file, or of the folder in which ``SUBSET/dataset.json`` stand.
        subset: of rows without a column for it.

    Raises:
        UserError: the file cannot be read, or a row is wrong or stands there twice.
    """
    if path.is_dir():
        found: dict[Key, Pair] = {}
        for name in OFFICIAL_SIZES:
            own = path / name / "dataset.json"
            if own.is_file():
                found |= read_pairs(own, name)
        if not found:
            raise UserError(f"{path}: has no folder like Natural with a dataset.json")
        return found
    pairs: dict[Key, Pair] = {}
    for number, row in enumerate(read_rows(path)):
        pair = Pair(
            _key(row, number, subset),
            row.text("instruction", "input"),
            (row.text("output_1"), row.text("output_2")),
            _label(row),
        )
        if pair.key in pairs:
            raise UserError(f"{row.where}: pair {shown(pair.key)} stands there twice")
        pairs[pair.key] = pair
    return pairs


def read_judged(path: Path, subset: str | None = None) -> list[Judged]:
    """A judge's verdicts: rows with ``label`` and ``results``, as LLMBar's result.json has them.

    Args:
        path: of the file.
        subset: of rows without a column for it.

    Raises:
        UserError: a row without results, with an impossible label or winner, or there twice.
    """
    found: dict[Key, Judged] = {}
    for number, row in enumerate(read_rows(path)):
        results = row.values.get("results")
        if isinstance(results, list) and results:  # the official list of stages; the last decides
            results = results[-1]
        if not isinstance(results, dict):
            raise UserError(f"{row.where}: results must be the judge's, got {results!r:.80}")
        one, other = (_winner(row, results.get(order), order) for order in _ORDERS)
        own = Judged(_key(row, number, subset), _label(row), (one, other), row.where)
        if own.key in found:
            raise UserError(
                f"{row.where}: pair {shown(own.key)} was judged before, in {found[own.key].where}"
            )
        found[own.key] = own
    if not found:
        raise UserError(f"{path}: holds no rows")
    return list(found.values())


def shown(key: Key) -> str:
    """``Natural 17``."""
    return f"{key[0]} {key[1]}"


def listed(keys: Sequence[Key], most: int = 5) -> str:
    """The first of them, and how many more."""
    text = ", ".join(shown(key) for key in keys[:most])
    return text + (f" and {len(keys) - most} more" if len(keys) > most else "")


def _key(row: Row, number: int, subset: str | None) -> Key:
    if "subset" in row.values:
        subset = row.text("subset")
    if subset is None:
        raise UserError(f"{row.where}: names no subset; say which it is with --subset")
    value = row.values.get("i", number)
    if isinstance(value, bool) or not (str(value).isdecimal() and len(str(value)) < 10):
        raise UserError(f"{row.where}: i must be the pair's number, got {value!r:.120}")
    return subset, int(value)


def _label(row: Row) -> str:
    value = row.values.get("label")
    if isinstance(value, bool) or str(value) not in WINNERS:
        raise UserError(f"{row.where}: label must be 1 or 2, got {value!r:.120}")
    return str(value)


def _winner(row: Row, result: Any, order: str) -> str | None:
    if not isinstance(result, dict) or "winner" not in result:
        raise UserError(f"{row.where}: has no winner for '{order}'")
    value = result["winner"]
    if value is None:
        return None
    if isinstance(value, bool) or str(value) not in WINNERS:
        raise UserError(
            f"{row.where}: the winner for '{order}' must be 1, 2 or null, got {value!r:.120}"
        )
    return str(value)


def require_subset(name: str) -> None:
    """Nothing, or a refusal of a name that is no subset's.

    Raises:
        UserError: with the nearest known name.
    """
    if name not in OFFICIAL_SIZES:
        raise UserError(f"'{name}' is no subset of LLMBar{suggest(name, OFFICIAL_SIZES)}")
