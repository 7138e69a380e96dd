"""Boards of invented figures, to stand beside those of papers."""

from collections.abc import Mapping
from typing import Any

from evaluation.statistics import Interval
from leaderboards.board import Board, Column, Entry, Figure, Run, Section, Source

LC = "alpaca-eval-2/length_controlled_win_rate"
JUDGE, BASE = "gpt-5-mini-2025-08-07", "google/gemma-2-9b-it"
VALUES = {"sft": 50.0, "dpo": 53.0, "simpo": 55.0, "sppo": 54.0, "inpo": 56.5, "mnpo": 58.0}


def figure(value: float, **more: Any) -> Figure:
    return Figure(
        Interval(value, value - 3.0, value + 2.0, 805, 805),
        seeds=1,
        sources=(Source("eval", "results.csv", 1),),
        **more,
    )


def column(
    benchmark: str = "alpaca-eval-2",
    metric: str = "length_controlled_win_rate",
    judge: str = JUDGE,
    **more: Any,
) -> Column:
    return Column(f"{benchmark}/{metric}", metric, benchmark, metric, judge, "%", **more)


def entry(name: str, figures: Mapping[str, Figure], **more: Any) -> Entry:
    origin = "" if name == "sft" else "train"
    return Entry(
        **{"name": name, "algorithm": name, "label": name, "origin": origin, "figures": figures}
        | more
    )


def train(**facts: Any) -> Run:
    return Run("train", "training", "runs/train", "done", {}, facts)


def board(
    entries: tuple[Entry, ...] | None = None,
    columns: tuple[Column, ...] | None = None,
    facts: Mapping[str, Any] | None = None,
    kind: Any = "models",
) -> Board:
    if entries is None:
        entries = tuple(entry(name, {LC: figure(value)}) for name, value in VALUES.items())
    section = Section("Language models", kind, columns or (column(),), entries, "name")
    return Board(
        "A board", (section,), runs=(train(**({"model": BASE} if facts is None else facts)),)
    )
