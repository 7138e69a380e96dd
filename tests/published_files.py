"""Invented files in the forms in which benchmarks' authors publish their boards."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

ALPACA = (
    "",
    "win_rate",
    "standard_error",
    "n_wins",
    "n_wins_base",
    "n_draws",
    "n_total",
    "discrete_win_rate",
    "mode",
    "avg_length",
    "length_controlled_winrate",
    "lc_standard_error",
)
#: The last row's discrete win rate is not that of its counts (30).
ALPACA_ROWS: tuple[tuple[object, ...], ...] = (
    ("long", 70.0, 1.5, 69, 29, 2, 100, 70.0, "community", 3000, 50.5, 0.5),
    ("short", 40.0, 1.5, 40, 60, 0, 100, 40.0, "verified", 900, 60.0, 0.5),
    ("baseline", 50.0, 0.0, 0, 0, 100, 100, 50.0, "minimal", 2000, 50.0, ""),
    ("wrong", 30.0, 1.4, 30, 70, 0, 100, 35.0, "community", 1500, 31.0, ""),
)
WRITTEN = ("model", "score", "rating_q025", "rating_q975", "CI", "avg_tokens", "date")
WRITTEN_ROWS: tuple[tuple[object, ...], ...] = (
    ("a", 82.5, 80.5, 84.5, "(-2.0, +2.0)", 662.0, "2024-07-31"),
    ("b", 81.0, 79.0, 83.0, "(-2.0, +2.0)", 500.0, "2024-07-31"),
    ("base", 50.0, 50.0, 50.0, "(-0.0, +0.0)", 423.0, "2024-07-31"),
    ("c", 20.0, 18.0, 22.0, "(-2.0, +2.0)", "", "2024-07-31"),
)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def write(path: Path, text: str) -> Path:
    """Gzipped where the name says so."""
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
