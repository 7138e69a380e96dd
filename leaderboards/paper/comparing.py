"""``--compare``: a board beside the figures of papers."""

from collections.abc import Sequence

from leaderboards.board import Board, Table
from leaderboards.paper.apart import not_measured
from leaderboards.paper.beside import side_by_side
from leaderboards.paper.order import orders
from leaderboards.paper.ours import measured
from leaderboards.paper.pairs import find_pairs
from leaderboards.paper.printed import find_papers


def compare_with_papers(board: Board, names: Sequence[str]) -> tuple[Table, ...]:
    """Ours, theirs and the difference where the two measure the same, and what differs where not.

    Read of the board are its figures, the columns' benchmark, metric, judge and unit, and of the
    runs that entries come from ``facts["model"]`` (base model: a name, or ``{"name": ...}``),
    ``facts["methods"]`` (as in run.yaml) and ``facts["annotator"]`` (one line). What is not there
    counts as unknown, and unknown agrees with nothing.

    Args:
        board: with its sections and runs.
        names: papers: "mnpo" (or "paper"), "inpo", "sppo".

    Returns:
        For each paper: figures side by side, if there are any; the order of methods there and
        here, where at least benchmark and metric agree and three methods have both; and what is
        printed of our methods without a counterpart.

    Raises:
        InvalidSetting: an unknown paper; says the nearest known one.
    """
    tables: list[Table] = []
    own = tuple(measured(board))
    for paper in find_papers(names):
        pairs = find_pairs(paper, own)
        found = [
            side_by_side(paper, pairs) if pairs else None,
            orders(paper, pairs),
            not_measured(paper, own, pairs),
        ]
        tables += [table for table in found if table is not None]
    return tuple(tables)
