"""What all renderers say in the same words: ranks, names, arrows, what intervals count."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from leaderboards.board import Board, Column, Entry, Pool, Rating, Run, Section, Source
from leaderboards.render.rounding import rounded

#: A cell that has no number.
NOTHING = "–"
ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
_SEED = re.compile(r"-seed-\d+(?:-player-(\d+))?$")
_BETTER = {"higher": "higher is better", "lower": "lower is better", "neither": ""}


def rank_range(rank: tuple[int, int] | None, dash: str = "–") -> str:
    """``1``, ``1–3``, or nothing."""
    if rank is None:
        return ""
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}{dash}{rank[1]}"


def heading(column: Column | Rating) -> str:
    """A column's title with its unit and the direction that is better."""
    unit = unit_of(column)
    arrow = ARROWS[column.better]
    return f"{column.title}{f' ({unit})' if unit else ''}{' ' + arrow if arrow else ''}"


def unit_of(column: Column | Rating) -> str:
    """Its unit, "" where its title says it.

    Of models' columns and of ratings, the probability of winning is a win rate; of a lottery it is
    what it is, and so are gaps of games.
    """
    unit = column.unit
    if unit == ("probability" if isinstance(column, Column) else "win probability"):
        unit = "win rate"
    return "" if unit.lower() in column.title.lower() else unit


def label_of(entry: Entry) -> str:
    """The method's name in papers, "" where it is the name itself but for case and hyphens."""
    return "" if same_words(entry.label, entry.name, entry.algorithm) else entry.label


def same_words(name: str, *others: str) -> bool:
    """Whether another name is this one but for case and signs."""
    return _letters(name) in map(_letters, others)


def with_label(name: str, label: str) -> str:
    """``mnpo (TD-MNPO)``."""
    return f"{name} ({label})" if label else name


def labels_in_pools(board: Board) -> dict[str, str]:
    """Name of a policy in a pool, such as "mnpo-seed-0" -> the method's name in papers."""
    entries = [entry for section in board.sections for entry in section.entries]
    labels = {own.algorithm: label for own in entries if (label := label_of(own))}
    found = {}
    for name in {name for pool in board.pools for name in pool.names}:
        method = method_of(name)
        if method in labels:
            found[name] = labels[method]
    return found


def method_of(name: str) -> str:
    """Of a policy in a pool: "ht-mnpo/player-1" of "ht-mnpo-seed-0-player-1"."""
    return _SEED.sub(lambda own: f"/player-{own[1]}" if own[1] else "", name)


def drawn_names(pool: Pool) -> tuple[str, ...]:
    """Names of its policies for drawings: without their seeds, where that keeps them apart."""
    methods = tuple(map(method_of, pool.names))
    return methods if len(set(methods)) == len(methods) else pool.names


def is_opponent(entry: Entry, column: Column) -> bool:
    """Whether a column of games against one opponent has no figure of it since it is that one."""
    opponent = column.metric.partition("/against/")[2]
    return bool(opponent) and opponent in (entry.name, entry.algorithm)


def opponents_text(section: Section, columns: Iterable[Column]) -> list[str]:
    """One line for each policy that has no figure against itself."""
    return [
        f"{own.title}: {entry.name} has no figure, it is the opponent itself."
        for own in columns
        for entry in section.entries
        if own.key not in entry.figures and is_opponent(entry, own)
    ]


def told_apart(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns, with the judge in the titles that several of them share."""
    return tuple(
        replace(own, title=f"{own.title}, by {judge}") if judge else own
        for own, judge in zip(columns, judges_told(columns), strict=True)
    )


def judges_told(columns: Sequence[Column]) -> tuple[str, ...]:
    """Of each column the judge, where others have its title; else ""."""
    titles = Counter(own.title for own in columns)
    return tuple(own.judge if titles[own.title] > 1 else "" for own in columns)


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
INTERVALS = (
    "Brackets hold 95 % intervals; digits end where a column's intervals make them meaningless."
)


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


def title_of(board: Board) -> str:
    """Never empty."""
    return board.title or "Leaderboard"


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


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
