"""What a suite's figures can be held against: the start, and the regularised equilibrium."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.statistics import Interval
from leaderboards.board import Column, Entry, Figure, Source
from leaderboards.collect.opening import Opened
from leaderboards.collect.tables_read import number, read_table

FAMILIES = "families.csv"
START, EQUILIBRIUM = "(start)", "(equilibrium)"
#: Entry -> metric of the suite -> the column of the file that holds the entry's.
_FIGURES: Mapping[str, Mapping[str, str]] = {
    START: {
        "gap_last": "gap_start",
        "gap_average": "gap_start",
        "regularized_gap_last": "regularized_gap_start",
    },
    EQUILIBRIUM: {"gap_last": "gap_equilibrium", "gap_average": "gap_equilibrium"},
}
BASELINES_TOLD = (
    f"{START} is the reference policy that all begin at; {EQUILIBRIUM} is the regularised "
    "equilibrium, where regularised methods end that find exactly that: its duality gap is not 0",
    f"{START} and {EQUILIBRIUM} are no algorithms: means over the held-out games, without interval "
    "and rank",
)


def read_baselines(
    opened: Opened, key: str, regime: str, columns: Sequence[Column]
) -> tuple[Entry, ...]:
    """Rows without ranks; none where the suite keeps no such file.

    Args:
        opened: the suite.
        key: its key on the board.
        regime: of the section.
        columns: of the section; "all/..." is the mean over the families that count in it.

    Raises:
        DamagedRun: the file is damaged or broken.
    """
    if not opened.has(FAMILIES):
        return ()
    lines = read_table(opened, FAMILIES, ("regime", "family", "in_mean", "n"))
    rows = {
        line["family"]: (row, line)
        for row, line in enumerate(lines, start=1)
        if line["regime"] == regime
    }
    shown = {own.benchmark for own in columns}
    entries = []
    for name, metrics in _FIGURES.items():
        figures = {}
        for column in columns:
            source = metrics.get(column.metric)
            families = [column.benchmark] if column.benchmark != "all" else list(rows)
            counted = [
                own
                for own in families
                if own in rows
                and own in shown
                and (column.benchmark != "all" or rows[own][1]["in_mean"].lower() != "false")
            ]
            if source is None or not counted:
                continue
            values = [number(opened, FAMILIES, *rows[own], source) for own in counted]
            known = [value for value in values if value is not None]
            if len(known) < len(values):
                continue
            games = [number(opened, FAMILIES, *rows[own], "n") or 0 for own in counted]
            total = int(sum(games))
            figures[column.key] = Figure(
                interval=Interval(float(np.mean(known)), None, None, total, total),
                basis="none",
                sources=tuple(Source(key, FAMILIES, rows[own][0]) for own in counted),
            )
        if figures:
            entries.append(Entry(name, name, name, origin=key, figures=figures))
    return tuple(entries)
