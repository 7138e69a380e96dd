"""The table of language models: policies down, benchmarks across."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from evaluation.statistics import Interval
from leaderboards.board import Column, Entry, Figure, Section
from leaderboards.collect.columns import Group, make_columns
from leaderboards.collect.filters import is_taken
from leaderboards.collect.measurements import Material, Measurement, Paired
from leaderboards.collect.names import label
from leaderboards.collect.policies import Policies, Policy
from leaderboards.collect.ranks import Uncertain, column_ranks
from leaderboards.collect.seeds import over_seeds, within_seed
from leaderboards.options import BoardOptions
from mnpo.errors import UserError

DEFAULT = BoardOptions()
_POOL = ("cross-play", "win_rate")
#: A row of the table: group, algorithm, iteration, mark.
Row = tuple[str, str, int | None, str]


@dataclass(frozen=True)
class _Cell:
    figure: Figure
    freedom: float | None
    only: Measurement | None


def models_section(
    material: Material, policies: Policies, options: BoardOptions = DEFAULT
) -> Section | None:
    """All policies that some benchmark measured; None where there are none.

    Args:
        material: everything that the runs found, not yet filtered.
        policies: whose figures they are.
        options: which are shown.

    Raises:
        UserError: one policy has two different figures under the same conditions.
    """
    taken = partial(is_taken, options)
    groups, notes = make_columns(material.measurements, taken)
    if not groups:
        return None
    seeds = _seeds([own for own in material.measurements if taken(own)])
    cells: dict[Row, dict[str, Figure]] = {row: {} for row in seeds}
    twice: dict[tuple[str, str], int] = {}
    for group in groups:
        found = _cells(group, seeds, twice)
        for row, own in _ranked(group, found, material.paired).items():
            cells[row][group.column.key] = own
    measured = {row: figures for row, figures in cells.items() if _is_measured(figures, groups)}
    names = _names(list(measured), policies)
    entries = tuple(
        Entry(
            name=names[row],
            algorithm=row[1],
            label=label(row[1]),
            origin=policies.groups[row[0]].origin if row[0] else "",
            iteration=row[2],
            seeds=seeds[row],
            figures=figures,
        )
        for row, figures in measured.items()
    )
    used = {key for entry in entries for key in entry.figures}
    columns: tuple[Column, ...] = tuple(
        group.column for group in groups if group.column.key in used
    )
    notes += [
        f"{one} and {other} measured {count} figures of the same policies under the same "
        "conditions, and alike: they stand here once"
        for (one, other), count in sorted(twice.items())
    ]
    notes += _own_seeds(columns, entries)
    entries = tuple(sorted(entries, key=lambda own: own.name))
    return Section("Language models", "models", columns, entries, "name", tuple(notes))


def _own_seeds(columns: Sequence[Column], entries: Sequence[Entry]) -> list[str]:
    """Whom a policy of several seeds met in its pool."""
    met = [own.title for own in columns if own.headline and (own.benchmark, own.metric) == _POOL]
    if not met or all(len(own.seeds) < 2 for own in entries):
        return []
    return [
        f"{' and '.join(met)}: the mean over a policy's opponents, among them the other seeds of "
        "its own method; ratings of methods leave those out"
    ]


def row_of(policy: Policy) -> Row:
    """The row that a policy's figures stand in, with those of other seeds."""
    return (policy.group, policy.algorithm, policy.iteration, policy.mark)


def row_names(rows: Sequence[Row], policies: Policies) -> dict[Row, str]:
    """What rows are called; see `_names`."""
    return _names(rows, policies)


def _seeds(measurements: Sequence[Measurement]) -> dict[Row, tuple[int, ...]]:
    found: dict[Row, set[int]] = {}
    for own in measurements:
        seeds = found.setdefault(row_of(own.policy), set())
        if own.policy.seed is not None:
            seeds.add(own.policy.seed)
    return {row: tuple(sorted(seeds)) for row, seeds in found.items()}


def _is_measured(figures: Mapping[str, Figure], groups: Sequence[Group]) -> bool:
    judged = {g.column.key for g in groups if g.column.benchmark != "training"}
    return any(key in judged for key in figures)


def _cells(
    group: Group, seeds: Mapping[Row, tuple[int, ...]], twice: dict[tuple[str, str], int]
) -> dict[Row, _Cell]:
    """A column's figures over seeds."""
    by_row: dict[Row, dict[tuple[int, str], Measurement]] = {}
    ordered = sorted(group.members, key=lambda own: (own.row.source.run, own.row.source.row))
    for own in ordered:
        parts = by_row.setdefault(row_of(own.policy), {})
        seed = -1 if own.policy.seed is None else own.policy.seed
        before = parts.setdefault((seed, own.pool), own)
        if before is own:
            continue
        _require_same(before, own)
        if before.row.source.run != own.row.source.run:
            pair = (before.row.source.run, own.row.source.run)
            twice[pair] = twice.get(pair, 0) + 1
    found = {}
    for row, parts in by_row.items():
        members = [parts[place] for place in sorted(parts)]
        found[row] = _cell(members, seeds[row], group)
    return found


def _cell(members: Sequence[Measurement], seeds: tuple[int, ...], group: Group) -> _Cell:
    by_seed: dict[int | None, list[Interval]] = {}
    for own in members:
        by_seed.setdefault(own.policy.seed, []).append(own.row.interval)
    mean = over_seeds([within_seed(parts) for parts in by_seed.values()], group.metric.bounds)
    flags = list(dict.fromkeys(flag for own in members for flag in _by_seed(own, members)))
    missing = [seed for seed in seeds if seed not in {own.policy.seed for own in members}]
    if missing and members[0].policy.seed is not None:
        flags.insert(0, f"not measured for seed {', '.join(map(str, missing))}")
    flags += _pools_of_one(by_seed)
    figure = Figure(
        interval=mean.interval,
        basis=mean.basis,
        seeds=len(set(by_seed) - {None}),
        spread=mean.spread,
        flags=tuple(flags),
        sources=tuple(own.row.source for own in members),
    )
    return _Cell(figure, mean.freedom, members[0] if len(members) == 1 else None)


def _pools_of_one(by_seed: Mapping[int | None, Sequence[Interval]]) -> list[str]:
    """Where one policy was measured among several sets of opponents."""
    most = max(map(len, by_seed.values()))
    if most < 2:
        return []
    several = [str(seed) for seed, parts in by_seed.items() if seed is not None and len(parts) > 1]
    who = f"seed {', '.join(several)}: " if several else ""
    return [f"{who}mean over {most} pools, in which the other policies have other seeds"]


def _by_seed(own: Measurement, members: Sequence[Measurement]) -> list[str]:
    if len(members) == 1 or own.policy.seed is None:
        return list(own.flags)
    return [f"seed {own.policy.seed}: {flag}" for flag in own.flags]


def _require_same(one: Measurement, other: Measurement) -> None:
    if _figure(one.row.interval) == _figure(other.row.interval):
        return
    policy = one.policy
    seed = "" if policy.seed is None else f", seed {policy.seed}"
    raise UserError(
        f"{one.row.source.run} and {other.row.source.run} disagree on {one.row.benchmark} "
        f"{one.row.metric} of {policy.algorithm}{seed}: {one.row.interval.value:g} and "
        f"{other.row.interval.value:g} under the same conditions; give only one of the two"
    )


def _figure(own: Interval) -> tuple[float, float | None, float | None, int]:
    return (own.value, own.low, own.high, own.n)


def _ranked(
    group: Group, cells: Mapping[Row, _Cell], paired: Sequence[Paired]
) -> dict[Row, Figure]:
    """The figures, with ranks where the column has a better and a worse."""
    figures = {row: own.figure for row, own in cells.items()}
    column = group.column
    if not column.headline or column.better == "neither" or len(cells) < 2:
        return figures
    rows = sorted(cells, key=lambda row: tuple(str(part) for part in row))
    uncertain = [Uncertain(cells[row].figure.interval, cells[row].freedom) for row in rows]
    compared = _compared(column, [cells[row] for row in rows], paired)
    ranks, letters = column_ranks(uncertain, compared, column.better)
    return {
        row: replace(figures[row], rank=rank, letters=own)
        for row, rank, own in zip(rows, ranks, letters, strict=True)
    }


def _compared(
    column: Column, cells: Sequence[_Cell], paired: Sequence[Paired]
) -> dict[tuple[int, int], tuple[float | None, float | None]]:
    """Pairs of cells, each of one row, that their run compared."""
    places = {
        (own.only.row.source.run, own.only.model): place
        for place, own in enumerate(cells)
        if own.only is not None and own.only.model
    }
    found = {}
    for own in paired:
        if (own.benchmark, own.metric, own.judge) != (
            column.benchmark,
            column.metric,
            column.judge,
        ):
            continue
        one, other = places.get((own.run, own.first)), places.get((own.run, own.second))
        if one is not None and other is not None:
            found[min(one, other), max(one, other)] = (own.p_value, own.adjusted)
    return found


def _names(rows: Sequence[Row], policies: Policies) -> dict[Row, str]:
    """The algorithm; with its training run, iteration or hash where others are called so."""
    groups: dict[str, set[tuple[str, str]]] = {}
    iterations: dict[tuple[str, str, str], set[int | None]] = {}
    for group, algorithm, iteration, mark in rows:
        groups.setdefault(algorithm, set()).add((group, mark))
        iterations.setdefault((group, algorithm, mark), set()).add(iteration)
    named = {}
    for row in rows:
        group, algorithm, iteration, mark = row
        text = algorithm
        if len(groups[algorithm]) > 1:
            from_run = policies.groups[group].name if group else mark[:4]
            text += f" ({from_run})" if from_run else ""
        if len(iterations[group, algorithm, mark]) > 1 and iteration is not None:
            text += f", iteration {iteration}"
        named[row] = text
    return _unique(named)


def _unique(named: Mapping[Row, str]) -> dict[Row, str]:
    from mnpo.runs.files import digest

    count: dict[str, int] = {}
    for text in named.values():
        count[text] = count.get(text, 0) + 1
    return {
        row: text if count[text] == 1 else f"{text} [{digest(list(row))[:6]}]"
        for row, text in named.items()
    }
