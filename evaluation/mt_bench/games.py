"""Comparisons of two answers, read from FastChat's ``JUDGE_pair.jsonl`` and files like it."""

from collections.abc import Iterable
from dataclasses import dataclass

from evaluation.mt_bench.fields import (
    Stored,
    check_stored,
    judge_of,
    name_of,
    turn_of,
    without_copies,
)
from evaluation.mt_bench.questions import identity
from evaluation.mt_bench.rating import verdict_in
from evaluation.rows import Row
from mnpo.errors import UserError

FIRST, SECOND, TIE, ERROR = "model_1", "model_2", "tie", "error"
#: What a verdict means in the first game (model_1 is shown first) and in the second.
_MEANING = (
    {"A": FIRST, "B": SECOND, "C": TIE, None: ERROR},
    {"A": SECOND, "B": FIRST, "C": TIE, None: ERROR},
)


@dataclass(frozen=True)
class Match:
    """Two games about the same two answers, one in each order.

    Attributes:
        first, second: the models.
        question: its id.
        turn: 1 or 2.
        judge: the judge's name.
        template: what it was asked with, "" where that is not known.
        winners: of the game that shows ``first`` first, and of the other one: "model_1",
            "model_2", "tie", or None where the judge gave no verdict.
    """

    first: str
    second: str
    question: str
    turn: int
    judge: str
    template: str
    winners: tuple[str | None, str | None]

    @property
    def cell(self) -> tuple[str, int]:
        """Question and turn."""
        return self.question, self.turn

    @property
    def points(self) -> float | None:
        """Of the first model: 1, 0, or 1/2 for a tie; None where a verdict is missing.

        FastChat's rule: it is a tie where the first game is one, or where the games disagree.
        """
        one, other = self.winners
        if one is None or other is None:
            return None
        if one != other or one == TIE:
            return 0.5
        return 1.0 if one == FIRST else 0.0


def meaning(verdict: str | None, game: int) -> str:
    """Who won: "model_1", "model_2", "tie", or "error" for no verdict.

    Args:
        verdict: A, B or C.
        game: 0 where model_1 is shown first, 1 where it is shown second.
    """
    return _MEANING[game][verdict]


def read_matches(
    rows: Iterable[Row], *, reread: bool = False, allow_copies: bool = False
) -> tuple[tuple[Match, ...], dict[str, tuple[str, ...]]]:
    """Matches, their winners read again from the judge's texts where those are there.

    Args:
        rows: of the files.
        reread: take what the texts say where the stored winners say something else.
        allow_copies: count rows once that repeat an earlier one in every field.

    Returns:
        the matches, and warnings about copied rows, by model_1.

    Raises:
        UserError: a field that is absent or impossible, a winner that the text contradicts, or a
            copied row.
    """
    kept = without_copies(rows, allow_copies, lambda row: name_of(row, "model_1"), "model_2")
    stored: list[Stored] = []
    found = []
    for row in kept.rows:
        first, second = name_of(row, "model_1"), name_of(row, "model_2")
        if first == second:
            raise UserError(f"{row.where}: {first} is compared with itself")
        judge, template = judge_of(row)
        winners = [_winner(row, game, stored, reread) for game in (0, 1)]
        found.append(
            Match(
                first,
                second,
                identity(row),
                turn_of(row),
                judge,
                template,
                (winners[0], winners[1]),
            )
        )
    if not reread:
        check_stored(stored)
    if not found:
        raise UserError("the judgement files hold no rows")
    return tuple(found), kept.flags()


def _winner(row: Row, game: int, stored: list[Stored], reread: bool) -> str | None:
    field = f"g{game + 1}_winner"
    value = row.text(field)
    if value not in (FIRST, SECOND, TIE, ERROR):
        raise UserError(
            f"{row.where}: {field} must be model_1, model_2, tie or error, got {value!r}"
        )
    judgment = f"g{game + 1}_judgment"
    if row.values.get(judgment) is not None:
        says = meaning(verdict_in(row.text(judgment)), game)
        stored.append(Stored(row.where, field, value, says))
        value = says if reread else value
    return None if value == ERROR else value
