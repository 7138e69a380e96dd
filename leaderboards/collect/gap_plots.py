"""How the duality gap falls over the iterations of a simulation."""

from collections.abc import Sequence

import numpy as np

from leaderboards.board import Array, Curve, Plot, Source
from leaderboards.collect.opening import Opened
from leaderboards.collect.simulation_runs import TRAJECTORIES, Simulated
from leaderboards.collect.thinning import kept_places
from mnpo.errors import DamagedRun

#: Curves of one plot, at most.
MOST = 12
_SERIES = (
    ("gap", "Duality gap of the last iterate"),
    ("gap_average", "Duality gap of the average iterate"),
)


def gap_plots(opened: Opened, key: str, simulated: Sequence[Simulated]) -> list[Plot]:
    """Two plots of a run: last and average iterate, the mean over seeds and their range.

    Raises:
        DamagedRun: the trajectories are missing, damaged or broken.
    """
    if not simulated:
        return []
    chosen = _spread(simulated)
    found = _trajectories(opened, {str(line["run"]) for own in chosen for _, line in own.rows})
    several = any(len(own.rows) > 1 for own in chosen)
    caption = (
        "Mean over the seeds, and the range from the lowest to the highest." if several else ""
    )
    if len(chosen) < len(simulated):
        caption += f" {len(chosen)} of {len(simulated)} settings, evenly chosen from the table."
    game = simulated[0].rows[0][1]["game"]
    plots = []
    for series, title in _SERIES:
        curves = [curve for own in chosen if (curve := _curve(own, found, series)) is not None]
        if curves:
            plots.append(
                Plot(
                    title=f"{title}: {game} ({key})",
                    x_label="iteration",
                    y_label="duality gap (win probability)",
                    curves=tuple(curves),
                    log_y=all((curve.y > 0).all() for curve in curves),
                    caption=caption.strip(),
                    sources=(Source(key, TRAJECTORIES),),
                )
            )
    return plots


def _spread(simulated: Sequence[Simulated]) -> list[Simulated]:
    """Evenly over the list, which no result has ordered."""
    if len(simulated) <= MOST:
        return list(simulated)
    places = np.linspace(0, len(simulated) - 1, MOST).round().astype(int)
    return [simulated[place] for place in places]


def _trajectories(opened: Opened, runs: set[str]) -> dict[tuple[str, str], tuple[Array, Array]]:
    """(run, series) -> iterations and values."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    content = opened.read(TRAJECTORIES)
    names = ["run", "iteration", *(series for series, _ in _SERIES)]
    try:
        table = pq.read_table(pa.BufferReader(content), columns=names)
        table = table.filter(pc.is_in(table["run"], pa.array(sorted(runs))))
        columns = {name: table[name].to_numpy() for name in names}
    except (pa.ArrowException, OSError, KeyError):
        raise DamagedRun(
            f"{opened.path}: {TRAJECTORIES} cannot be read; run the command again"
        ) from None
    found = {}
    owners = columns["run"].astype(str)
    for run in runs:
        own = owners == run
        x = columns["iteration"][own].astype(np.float64)
        for series, _ in _SERIES:
            found[run, series] = (x, columns[series][own].astype(np.float64))
    return found


def _curve(
    own: Simulated, found: dict[tuple[str, str], tuple[Array, Array]], series: str
) -> Curve | None:
    """Over the seeds, at the iterations that all of them have."""
    parts = [found[str(line["run"]), series] for _, line in own.rows]
    parts = [(x, y) for x, y in parts if len(x)]
    if not parts:
        return None
    x = parts[0][0]
    if any(not np.array_equal(x, other) for other, _ in parts):
        length = min(len(other) for other, _ in parts)
        parts, x = [(a[:length], b[:length]) for a, b in parts], x[:length]
    places = kept_places(len(x))
    values = np.array([y for _, y in parts])[:, places]
    usable = np.isfinite(values).all(axis=0)
    if not usable.any():
        return None
    values, x = values[:, usable], x[places][usable]
    several = len(values) > 1
    return Curve(
        label=own.name,
        x=x,
        y=values.mean(axis=0),
        low=values.min(axis=0) if several else None,
        high=values.max(axis=0) if several else None,
    )
