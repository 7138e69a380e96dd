"""What all renderers say in the same words: ranks, arrows, what intervals count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from leaderboards.board import Board, Column, Pool, Rating, Run, Section, Source
from leaderboards.render.rounding import rounded

#: A cell that has no number.
NOTHING = "–"
_ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
_BETTER = {"higher": "higher is better", "lower": "lower is better", "neither": ""}


def rank_range(rank: tuple[int, int] | None, dash: str = "–") -> str:
    """``1``, ``1–3``, or nothing."""
    if rank is None:
        return ""
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}{dash}{rank[1]}"


def heading(column: Column | Rating) -> str:
    """A column's title with its unit and the direction that is better."""
    unit = f" ({column.unit})" if column.unit and column.unit not in column.title else ""
    arrow = _ARROWS[column.better]
    return f"{column.title}{unit}{' ' + arrow if arrow else ''}"


def told_apart(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns, with the judge in the titles that several of them share."""
    titles = Counter(own.title for own in columns)
    return tuple(
        replace(own, title=f"{own.title}, by {own.judge}")
        if titles[own.title] > 1 and own.judge
        else own
        for own in columns
    )


def about_column(section: Section, column: Column) -> str:
    """What a reader must know of a column: what it is, who judged, what its intervals count."""
    figures = [e.figures[column.key] for e in section.entries if column.key in e.figures]
    parts = [column.explanation.rstrip(".")] if column.explanation else []
    parts += [_BETTER[column.better]] if _BETTER[column.better] else []
    parts += [f"judge {column.judge}"] if column.judge else []
    parts += [_intervals([f.basis for f in figures if f.interval.low is not None])]
    parts += [_counts([f.interval.n for f in figures])]
    return "; ".join(part for part in parts if part)


def about_rating(rating: Rating) -> str:
    """What a rating is."""
    better = _BETTER[rating.better]
    return rating.explanation + (f" ({better})" if better else "")


def about_pool(pool: Pool) -> list[str]:
    """What a reader must know of a pool, one line each."""
    lines = [f"Win rate of row against column; intervals: {_over(pool.basis)}."]
    if pool.cyclic_share is not None:
        value, low, high = rounded(pool.cyclic_share)
        ends = f" [{low}, {high}]" if low and high else ""
        lines.append(
            f"Cyclic share of the squared advantages: {value or NOTHING}{ends} "
            "(0: every policy has one strength; 1: only cycles, as in rock-paper-scissors)."
        )
    if pool.nash_is_unique is not None:
        lines.append(
            "The maximal lottery is the only one."
            if pool.nash_is_unique
            else "There are several maximal lotteries; one of them is shown."
        )
    return [*lines, *pool.notes]


#: Under every table of ranked figures.
RANKS = (
    "Rank: the best and the worst place that the comparisons leave open, in the column the table "
    "is sorted by. Figures of a column that share a letter do not differ significantly."
)
INTERVALS = "Brackets hold 95 % intervals; digits end where the interval makes them meaningless."


def sources_text(sources: Sequence[Source]) -> str:
    """Files, each once, with how many rows of it."""
    files = Counter((own.run, own.file) for own in sources)
    return ", ".join(str(PurePath(run) / file) for run, file in files)


def short(sha256: str) -> str:
    """The beginning of a hash."""
    return sha256[:12]


def facts_text(run: Run) -> str:
    """The facts of a run on one line."""
    return "; ".join(f"{key}: {_fact(own)}" for key, own in run.facts.items() if _fact(own))


def flags_of(section: Section, columns: Sequence[Column]) -> dict[str, int]:
    """Warnings of the figures that are shown -> number of their footnote, from 1."""
    found: dict[str, int] = {}
    for entry in section.entries:
        for column in columns:
            figure = entry.figures.get(column.key)
            for flag in figure.flags if figure else ():
                found.setdefault(flag, len(found) + 1)
    return found


def title_of(board: Board) -> str:
    """Never empty."""
    return board.title or "Leaderboard"


def _fact(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_fact(own)}" for key, own in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_fact, value))
    return "" if value is None else str(value)


def _intervals(bases: Sequence[str]) -> str:
    counted = Counter(bases)
    if not counted:
        return "no intervals"
    if len(counted) == 1:
        return f"intervals: {_over(next(iter(counted)))}"
    parts = [
        f"{_over(basis)} ({count} row{'s' if count > 1 else ''})"
        for basis, count in sorted(counted.items())
    ]
    return "intervals: " + ", ".join(parts)


def _over(basis: str) -> str:
    return "none" if basis == "none" else f"over {basis}"


def _counts(numbers: Sequence[int]) -> str:
    known = [n for n in numbers if n]
    if not known:
        return ""
    low, high = min(known), max(known)
    return f"n = {low}" if low == high else f"n = {low} to {high}"
