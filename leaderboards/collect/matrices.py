"""Win matrices from files, as pools with ratings.

A matrix file is what ``--game file:`` reads. Beside it may be the number of games behind each win
rate; then ratings have intervals, each game counting as drawn independently of the others.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leaderboards.board import Array, Pool, Run, Source
from leaderboards.collect.official.table import first_line, header_of, read_text
from leaderboards.ratings import Games, games_of_counts, games_of_rates, make_pool
from mnpo.errors import InvalidGame, UserError
from mnpo.runs.files import sha256_file
from simulators.games.files.kinds import detect, to_preferences
from simulators.games.files.missing import settle_one_sided
from simulators.games.files.raw import KINDS, RawMatrix, kind_of_word
from simulators.games.files.read import read_matrix, stem

#: In a folder: a table of pairs, win rates, and the games behind these.
_PAIRS, _RATES, _COUNTS = "pairwise_counts.csv", "win_fraction.csv", "battle_count.csv"
#: Of several ways of counting in a table of pairs, the one whose games are independent.
_INDEPENDENT = "majority"
#: Rows that are looked at to tell whether a file is a matrix.
_MOST_ROWS = 10_000


@dataclass(frozen=True)
class _Read:
    """Win rates as read, not yet made symmetric.

    Attributes:
        names: of the players.
        rates: (N, N) row against column, NaN where nobody played.
        counts: (N, N) games behind them; None where nobody says.
        files: that were read.
        notes: one line each.
    """

    names: tuple[str, ...]
    rates: Array
    counts: Array | None
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def matrix_pool(path: Path, key: str, seed: int) -> tuple[Run, Pool] | None:
    """A win matrix as a pool.

    Args:
        path: a matrix file, or a folder with ``pairwise_counts.csv``, or with ``win_fraction.csv``
            and perhaps ``battle_count.csv``. A file called like these is joined by its neighbours.
        key: of the run and the pool on the board.
        seed: of the bootstrap.

    Returns:
        The run, whose ``files`` are names within the folder, or the file's own name; and the pool.
        None where it is something else.

    Raises:
        UserError: it is a matrix, and broken: says where.
    """
    found = _read(path)
    if found is None:
        return None
    title = path.name if path.is_dir() else stem(path)
    run = Run(
        key=key,
        kind="matrix",
        path=str(path),
        status="done",
        files={file.name: _hash(file) for file in found.files},
        facts={
            "players": len(found.names),
            "games": None if found.counts is None else float(_played(found.counts)),
        },
    )
    pool = make_pool(
        _games(found),
        key=key,
        title=f"{title}: {len(found.names)} players",
        sources=tuple(Source(key, file.name) for file in found.files),
        notes=found.notes,
        seed=seed,
    )
    return run, pool


def _read(path: Path) -> _Read | None:
    if path.is_dir():
        for name in (_PAIRS, _RATES):
            if (path / name).is_file():
                return _read(path / name)
        return None
    if not path.is_file() or not _is_matrix(path):
        return None
    mode = _mode(path)
    raw = read_matrix(path, mode)
    if raw.values.ndim != 2:
        raise InvalidGame(f"{raw.name}: one matrix for each of several contexts; a board shows one")
    rates, counts, notes = _rates(raw)
    files = [path]
    if mode is not None:
        notes.append(f"Of the table's ways of counting: {mode}, whose games are independent.")
    beside = path.parent / _COUNTS
    if counts is None and path.name == _RATES and beside.is_file():
        counts = _beside(raw, beside)
        files.append(beside)
    if counts is not None:
        notes.append(
            f"{_played(counts):,.0f} games, each taken as drawn independently of the others."
        )
    return _Read(raw.actions, rates, counts, tuple(files), tuple(notes))


def _rates(raw: RawMatrix) -> tuple[Array, Array | None, list[str]]:
    """Win rates, the games behind them, and what was done to the numbers."""
    notes: list[str] = []
    kind = raw.kind if raw.kind in KINDS else None
    scale = None
    if kind == "payoff":
        top = float(np.nanmax(np.abs(raw.values), initial=0.0))
        if top > 1:
            power = 10.0 ** math.floor(math.log10(top))
            scale = math.ceil(top / power) * power
            notes.append(
                f"Payoffs reach {top:g}; a sure win was taken to be worth {scale:g}, which ratings "
                "depend on."
            )
    meaning = detect(raw, kind or "auto", scale)
    if meaning.kind == "counts":
        raw = settle_one_sided(raw, counted=True, how=None, drop=False)
        rates, counts = to_preferences(raw, meaning, antisymmetrize=False)
        return rates, counts, notes
    if meaning.kind == "win-fraction":
        # The two views of a pair may rest on different games; `games_of_counts` puts them together.
        rates = raw.values / meaning.scale
        known = ~np.isnan(rates)
        wrong = np.argwhere(known & ((rates < 0) | (rates > 1)))
        if len(wrong):
            i, j = (int(n) for n in wrong[0])
            raise InvalidGame(
                f"{raw.name}: {raw.pair(i, j)} is {raw.values[i, j]:g}; a win rate lies in [0, 1]"
            )
        alone = np.isnan(rates) & known.T
        if alone.any():
            rates = np.where(alone, 1.0 - rates.T, rates)
            notes.append(f"Of {int(alone.sum())} pairs one view is given; the other follows.")
    else:
        rates, _ = to_preferences(raw, meaning, antisymmetrize=True)
    off = np.nan_to_num(np.abs(raw.values / meaning.scale + raw.values.T / meaning.scale - 1.0))
    np.fill_diagonal(off, 0.0)
    if meaning.kind == "win-fraction" and off.max() > 1e-6:
        notes.append(
            f"The two views of a pair do not sum to 1 (off by up to {off.max():.2g}): their mean."
        )
    return rates, raw.comparisons, notes


def _beside(raw: RawMatrix, file: Path) -> Array:
    """The numbers of games, in the order of the win rates."""
    counted = read_matrix(file)
    absent = [name for name in raw.actions if name not in counted.actions]
    if absent:
        raise InvalidGame(f"{file.name}: '{absent[0]}' of {raw.name} is not there")
    order = [counted.actions.index(name) for name in raw.actions]
    counts: Array = np.nan_to_num(counted.values[np.ix_(order, order)], nan=0.0)
    np.fill_diagonal(counts, 0.0)
    bare = ~np.isnan(raw.values) & (np.maximum(counts, counts.T) <= 0)
    np.fill_diagonal(bare, False)
    wrong = np.argwhere((counts < 0) | bare)
    if len(wrong):
        i, j = (int(n) for n in wrong[0])
        raise InvalidGame(
            f"{file.name}: {raw.pair(i, j)} has a win rate in {raw.name} and {counts[i, j]:g} games"
        )
    return counts


def _games(found: _Read) -> Games:
    if found.counts is None:
        return games_of_rates(found.names, found.rates)
    return games_of_counts(found.names, found.rates, found.counts)


def _played(counts: Array) -> float:
    """Games in all: a pair's two views are of the same ones where they are equal."""
    upper, lower = np.triu(counts, 1), np.triu(counts.T, 1)
    return float(np.where(upper == lower, upper, upper + lower).sum())


def _mode(path: Path) -> str | None:
    """Which lines of a table of pairs count, where it has several kinds."""
    if "mode" not in {cell.lower() for cell in header_of(first_line(path))}:
        return None
    return _INDEPENDENT if f"\n{_INDEPENDENT}," in read_text(path) else None


def _is_matrix(path: Path) -> bool:
    """Whether a file says of itself that it is a matrix, or is nothing but one."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".npy"):
        return True
    if name.endswith(".json"):
        return _is_json_matrix(path)
    if not name.endswith((".csv", ".tsv")):
        return False
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    mark = next((mark for mark in ",\t;" if mark in lines[0]), ",") if lines else ","
    grid = [[cell.strip() for cell in line.split(mark)] for line in lines[: _MOST_ROWS + 1]]
    if not grid or len(grid[0]) < 2:
        return False
    header, body = grid[0], grid[1:]
    if kind_of_word(header[0]) is not None or any(c.lower().endswith("_1_wins") for c in header):
        return True
    labelled = [row[0] for row in body] == header[1:]
    return labelled or (len(grid) == len(header) and all(_is_number(c) for r in grid for c in r))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_json_matrix(path: Path) -> bool:
    try:
        data = json.loads(read_text(path))
    except (UserError, ValueError, RecursionError):
        return False
    if isinstance(data, list):
        rows = all(isinstance(row, list) for row in data)
        return bool(data) and (rows or all(isinstance(row, dict) and "name" in row for row in data))
    if not isinstance(data, dict) or not data:
        return False
    if all(isinstance(row, dict) for row in data.values()):
        return {name for row in data.values() for name in row} <= set(data)
    return sum(kind_of_word(str(k)) in KINDS for k, v in data.items() if isinstance(v, list)) == 1


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
