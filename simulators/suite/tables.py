"""A suite's figures as tables to read: rows are algorithms, columns families of games."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.report.formats import MISSING, mean_and_error, number
from simulators.report.markdown import plain
from simulators.suite.settings import Regime, SuiteSettings

if TYPE_CHECKING:
    from rich.table import Table

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

#: Metrics with a table of their own, and what they are called.
TITLES = {
    "gap_last": "duality gap of the last policy",
    "gap_average": "duality gap of the average policy",
    "regularized_gap_last": "regularised gap of the last policy",
}
#: Figures below this are zero as far as anybody should care.
_ZERO = 1e-9


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        title: above it.
        header: of the columns; "algorithm" and "mean" come first.
        rows: cells; algorithms sorted by their mean, those without one last.
        notes: one line each, beneath it.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def make_grid(
    settings: SuiteSettings, rows: Rows, regime: str, metric: str, *, errors: bool = False
) -> Grid:
    """The table of one metric in one regime.

    Args:
        settings: of the suite.
        rows: its tables.
        regime: which.
        metric: which.
        errors: add standard errors over the held-out games.
    """
    found = {
        (row["family"], row["algorithm"]): row
        for row in rows["suite"]
        if row["regime"] == regime and row["metric"] == metric
    }
    families = [
        name
        for name in settings.families
        if any("value" in found[name, a] for a in settings.algorithms)
    ]
    counted = [f for f in families if any(found[f, a]["in_mean"] for a in settings.algorithms)]
    lines = []
    for algorithm in settings.algorithms:
        cells = [found[name, algorithm] for name in families]
        if not any("value" in cell for cell in cells):
            continue
        values = [found[name, algorithm].get("value") for name in counted]
        whole = all(value is not None for value in values)
        mean = sum(v for v in values if v is not None) / len(values) if whole else math.inf
        shown = [_shown(cell, errors) for cell in cells]
        lines.append((mean, (algorithm, _number(mean) if whole else MISSING, *shown)))
    lines.sort(key=lambda line: line[0])
    body = [line for _, line in lines]
    body += _baselines(rows, regime, metric, families, counted)
    return Grid(
        f"{regime}: {TITLES[metric]}",
        ("algorithm", "mean", *(n if n in counted else f"{n}*" for n in families)),
        tuple(body),
        tuple(_notes(found, [name for name in families if name not in counted])),
    )


def render_markdown(settings: SuiteSettings, rows: Rows, command: str = "") -> str:
    """``suite.md``."""
    parts = [f"# Suite {settings.suite}, version {settings.version}", _procedure(settings)]
    for name, regime in settings.regimes.items():
        parts.append(f"## {name}\n\n{_regime(regime)}")
        for metric in TITLES:
            grid = make_grid(settings, rows, name, metric, errors=True)
            lines = [f"### {grid.title}", _markdown(grid)]
            lines += [f"- {plain(note)}" for note in grid.notes]
            parts.append("\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:]))
    parts.append(_empty_cells(settings, rows))
    if command:
        parts.append(f"## Made by\n\n```\n{command}\n```")
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def terminal_tables(settings: SuiteSettings, rows: Rows) -> list["Table"]:
    """The duality gap of the last policy, one table a regime, as wide as it must be."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    tables = []
    for regime in settings.regimes:
        grid = make_grid(settings, rows, regime, "gap_last")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.title = Text(grid.title)
        for place, name in enumerate(grid.header):
            heading = Text(name.replace("-", "-\n"))
            table.add_column(heading, justify="right" if place else "left", no_wrap=True)
        for row in grid.rows:
            table.add_row(*(Text(cell) for cell in row))
        tables.append(table)
    return tables


def _procedure(settings: SuiteSettings) -> str:
    grid = settings.step_sizes
    inverse = [name for name in settings.inverse_steps if name in settings.algorithms]
    own = f" The own parameter of {' and '.join(inverse)} is 1/step size." if inverse else ""
    return (
        f"Every algorithm plays the same games at temperature {settings.temperature:g}, from the "
        "game's own reference policy. For each regime, family and metric its step size is the one "
        f"of {grid.count} from {grid.low:g} to {grid.high:g} with the least mean on the tuning "
        "games; the figures are means ± standard errors over held-out games, which no step size "
        "was chosen on. A run that diverges counts with the largest gap, 1. Smaller is better. "
        "The tables do not say which differences are significant: algorithms share their games, "
        f"so compare them game by game (games.csv).{own}"
    )


def _regime(regime: Regime) -> str:
    games = f"{regime.tuning} tuning and {regime.held_out} held-out games a family"
    if regime.queries is None:
        return f"Exact win rates, {regime.rounds} rounds of them a run; {games}."
    noise = f", flipped with probability {regime.label_noise:g}" if regime.label_noise else ""
    return (
        f"{regime.rounds * regime.queries} preference queries a run{noise}, {regime.queries} a "
        f"round (and context); {games}."
    )


def _baselines(
    rows: Rows, regime: str, metric: str, families: Sequence[str], counted: Sequence[str]
) -> list[tuple[str, ...]]:
    """The start's figures, and where the unregularised gap of the regularised equilibrium is."""
    start = "regularized_gap_start" if metric == "regularized_gap_last" else "gap_start"
    names = {"(start)": start}
    if metric != "regularized_gap_last":
        names["(equilibrium)"] = "gap_equilibrium"
    found = {row["family"]: row for row in rows["families"] if row["regime"] == regime}
    lines = []
    for label, key in names.items():
        mean = sum(found[name][key] for name in counted) / len(counted) if counted else math.nan
        lines.append((label, _number(mean), *(_number(found[name][key]) for name in families)))
    return lines


def _notes(
    found: Mapping[tuple[str, str], Mapping[str, Any]], left_out: Sequence[str]
) -> Iterator[str]:
    yield (
        "(start) is the reference policy, (equilibrium) the regularised equilibrium, where methods "
        "end that find exactly that"
    )
    if left_out:
        yield f"* not in the mean: {', '.join(left_out)}"
    ends = [f"{a} on {f}" for (f, a), row in found.items() if row.get("at_grid_end")]
    if ends:
        yield f"the best step is at an end of the grid: {', '.join(sorted(ends))}"
    fixed = {a for (_, a), row in found.items() if "value" in row and row["step_size"] is None}
    if fixed:
        yield f"no step size to tune: {', '.join(sorted(fixed))}"


def _empty_cells(settings: SuiteSettings, rows: Rows) -> str:
    """Why some cells are empty: algorithm, regimes and families, reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows["suite"]:
        if row["metric"] == "gap_last" and not row["n"]:
            game = settings.families[row["family"]].game
            key = row["algorithm"], str(row["note"]).replace(f"game '{game}'", "the game")
            reasons.setdefault(key, []).append(f"{row['family']} ({row['regime']})")
    if not reasons:
        return ""
    lines = [f"- **{a}** on {', '.join(at)}: {plain(why)}" for (a, why), at in reasons.items()]
    return "## Empty cells\n\n" + "\n".join(lines)


def _markdown(grid: Grid) -> str:
    lines = [
        "| " + " | ".join(plain(cell) for cell in grid.header) + " |",
        "| --- |" + " ---: |" * (len(grid.header) - 1),
    ]
    lines += ["| " + " | ".join(plain(cell) for cell in row) + " |" for row in grid.rows]
    return "\n".join(lines)


def _shown(row: Mapping[str, Any], errors: bool) -> str:
    if "value" not in row:
        return MISSING
    std = row["std"]
    if not errors or std is None:
        return _number(row["value"])
    if row["value"] < _ZERO:
        return "0"
    return mean_and_error(row["value"], std / math.sqrt(row["n"]))


def _number(value: float) -> str:
    return "0" if value < _ZERO else number(value)
