"""What was spent."""

import types
from collections.abc import Mapping, Sequence

import numpy as np

from leaderboards.board import Cell, Source, Table
from leaderboards.collect.filters import takes_algorithm
from leaderboards.collect.names import label
from leaderboards.collect.opening import Opened
from leaderboards.collect.policies import Training
from leaderboards.collect.tables_read import number, read_table
from leaderboards.collect.training_runs import LEDGER
from leaderboards.options import BoardOptions
from mnpo.errors import DamagedRun

_COLUMNS = (
    "prompts",
    "responses",
    "sampled_tokens",
    "preference_queries",
    "annotations",
    "rewards",
    "scored_tokens",
    "gradient_steps",
    "trained_tokens",
    "seconds",
)


def training_costs(groups: Mapping[str, Sequence[Training]], options: BoardOptions) -> Table | None:
    """The ledgers: a row for each method of each training run, the mean over its seeds.

    Args:
        groups: runs that count as one, by what they are called.
        options: filters.

    Raises:
        DamagedRun: a ledger is missing, damaged or broken.
    """
    rows: list[tuple[Cell, ...]] = []
    sources = []
    for name, runs in groups.items():
        spent: dict[str, list[list[float | None]]] = {}
        for run in runs:
            lines = read_table(run.opened, LEDGER, ("method", "seed", *_COLUMNS))
            sources.append(Source(run.key, LEDGER))
            for row, line in enumerate(lines, start=1):
                if takes_algorithm(options, line["method"]):
                    spent.setdefault(line["method"], []).append(
                        [number(run.opened, LEDGER, row, line, column) for column in _COLUMNS]
                    )
        rows += [
            (name, label(method), len(parts), *(_mean(own) for own in zip(*parts, strict=True)))
            for method, parts in spent.items()
        ]
    if not rows:
        return None
    header = ("run", "method", "seeds", *(column.replace("_", " ") for column in _COLUMNS))
    return Table(
        "What training cost",
        header,
        tuple(rows),
        notes=("of one seed, the mean over all; work that methods shared is counted for each",),
        sources=tuple(sources),
    )


def evaluation_costs(runs: Mapping[str, tuple[Opened, Sequence[str]]]) -> Table | None:
    """Tokens that models read and wrote, and what judges cost.

    Args:
        runs: evaluations and their lines about spending.
    """
    rows: list[tuple[Cell, ...]] = []
    for key, (opened, spend) in runs.items():
        for benchmark, (read, written) in tokens_of(opened).items():
            rows.append((key, f"answers to {benchmark}", read, written, None))
        rows += [(key, _what(line), None, None, _said(line)) for line in spend]
    if not rows:
        return None
    sources = tuple(Source(key, "manifest.json") for key in runs)
    header = ("run", "what", "tokens read", "tokens written", "spent")
    return Table("What evaluation cost", header, tuple(rows), sources=sources)


def tokens_of(opened: Opened) -> dict[str, tuple[int | None, int | None]]:
    """Tokens that an evaluation's models read and wrote, by benchmark.

    Raises:
        DamagedRun: the manifest holds something else there.
    """
    found = {}
    try:
        for benchmark, own in (opened.manifest.get("generated") or {}).items():
            counts = (own.get("tokens_read"), own.get("tokens_written"))
            if any(type(count) not in (int, types.NoneType) for count in counts):
                raise TypeError
            found[str(benchmark)] = counts
    except (AttributeError, TypeError):
        raise DamagedRun(
            f"{opened.path}: its manifest's counts of tokens cannot be read; run the command again"
        ) from None
    return found


def _mean(values: Sequence[float | None]) -> Cell:
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = float(np.mean(known))
    return int(mean) if mean.is_integer() else round(mean, 3)


def _what(line: str) -> str:
    return line.rpartition(": ")[0] or "judging"


def _said(line: str) -> str:
    return line.rpartition(": ")[2]
