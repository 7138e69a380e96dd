"""A cross-play as a table for terminals, as Markdown, and as CSV."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.crossplay_summary import PolicySummary
from evaluation.statistics import Interval
from evaluation.tidy import Origin, Result, csv_text, results_csv
from evaluation.winmatrix import WinMatrix
from mnpo.runs.files import write_atomically

if TYPE_CHECKING:
    from rich.table import Table

BENCHMARK = "cross-play"
NOTHING = "–"

_PAIRS = ("policy", "opponent", "judge", "value", "low", "high", "n", "clusters")


def table(summaries: Sequence[PolicySummary], start: str, caption: str) -> "Table":
    """For a terminal, without most intervals; names are shown as they are, brackets included."""
    from rich.markup import escape
    from rich.table import Table

    columns = _columns(summaries, start, brief=True)
    shown = Table(caption=escape(caption))
    for number, (title, _) in enumerate(columns):
        shown.add_column(escape(title), justify="right" if number else "left", no_wrap=not number)
    for summary in summaries:
        shown.add_row(*(escape(cell(summary)) for _, cell in columns))
    return shown


def write(
    folder: Path,
    *,
    summaries: Sequence[PolicySummary],
    judges: Mapping[str, WinMatrix],
    judge: str,
    start: str,
    cyclic_share: float | None,
    caption: str,
    hashes: Mapping[str, str],
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
    if cyclic_share is not None:
        prompts = len(judges[judge].wins)
        pool = Interval(cyclic_share, None, None, len(summaries), prompts)
        own = {key: hashes[key] for key in ("prompts", f"judge {judge}")}
        results.append(Result(Origin("", "(pool)"), BENCHMARK, "cyclic_share", pool, judge, own))
    texts = {
        "crossplay.csv": csv_text(_PAIRS, _pairs(judges)),
        "crossplay.md": markdown(summaries, judges[judge], start, caption),
        "crossplay-results.csv": results_csv(results),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return [folder / name for name in texts]


def markdown(summaries: Sequence[PolicySummary], wins: WinMatrix, start: str, caption: str) -> str:
    """The table, and the win rates of row against column."""
    columns = _columns(summaries, start)
    lines = ["# Cross-play", "", _cell(caption) + ".", ""]
    lines += _grid(
        [title for title, _ in columns],
        [[cell(summary) for _, cell in columns] for summary in summaries],
    )
    measured = {
        (row, column): _rate(wins.pair(row, column))
        for i, row in enumerate(wins.names)
        for j, column in enumerate(wins.names)
        if i != j and not _missing(wins, i, j)
    }
    rows = [
        [row, *(measured.get((row, column), NOTHING) for column in wins.names)]
        for row in wins.names
    ]
    lines += ["", "Win rate of the row against the column, 95 % interval over prompts:", ""]
    lines += _grid(["", *wins.names], rows)
    return "\n".join(lines) + "\n"


def _columns(
    summaries: Sequence[PolicySummary], start: str, *, brief: bool = False
) -> list[tuple[str, Callable[[PolicySummary], str]]]:
    """Titles and cells; those that say nothing of any policy are left out."""
    rate = _plain if brief else _rate
    columns: list[tuple[str, Callable[[PolicySummary], str]]] = [
        ("policy", lambda s: s.name),
        (f"win rate vs {start}", lambda s: _rate(s.against_start)),
    ]
    if any(s.annotators for s in summaries):
        columns += [
            ("mean annotator", lambda s: rate(s.mean_annotator)),
            (
                "worst annotator",
                lambda s: (
                    NOTHING
                    if s.worst_annotator is None
                    else f"{rate(s.annotators[s.worst_annotator])} {s.worst_annotator}"
                ),
            ),
        ]
    if any(s.against_pool for s in summaries):
        columns += [
            ("vs pool", lambda s: rate(s.against_pool)),
            ("worst opponent", lambda s: f"{rate(s.against_worst)} {s.worst_opponent}"),
            ("exploit." if brief else "exploitability", lambda s: _number(s.exploitability)),
            ("Nash" if brief else "Nash average", lambda s: _number(s.nash)),
        ]
    return [
        *columns,
        ("tokens", lambda s: f"{s.tokens.value:.1f}"),
        ("cut" if brief else "unfinished", lambda s: f"{100 * s.unfinished.value:.0f} %"),
        ("distinct", lambda s: f"{s.distinct}/{s.responses}"),
    ]


def _pairs(judges: Mapping[str, WinMatrix]) -> Iterator[tuple[str | int | float | None, ...]]:
    """Every ordered pair that was measured, under every judge."""
    for judge, wins in judges.items():
        for i, row in enumerate(wins.names):
            for j, column in enumerate(wins.names):
                if i == j or _missing(wins, i, j):
                    continue
                found = wins.pair(row, column)
                yield (
                    *(row, column, judge, found.value),
                    *(found.low, found.high, found.n, found.clusters),
                )


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

    def plain(value: float | None) -> Interval | None:
        pool = summary.against_pool
        return (
            None
            if value is None or pool is None
            else Interval(value, None, None, pool.n, pool.clusters)
        )

    yield from row(f"win_rate/against/{start}", summary.against_start, judge)
    yield from row("win_rate/pool", summary.against_pool, judge)
    yield from row("win_rate/worst_opponent", summary.against_worst, judge)
    yield from row("exploitability", plain(summary.exploitability), judge)
    yield from row("nash_average", plain(summary.nash), judge)
    yield from row("win_rate/nash_average", plain(summary.nash_win_rate), judge)
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


def _missing(wins: WinMatrix, row: int, column: int) -> bool:
    return bool(wins.mean[row, column] != wins.mean[row, column])


def _rate(found: Interval | None) -> str:
    if found is None:
        return NOTHING
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} [{found.low:.2f}, {found.high:.2f}]"


def _plain(found: Interval | None) -> str:
    return NOTHING if found is None else f"{found.value:.3f}"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [[_cell(text) for text in row] for row in (header, *rows)]
    lines.insert(1, ["---", *("---:" for _ in header[1:])])
    return ["| " + " | ".join(line) + " |" for line in lines]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
