"""What a paper prints of our methods and we did not measure."""

from collections.abc import Sequence

from leaderboards.board import Cell, Table
from leaderboards.paper.agreement import same_benchmark, same_subject
from leaderboards.paper.beside import where
from leaderboards.paper.ours import Measured
from leaderboards.paper.pairs import Pair
from leaderboards.paper.printed import Paper, Printed

HEADER = ("where", "measure", "theirs, as printed", "what differs")
#: Names in one line.
_MOST = 12


def not_measured(paper: Paper, own: Sequence[Measured], pairs: Sequence[Pair]) -> Table | None:
    """One row for each column of the paper with figures of our methods that have no counterpart.

    None where there is no such column; without any pair it names at least who is not here.
    """
    paired = {(pair.theirs.table, pair.theirs.column, pair.theirs.row) for pair in pairs}
    columns: dict[tuple[str, str], list[Printed]] = {}
    strangers: dict[str, None] = {}
    for one in paper.figures:
        if not one.benchmark or one.number is None:
            continue
        if not any(same_subject(one, ours) for ours in own):
            strangers.setdefault(one.row)
        elif (one.table, one.column, one.row) not in paired:
            columns.setdefault((one.table, one.column), []).append(one)
    if not columns and (pairs or not strangers):
        return None
    notes = ["No difference is computed, and none should be read out of these figures."]
    if strangers:
        notes.append(
            f"Printed and not on this board: {_some(list(strangers))}. Of methods that are on it, "
            "everything printed is here or in the table before."
        )
    return Table(
        title=f"Not comparable with this board: {paper.title} ({paper.source})",
        header=HEADER,
        rows=tuple(_row(group, own) for group in columns.values()),
        notes=tuple(notes),
    )


def _row(group: Sequence[Printed], own: Sequence[Measured]) -> tuple[Cell, ...]:
    first = group[0]
    judges = {one.judge for one in group}
    bases = {one.base for one in group if one.method}
    if any(same_benchmark(first, ours) for ours in own):
        differs = ["benchmark: not measured here for these, or left without a fitting row"]
    else:
        ours = dict.fromkeys(one.column.benchmark for one in own if one.column.better != "neither")
        differs = [f"benchmark: ours {_some(list(ours)) or 'none'}, theirs {first.benchmark}"]
    if first.judged:
        asked = [name for name in dict.fromkeys(one.column.judge for one in own) if name]
        theirs = ", ".join(sorted(judges - {""})) or "not said"
        differs.append(f"judge: ours {_some(asked) or 'none'}, theirs {theirs}")
    if bases:
        trained = dict.fromkeys(one.base for one in own if one.trained)
        theirs = ", ".join(sorted(bases - {""})) or "not said"
        differs.append(f"model: ours {_some(list(trained)) or 'none'}, theirs {theirs}")
    printed = "; ".join(
        f"{one.row} {one.value}{f' (sd {one.spread})' if one.spread else ''}" for one in group
    )
    return where(first.table), first.column, printed, "; ".join(differs)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST])
    return f"{shown} and {len(names) - _MOST} more" if len(names) > _MOST else shown
