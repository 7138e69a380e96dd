"""A simulation: ``summary.csv`` from the last points of the trajectories."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evaluation.rows import read_rows
from leaderboards.check.numbers import same
from leaderboards.check.recount.found import Recount
from mnpo.errors import UserError

#: Column of the summary -> column of the trajectories that it is the end of.
_ENDS = {
    "gap_last": "gap",
    "gap_average": "gap_average",
    "regularized_gap_last": "regularized_gap",
    "kl_to_regularized_equilibrium": "kl_to_regularized_equilibrium",
}


def recount_simulation(run: Path, key: str) -> Iterator[Recount]:
    """The gaps at the end of every run.

    Raises:
        UserError: a file is missing or broken.
    """
    what = f"{key}, summary.csv"
    last = _last_points(run / "trajectories.parquet")
    figures, problems = 0, []
    for row in read_rows(run / "summary.csv"):
        own = last.get(row.text("run"))
        if own is None:
            problems.append(f"{what}: {row.where.rpartition(', ')[2]} has no trajectory")
            continue
        for name, series in _ENDS.items():
            text = row.text(name)
            try:
                said = float(text) if text else None
            except ValueError:
                problems.append(f"{what}: {row.where}: {name} is no number")
                continue
            figures += 1
            if not same(said, own[series]):
                problems.append(
                    f"{what}: {row.where.rpartition(', ')[2]}, {row.text('algorithm')}, {name}: "
                    f"{said!r}, and {own[series]!r} by its trajectory"
                )
    yield Recount(what, figures, tuple(problems))


def _last_points(file: Path) -> dict[str, dict[str, float]]:
    """Run -> its figures after the last iteration."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file, columns=["run", "iteration", *_ENDS.values()])
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UserError(f"{file} cannot be read ({error})") from None
    runs = np.array(table["run"].to_pylist())
    iterations = table["iteration"].to_numpy()
    order = np.lexsort((iterations, runs))
    ends = order[np.append(runs[order][1:] != runs[order][:-1], True)]
    series = {name: table[name].to_numpy() for name in _ENDS.values()}
    return {str(runs[end]): {name: float(own[end]) for name, own in series.items()} for end in ends}
