"""Rows of a run's tidy table, checked."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from evaluation.statistics import Interval
from evaluation.tidy import COLUMNS
from leaderboards.board import Source
from leaderboards.collect.opening import Opened
from leaderboards.collect.ranges import require_possible
from leaderboards.collect.tables_read import LARGEST, csv_lines
from mnpo.errors import DamagedRun
from mnpo.printable import shown

RESULTS = "results.csv"
#: Columns that say of what a figure is; the others are the figure.
_OF_WHAT = frozenset(COLUMNS) - {"value", "low", "high", "n", "clusters"}
#: Of whole numbers: seeds have up to 20.
_DIGITS = 20


@dataclass(frozen=True)
class Row:
    """One number of a tidy table.

    Attributes:
        source: where it stands.
        run, algorithm, iteration, seed: of the policy, as written.
        benchmark, metric, judge: what was measured.
        interval: the number.
        hashes: what it depends on, by role.
    """

    source: Source
    run: str
    algorithm: str
    iteration: int | None
    seed: int | None
    benchmark: str
    metric: str
    interval: Interval
    judge: str
    hashes: Mapping[str, str]


def read_rows(opened: Opened, key: str) -> list[Row]:
    """The tidy table of a run.

    Args:
        opened: the run.
        key: on the board.

    Raises:
        DamagedRun: other columns, or a cell that is not what its column says, with its row; a
            figure that cannot be.
    """
    lines = csv_lines(opened, RESULTS)
    if not lines or tuple(lines[0]) != COLUMNS:
        raise DamagedRun(
            f"{opened.path}: {RESULTS} has other columns than a tidy table; run the command again"
        )
    found = []
    seen: set[tuple[str, ...]] = set()
    for number, cells in enumerate(lines[1:], start=1):
        try:
            row = _row(cells, Source(key, RESULTS, number))
            what = tuple(own for name, own in zip(COLUMNS, cells, strict=True) if name in _OF_WHAT)
            if what in seen:
                raise ValueError("is about the same figure as another row")
            seen.add(what)
            require_possible(
                row.benchmark,
                row.metric,
                row.interval,
                probability=opened.kind == "training",
            )
        except ValueError as error:
            raise DamagedRun(f"{opened.path}: {RESULTS}, row {number}: {error}") from None
        found.append(row)
    return found


def _row(cells: list[str], source: Source) -> Row:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"has {len(cells)} cells, not {len(COLUMNS)}")
    own = dict(zip(COLUMNS, cells, strict=True))
    value = _number(own, "value")
    low, high = (_number(own, end) if own[end] else None for end in ("low", "high"))
    if (low is None) != (high is None) or (
        low is not None and high is not None and not low <= value <= high
    ):
        raise ValueError(f"[{own['low']}, {own['high']}] is no interval about {own['value']}")
    return Row(
        source=source,
        run=own["run"],
        algorithm=own["algorithm"],
        iteration=_whole(own, "iteration") if own["iteration"] else None,
        seed=_whole(own, "seed") if own["seed"] else None,
        benchmark=own["benchmark"],
        metric=own["metric"],
        interval=Interval(value, low, high, _whole(own, "n"), _whole(own, "clusters")),
        judge=own["judge"],
        hashes=_hashes(own["hashes"]),
    )


def _number(own: Mapping[str, str], name: str) -> float:
    try:
        value = float(own[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError(f"{name} must be a finite number, got {shown(own[name])}")
    return value


def _whole(own: Mapping[str, str], name: str) -> int:
    if not own[name].isascii() or not own[name].isdigit() or len(own[name]) > _DIGITS:
        raise ValueError(f"{name} must be a whole number, got {shown(own[name])}")
    return int(own[name])


@lru_cache(maxsize=256)
def _hashes(text: str) -> Mapping[str, str]:
    """The same text stands in many rows."""
    loaded: Any = {}
    if text:
        try:
            loaded = json.loads(text)
        except (ValueError, RecursionError):
            loaded = None
    if not isinstance(loaded, dict) or not all(isinstance(own, str) for own in loaded.values()):
        raise ValueError(f"hashes must be texts by role, got {shown(text)}")
    return loaded
