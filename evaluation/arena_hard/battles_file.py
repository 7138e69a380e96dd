"""Battle files: one row for each verdict, three for a strong one, as `show_result.py` dumps them.

The rows of one model and question are put together again into games. Their order does not matter.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from evaluation.arena_hard.judged import Between, Collected, Judged
from evaluation.arena_hard.verdicts import Grade
from evaluation.arena_hard.versions import STRONG, Version
from evaluation.rows import Row, iterate_rows
from mnpo.errors import UserError

_POINTS_OF_A = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "tie (bothbad)": 0.5}


def read_battles(
    paths: Sequence[Path], version: Version, *, baseline: str | None = None
) -> Collected:
    """Games from battle files (csv or jsonl, plain or gzipped).

    Fields of a row: question_id (or uid), model_a, model_b, winner, and optionally category.

    Args:
        paths: of the files; no model and question may be in two of them.
        version: which version's baseline is looked for.
        baseline: whom all were compared with, None looks for the version's own.

    Raises:
        UserError: an unknown winner, no common baseline, rows that cannot come from two games of
            one question, or a model and question in two files.
    """
    rows = [(path, row) for path in paths for row in iterate_rows(path)]
    if not rows:
        raise UserError(f"{', '.join(map(str, paths))}: no battles")
    anchors = _anchors(rows, version, baseline)
    duels: dict[tuple[str, str], _Duel] = {}
    between: list[Between] = []
    for path, row in rows:
        question, category = row.text("question_id", "uid"), str(row.values.get("category") or "")
        first, second = row.text("model_a"), row.text("model_b")
        points = _points(row)
        if first == second:
            raise UserError(f"{row.where}: {first} plays against itself")
        if first not in anchors and second not in anchors:
            between.append(Between(first, second, question, points))
            continue
        model, own = (second, 1.0 - points) if first in anchors else (first, points)
        duel = duels.setdefault(
            (model, question),
            _Duel(path, row.where, category, first if model == second else second),
        )
        duel.add(path, row.where, own, model, question)
    return Collected(
        tuple(
            Judged(
                model,
                question,
                duel.category,
                duel.baseline,
                duel.games(model, question),
                duel.where,
            )
            for (model, question), duel in duels.items()
        ),
        tuple(between),
    )


class _Duel:
    """The rows of one model and question."""

    def __init__(self, path: Path, where: str, category: str, baseline: str) -> None:
        self.where, self.category, self.baseline = where, category, baseline
        self._path = path
        self._points: Counter[float] = Counter()

    def add(self, path: Path, where: str, points: float, model: str, question: str) -> None:
        if path != self._path:
            raise UserError(
                f"{where}: {model}, question {question} is already in {self._path}; "
                "give each verdict once"
            )
        self._points[points] += 1

    def games(self, model: str, question: str) -> tuple[Grade | None, Grade | None]:
        """The one way in which the rows can come from two games."""
        left, found = Counter(self._points), []
        rows = left.total()
        # One or two rows are that many weak verdicts; 3, 4 or 6 hold strong ones.
        for _ in range({1: 0, 2: 0, 3: 1, 4: 1, 6: 2}.get(rows, 0)):
            winner = next((p for p in (1.0, 0.0) if left[p] >= STRONG), None)
            if winner is None:
                break
            left[winner] -= STRONG
            found.append(Grade(winner, True))
        found += [Grade(points, False) for points in sorted(left.elements())]
        if len(found) > 2:
            raise UserError(
                f"{self.where}: {model}, question {question} has {rows} rows that cannot come from "
                "two games (a weak verdict makes 1 row, a strong one 3 equal ones); is the "
                "question there twice?"
            )
        return (found[0], found[1] if len(found) > 1 else None)


def _points(row: Row) -> float:
    winner = row.text("winner").strip()
    if winner not in _POINTS_OF_A:
        raise UserError(
            f"{row.where}: winner '{winner}' is none of model_a, model_b, tie, tie (bothbad)"
        )
    return _POINTS_OF_A[winner]


def _anchors(
    rows: Sequence[tuple[Path, Row]], version: Version, baseline: str | None
) -> frozenset[str]:
    """The baselines that are to be looked for."""
    players = {row.text(side) for _, row in rows for side in ("model_a", "model_b")}
    wanted = (
        {baseline}
        if baseline is not None
        else {category.baseline for category in version.categories.values()}
    )
    present = wanted & players
    if not present:
        raise UserError(
            f"{rows[0][0]}: no battle against {' or '.join(sorted(wanted))}, the baseline of "
            f"{version.benchmark}; give --baseline NAME where it was another one"
        )
    return frozenset(present)
