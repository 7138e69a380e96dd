"""Which printed figure stands beside which of ours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leaderboards.paper.agreement import differences, same_benchmark, same_subject
from leaderboards.paper.names import same
from leaderboards.paper.ours import Measured
from leaderboards.paper.printed import Paper, Printed


@dataclass(frozen=True)
class Pair:
    """A printed figure and one of ours, of the same benchmark and metric and the same method.

    Attributes:
        theirs, ours: the two.
        differs: what bars a subtraction; () where nothing does.
    """

    theirs: Printed
    ours: Measured
    differs: tuple[str, ...]


def find_pairs(paper: Paper, own: Sequence[Measured]) -> tuple[Pair, ...]:
    """All pairs, in the paper's order.

    Where a table has several rows of one method, such as one for each base model, iteration or
    number of players, ours stands beside those that fit it; beside all of them if none does.
    """
    found: list[Pair] = []
    columns: dict[tuple[str, str], list[Printed]] = {}
    for printed in paper.figures:
        if printed.benchmark and printed.number is not None:
            columns.setdefault((printed.table, printed.column), []).append(printed)
    for group in columns.values():
        in_column: list[tuple[int, Pair]] = []
        for ours in own:
            fitting = [
                (place, one)
                for place, one in enumerate(group)
                if same_benchmark(one, ours) and same_subject(one, ours)
            ]
            for place, one in _narrowed(fitting, ours):
                in_column.append((place, Pair(one, ours, differences(one, ours))))
        found += [pair for _, pair in sorted(in_column, key=lambda item: item[0])]
    return tuple(found)


def _narrowed(fitting: list[tuple[int, Printed]], ours: Measured) -> list[tuple[int, Printed]]:
    tests: tuple[Callable[[Printed], bool], ...] = (
        lambda one: same("models", one.base, ours.base),
        lambda one: one.iteration == ours.entry.iteration,
        lambda one: one.players == ours.players,
    )
    for test in tests:
        kept = [(place, one) for place, one in fitting if test(one)]
        fitting = kept or fitting
    return fitting
