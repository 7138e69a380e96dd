"""A cross-play as a table for terminals, as Markdown, and as CSV."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.crossplay_summary import PolicySummary
from evaluation.pool.standings import PoolStandings, Standing
from evaluation.pool.tables import NOTHING, cell, grid, pairs_csv, rate, win_grid
from evaluation.pool.wins_file import WINS, wins_bytes
from evaluation.statistics import Interval
from evaluation.tidy import Origin, Result, results_csv
from evaluation.winmatrix import WinMatrix
from mnpo.runs.files import write_atomically

if TYPE_CHECKING:
    from rich.table import Table

BENCHMARK = "cross-play"


def table(summaries: Sequence[PolicySummary], start: str, caption: str) -> "Table":
    """For a terminal, without most intervals; names are shown as they are, brackets included."""
    from rich.markup import escape
    from rich.table import Table

    columns = _columns(summaries, start, brief=True)
    shown = Table(caption=escape(caption))
    for number, (title, _) in enumerate(columns):
        shown.add_column(escape(title), justify="right" if number else "left", no_wrap=not number)
    for summary in summaries:
        shown.add_row(*(escape(show(summary)) for _, show in columns))
    return shown


def write(
    folder: Path,
    *,
    summaries: Sequence[PolicySummary],
    judges: Mapping[str, WinMatrix],
    judge: str,
    start: str,
    pool: PoolStandings | None,
    caption: str,
    hashes: Mapping[str, str],
    prompts: Sequence[str],
    origins: Mapping[str, Origin],
) -> list[Path]:
    """Write all files; see `CrossPlay.write`."""
    results = [
        row
        for summary in summaries
        for row in _results(
            summary, origins.get(summary.name, Origin("", summary.name)), judge, start, hashes
        )
    ]
    if pool is not None:
        own = {key: hashes[key] for key in ("prompts", f"judge {judge}")}
        whole = Origin("", "(pool)")
        results.append(Result(whole, BENCHMARK, "cyclic_share", pool.cyclic_share, judge, own))
    files: dict[str, str | bytes] = {
        "crossplay.csv": pairs_csv(judges),
        "crossplay.md": markdown(summaries, judges[judge], start, caption),
        WINS: wins_bytes(judges, prompts),
        "crossplay-results.csv": results_csv(results),
    }
    for name, content in files.items():
        write_atomically(folder / name, content)
    return [folder / name for name in files]


def markdown(summaries: Sequence[PolicySummary], wins: WinMatrix, start: str, caption: str) -> str:
    """The table, and the win rates of row against column."""
    columns = _columns(summaries, start)
    lines = ["# Cross-play", "", cell(caption) + ".", ""]
    lines += grid(
        [title for title, _ in columns],
        [[show(summary) for _, show in columns] for summary in summaries],
    )
    lines += ["", "Win rate of the row against the column, 95 % interval over prompts:", ""]
    lines += win_grid(wins)
    return "\n".join(lines) + "\n"


def _columns(
    summaries: Sequence[PolicySummary], start: str, *, brief: bool = False
) -> list[tuple[str, Callable[[PolicySummary], str]]]:
    """Titles and cells; those that say nothing of any policy are left out."""
    figure = _plain if brief else rate
    columns: list[tuple[str, Callable[[PolicySummary], str]]] = [
        ("policy", lambda s: s.name),
        (f"win rate vs {start}", lambda s: rate(s.against_start)),
    ]
    if any(s.annotators for s in summaries):
        columns += [
            ("mean annotator", lambda s: figure(s.mean_annotator)),
            (
                "worst annotator",
                lambda s: (
                    NOTHING
                    if s.worst_annotator is None
                    else f"{figure(s.annotators[s.worst_annotator])} {s.worst_annotator}"
                ),
            ),
        ]
    if any(s.standing for s in summaries):
        columns += [
            ("vs pool", _of_standing(lambda s: figure(s.against_pool))),
            (
                "worst opponent",
                _of_standing(lambda s: f"{figure(s.against_worst)} {s.worst_opponent}"),
            ),
            (
                "exploit." if brief else "exploitability",
                _of_standing(lambda s: figure(s.exploitability)),
            ),
            ("Nash" if brief else "Nash average", _of_standing(lambda s: figure(s.nash))),
        ]
    return [
        *columns,
        ("tokens", lambda s: f"{s.tokens.value:.1f}"),
        ("cut" if brief else "unfinished", lambda s: f"{100 * s.unfinished.value:.0f} %"),
        ("distinct", lambda s: f"{s.distinct}/{s.responses}"),
    ]


def _of_standing(show: Callable[[Standing], str]) -> Callable[[PolicySummary], str]:
    return lambda s: NOTHING if s.standing is None else show(s.standing)


def _results(
    summary: PolicySummary,
    origin: Origin,
    judge: str,
    start: str,
    hashes: Mapping[str, str],
) -> Iterator[Result]:
    """The tidy rows of one policy."""
    prompts = {"policy": summary.sha256, "prompts": hashes["prompts"]}

    def row(metric: str, found: Interval | None, asked: str = "") -> Iterator[Result]:
        if found is not None:
            judged = {"judge": hashes[f"judge {asked}"]} if asked else {}
            yield Result(origin, BENCHMARK, metric, found, asked, prompts | judged)

    yield from row(f"win_rate/against/{start}", summary.against_start, judge)
    standing = summary.standing
    if standing is not None:
        yield from row("win_rate/pool", standing.against_pool, judge)
        yield from row("win_rate/worst_opponent", standing.against_worst, judge)
        yield from row("exploitability", standing.exploitability, judge)
        yield from row("nash_average", standing.nash, judge)
        yield from row("win_rate/nash_average", standing.nash_win_rate, judge)
    for name, found in summary.annotators.items():
        if name != judge:
            yield from row(f"win_rate/against/{start}", found, name)
    if summary.worst_annotator is not None:
        worst = summary.annotators[summary.worst_annotator]
        yield from row("win_rate/worst_annotator", worst, summary.worst_annotator)
        yield from row("win_rate/mean_annotator", summary.mean_annotator)
    yield from row("response_tokens", summary.tokens)
    yield from row("unfinished", summary.unfinished)
    distinct = summary.distinct / summary.responses
    yield from row(
        "distinct",
        Interval(distinct, None, None, summary.responses, summary.tokens.clusters),
    )


def brief(found: Interval) -> str:
    """With two decimals, e.g. ``0.12 [0.03, 0.25]``."""
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _plain(found: Interval | None) -> str:
    return NOTHING if found is None else f"{found.value:.3f}"
