"""The simulator's suite: ``suite.csv`` from the single games of ``games.csv``."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evaluation.rows import Row, read_rows
from leaderboards.check.numbers import same
from leaderboards.check.recount.found import Recount
from mnpo.errors import UserError


def recount_suite(run: Path, key: str) -> Iterator[Recount]:
    """Means, deviations and numbers of the held-out games.

    Raises:
        UserError: a file is missing or broken.
    """
    what = f"{key}, suite.csv"
    games: dict[tuple[str, ...], list[Row]] = {}
    for row in read_rows(run / "games.csv"):
        games.setdefault(_cell(row), []).append(row)
    figures, problems = 0, []
    for row in read_rows(run / "suite.csv"):
        metric = row.text("metric")
        found = [_number(own, metric) for own in games.get(_cell(row), [])]
        values = np.array([value for value in found if value is not None])
        expected = {
            "value": float(values.mean()) if len(values) else None,
            "std": float(values.std(ddof=1)) if len(values) > 1 else None,
            "n": float(len(values)) if len(values) else None,
        }
        for name, anew in expected.items():
            said = _number(row, name)
            said = None if name == "n" and not said else said
            figures += 1
            if not same(said, anew):
                problems.append(
                    f"{what}: {row.where.rpartition(', ')[2]}, {' '.join(_cell(row))}, {metric}, "
                    f"{name}: {said!r}, and {anew!r} by the games"
                )
    yield Recount(what, figures, tuple(problems))


def _cell(row: Row) -> tuple[str, ...]:
    return tuple(row.text(name) for name in ("regime", "family", "algorithm"))


def _number(row: Row, name: str) -> float | None:
    text = row.text(name)
    try:
        return float(text) if text else None
    except ValueError:
        raise UserError(f"{row.where}: {name} is no number") from None
