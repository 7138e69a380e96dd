"""A win matrix as CSV rows and Markdown, for every kind of cross-play."""

from collections.abc import Iterator, Mapping, Sequence

from evaluation.statistics import Interval
from evaluation.tidy import csv_text
from evaluation.winmatrix import WinMatrix

#: A cell that has no number.
NOTHING = "–"

_PAIRS = ("policy", "opponent", "judge", "value", "low", "high", "n", "clusters")


def pairs_csv(judges: Mapping[str, WinMatrix]) -> str:
    """Every ordered pair that was measured, under every judge."""
    return csv_text(_PAIRS, _pairs(judges))


def win_grid(wins: WinMatrix) -> list[str]:
    """Markdown of the win rates of row against column, with intervals."""
    rows = [
        [
            row,
            *(
                rate(wins.pair(row, column)) if i != j and wins.measured(row, column) else NOTHING
                for j, column in enumerate(wins.names)
            ),
        ]
        for i, row in enumerate(wins.names)
    ]
    return grid(["", *wins.names], rows)


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; texts are shown as they are, bars and line ends included."""
    lines = [[cell(text) for text in row] for row in (header, *rows)]
    lines.insert(1, ["---", *("---:" for _ in header[1:])])
    return ["| " + " | ".join(line) + " |" for line in lines]


def cell(text: str) -> str:
    """A text that cannot leave its cell."""
    return " ".join(text.replace("|", "\\|").split())


def rate(found: Interval | None) -> str:
    """A figure and its interval, e.g. ``0.612 [0.55, 0.67]``."""
    if found is None:
        return NOTHING
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} [{found.low:.2f}, {found.high:.2f}]"


def _pairs(judges: Mapping[str, WinMatrix]) -> Iterator[tuple[str | int | float | None, ...]]:
    for judge, wins in judges.items():
        for row in wins.names:
            for column in wins.names:
                if row == column or not wins.measured(row, column):
                    continue
                found = wins.pair(row, column)
                yield (
                    *(row, column, judge, found.value),
                    *(found.low, found.high, found.n, found.clusters),
                )
