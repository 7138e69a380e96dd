"""How training went: loss and KL divergence by gradient step."""

from collections.abc import Sequence

import numpy as np

from leaderboards.board import Array, Curve, Plot, Source
from leaderboards.collect.filters import takes_algorithm
from leaderboards.collect.policies import Policies, Training
from leaderboards.collect.tables_read import number, read_table
from leaderboards.collect.thinning import POINTS, block_means
from leaderboards.collect.training_runs import CURVES
from leaderboards.options import BoardOptions

_SERIES = (
    ("kl", "KL divergence from the anchor", "KL (nats)", ""),
    ("loss", "Training loss", "loss", "Methods have losses of their own: compare courses. "),
)
#: (algorithm, seed) -> values by gradient step.
_Steps = dict[tuple[str, str], list[float]]


def training_plots(runs: Sequence[Training], name: str, options: BoardOptions) -> list[Plot]:
    """The curves of runs that count as one, means over their seeds.

    Raises:
        DamagedRun: a training curve is missing, damaged or broken.
    """
    found: dict[str, _Steps] = {series: {} for series, *_ in _SERIES}
    for run in runs:
        _read(run, found)
    plots = []
    for series, title, axis, said in _SERIES:
        by_algorithm: dict[str, list[list[float]]] = {}
        for (algorithm, _), values in sorted(found[series].items()):
            if takes_algorithm(options, algorithm):
                by_algorithm.setdefault(algorithm, []).append(values)
        drawn = (_curve(algorithm, parts) for algorithm, parts in by_algorithm.items())
        curves = [own for own in drawn if len(own.x)]
        if curves:
            several = any(len(parts) > 1 for parts in by_algorithm.values())
            range_of = "Mean over the seeds, and their range. " if several else ""
            plots.append(
                Plot(
                    title=f"{title} ({name})",
                    x_label="gradient step",
                    y_label=axis,
                    curves=tuple(curves),
                    caption=f"{said}{range_of}At most {POINTS} points, means of the steps between.",
                    sources=tuple(Source(run.key, CURVES) for run in runs),
                )
            )
    return plots


def group_runs(runs: Sequence[Training], policies: Policies) -> dict[str, list[Training]]:
    """Training runs by what they count as."""
    found: dict[str, list[Training]] = {}
    for run in runs:
        found.setdefault(policies.group_of(run.key), []).append(run)
    return found


def _read(run: Training, found: dict[str, _Steps]) -> None:
    needed = ("method", "seed", "player", *(series for series, *_ in _SERIES))
    lines = read_table(run.opened, CURVES, needed)
    players: dict[str, set[str]] = {}
    for line in lines:
        players.setdefault(line["method"], set()).add(line["player"])
    for row, line in enumerate(lines, start=1):
        several = len(players[line["method"]]) > 1
        algorithm = line["method"] + (f"/player-{line['player']}" if several else "")
        for series, *_ in _SERIES:
            value = number(run.opened, CURVES, row, line, series)
            place = (algorithm, f"{run.key} {line['seed']}")
            found[series].setdefault(place, []).append(np.nan if value is None else value)


def _curve(algorithm: str, parts: Sequence[Sequence[float]]) -> Curve:
    """Over the seeds, as long as the shortest."""
    length = min(map(len, parts))
    values: Array = np.array([list(part[:length]) for part in parts], dtype=np.float64)
    thin = block_means(values)
    x = block_means(np.arange(1, length + 1, dtype=np.float64))
    usable = np.isfinite(thin).all(axis=0)
    thin, x = thin[:, usable], x[usable]
    several = len(thin) > 1
    return Curve(
        label=algorithm,
        x=x,
        y=thin.mean(axis=0),
        low=thin.min(axis=0) if several else None,
        high=thin.max(axis=0) if several else None,
    )
