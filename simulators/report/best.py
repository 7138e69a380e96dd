"""Of a sweep: the best setting of each algorithm, and others spread evenly over the rest."""

import math
from collections.abc import Hashable, Mapping, Sequence
from itertools import cycle

import numpy as np

from simulators.report.findings import plays_regularized
from simulators.report.groups import Group, problem

#: Judged gaps below it are equal: what is left is rounding.
EQUAL = 1e-12
RULE = (
    "The best setting has the smallest final gap of the game that the method plays (mean over the "
    "seeds), among those of one game and temperature; among equal gaps (below 1e-12: rounding) the "
    "fewest oracle rounds, then the fastest fitted rate."
)

Cell = tuple[Hashable, str]  # a problem and an algorithm: settings within it can be compared


def judged_metric(group: Group) -> str:
    """The column of the final gap that the group's verdict is about."""
    regularized = any(plays_regularized(row) for row in group.rows)
    return "regularized_gap_last" if regularized else "gap_last"


def best_settings(groups: Sequence[Group], limit: int) -> list[Group]:
    """The best group of each algorithm on each game and temperature, problem by problem.

    Of more than ``limit`` an even selection of games and temperatures stays.
    """
    return [min(members, key=_badness) for members in _kept(groups, limit).values()][:limit]


def has_choice(groups: Sequence[Group]) -> bool:
    """Whether some algorithm ran at several settings on the same game and temperature."""
    return len(_cells(groups)) < len(groups)


def spread(groups: Sequence[Group], limit: int) -> list[Group]:
    """At most ``limit`` groups: the best settings, then others spread evenly over the sweep."""
    chosen = best_settings(groups, limit)
    taken = {id(group) for group in chosen}
    cells = _kept(groups, limit)
    rest = {cell: [g for g in members if id(g) not in taken] for cell, members in cells.items()}
    for cell, size in _shares(rest, limit - len(chosen)).items():
        last = len(rest[cell]) - 1
        # A single one comes from the middle: the ends of an axis are the least typical.
        places = np.linspace(0, last, size) if size != 1 else np.array([last / 2])
        chosen += [rest[cell][int(place)] for place in places.round()]
    return chosen


def _cells(groups: Sequence[Group]) -> dict[Cell, list[Group]]:
    """Groups by problem and algorithm; all algorithms of one problem follow one another."""
    cells: dict[Cell, list[Group]] = {}
    for group in groups:
        cells.setdefault((problem(group), group.algorithm), []).append(group)
    problems = list(dict.fromkeys(place for place, _ in cells))
    return dict(sorted(cells.items(), key=lambda cell: problems.index(cell[0][0])))


def _kept(groups: Sequence[Group], limit: int) -> dict[Cell, list[Group]]:
    """The cells of evenly chosen problems, as many as the limit has room for."""
    cells = _cells(groups)
    if len(cells) <= limit:
        return cells
    problems = list(dict.fromkeys(place for place, _ in cells))
    algorithms = {algorithm for _, algorithm in cells}
    number = min(max(1, limit // len(algorithms)), len(problems))
    places = np.linspace(0, len(problems) - 1, number).round().astype(int)
    kept = {problems[place] for place in places}
    return {cell: members for cell, members in cells.items() if cell[0] in kept}


def _shares(rest: Mapping[Cell, Sequence[Group]], budget: int) -> dict[Cell, int]:
    """How many of each cell: one after the other in turn, until the budget is spent."""
    shares = dict.fromkeys(rest, 0)
    budget = min(budget, sum(map(len, rest.values())))
    turns = cycle(rest)
    while budget > 0:
        cell = next(turns)
        if shares[cell] < len(rest[cell]):
            shares[cell] += 1
            budget -= 1
    return shares


def _badness(group: Group) -> tuple[bool, float, float, float]:
    """Smaller is better; a setting at which some seed has no gap at all comes last."""
    gap = group.statistic(judged_metric(group))
    rounds = group.statistic("oracle_rounds").mean
    rate = group.statistic("fitted_multiplier").mean
    return (
        gap.n < len(group.rows),
        max(gap.mean, EQUAL) if gap.n else math.inf,
        rounds if math.isfinite(rounds) else math.inf,
        rate if 0 < rate < 1 else 1.0,
    )
