"""Seconds to render a large board, and the size of what comes out.

    python benchmarks/leaderboard_speed.py [--models 500] [--benchmarks 20] [--pool 100]

The board is invented: every model has a figure with an interval, a rank and letters in every
benchmark, a tenth of the figures a footnote; a pool with five ratings; twelve plots of twelve
curves. Nothing is rated or read. Prints, for each format, seconds of the processor (the median of
three, so that shared machines matter less) and bytes. Imports are counted apart.

What was measured where stands in README.md beside this file.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from evaluation.statistics import Interval
from leaderboards.board import (
    Board,
    Column,
    Curve,
    Entry,
    Figure,
    Plot,
    Pool,
    Rating,
    Run,
    Section,
    Source,
)
from leaderboards.options import BoardOptions

CLUSTERS = 805


def interval(random: np.random.Generator, value: float, half: float) -> Interval:
    low, high = value - half * random.uniform(0.8, 1.2), value + half * random.uniform(0.8, 1.2)
    return Interval(value, low, high, CLUSTERS, CLUSTERS)


def ranks(values: np.ndarray, half: float) -> tuple[list[tuple[int, int]], list[str]]:
    """Rank ranges, and letters of groups of equal width: as many as a real board has."""
    better = (values[None, :] > values[:, None] + 2 * half).sum(axis=1)
    worse = (values[None, :] < values[:, None] - 2 * half).sum(axis=1)
    groups = ((values.max() - values) / (2 * half)).astype(int)
    letters = [chr(97 + g % 26) + chr(97 + (g + 1) % 26) for g in groups]
    return [(int(b) + 1, len(values) - int(w)) for b, w in zip(better, worse, strict=True)], letters


def section(random: np.random.Generator, models: int, benchmarks: int) -> Section:
    columns = tuple(
        Column(
            key=f"benchmark-{k}/win_rate",
            title=f"Benchmark {k}",
            benchmark=f"benchmark-{k}",
            metric="win_rate",
            judge="gpt-4-1106-preview",
            unit="%",
            conditions={"judge": f"{k:064x}", "questions": f"{k + 99:064x}"},
            explanation="Share of answers that the judge prefers to the reference's.",
        )
        for k in range(benchmarks)
    )
    skill = np.sort(random.normal(50, 12, models))[::-1]
    values = skill[:, None] + random.normal(0, 2, (models, benchmarks))
    ranked = [ranks(values[:, k], 1.7) for k in range(benchmarks)]
    entries = []
    for i in range(models):
        figures = {
            column.key: Figure(
                interval(random, float(values[i, k]), 1.7),
                seeds=1,
                rank=ranked[k][0][i],
                letters=ranked[k][1][i],
                flags=("one seed only: the interval counts prompts, not training",)
                if (i + k) % 10 == 0
                else (),
                sources=(Source("eval", "results.csv", i * benchmarks + k + 1),),
            )
            for k, column in enumerate(columns)
        }
        name = f"organisation/model-{i:03d}-7b-instruct"
        entries.append(Entry(name, "mnpo", "TD-MNPO", "train", 3, (0,), figures))
    return Section("Language models", "models", columns, tuple(entries), columns[0].key)


def pool(random: np.random.Generator, size: int) -> Pool:
    skill = np.sort(random.normal(0, 1, size))[::-1]
    wins = 1 / (1 + np.exp(skill[None, :] - skill[:, None]))
    ranked, letters = ranks(skill, 0.1)
    ratings = tuple(
        Rating(
            f"rating-{k}",
            f"Rating {k}",
            "One line that says what it is.",
            "points",
            "higher",
            tuple(interval(random, 1000 + 100 * float(x), 20) for x in skill),
            tuple(ranked),
            tuple(letters),
        )
        for k in range(5)
    )
    return Pool(
        key="pool",
        title="Cross-play",
        judge="gpt-4-1106-preview",
        names=tuple(f"organisation/model-{i:03d}-7b-instruct" for i in range(size)),
        wins=wins,
        low=wins - 0.03,
        high=wins + 0.03,
        ratings=ratings,
        cyclic_share=Interval(0.02, 0.01, 0.04, CLUSTERS, CLUSTERS),
        nash_is_unique=True,
    )


def plot(random: np.random.Generator, number: int) -> Plot:
    x = np.arange(1.0, 201.0)  # collected plots have no more points
    curves = tuple(
        Curve(f"model-{k}", x, y := x**-0.5 * random.uniform(0.5, 2, 200), y / 2, y * 2)
        for k in range(12)
    )
    return Plot(f"Gap {number}", "iteration", "duality gap", curves, log_y=True)


def board(models: int, benchmarks: int, size: int) -> Board:
    random = np.random.default_rng(0)
    return Board(
        "Leaderboard",
        (section(random, models, benchmarks),),
        (pool(random, size),),
        tuple(plot(random, k) for k in range(12)),
        runs=(Run("eval", "evaluation", "runs/eval", "done", {"results.csv": "0" * 64}),),
        options=BoardOptions().describe(),
        command="mnpo-bench leaderboard runs/eval --output board",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--benchmarks", type=int, default=20)
    parser.add_argument("--pool", type=int, default=100)
    chosen = parser.parse_args()
    invented = board(chosen.models, chosen.benchmarks, chosen.pool)
    begun = time.process_time()
    from leaderboards.render import render_csv, render_json, render_latex, render_markdown
    from leaderboards.render.html import render_html

    render_html(Board("Leaderboard", options=BoardOptions().describe()))
    print(f"imports and templates: {time.process_time() - begun:.2f} s")
    formats: tuple[tuple[str, Callable[[Board], str]], ...] = (
        ("html", render_html),
        ("csv", render_csv),
        ("markdown", render_markdown),
        ("json", render_json),
        ("latex", render_latex),
    )
    total = 0.0
    for name, render in formats:
        taken, text = [], ""
        for _ in range(3):
            begun = time.process_time()
            text = render(invented)
            taken.append(time.process_time() - begun)
        total += statistics.median(taken)
        print(f"{name:9} {statistics.median(taken):6.2f} s {len(text.encode()):12,} bytes")
    print(f"{'all':9} {total:6.2f} s for {chosen.models} models x {chosen.benchmarks} benchmarks")


if __name__ == "__main__":
    main()
