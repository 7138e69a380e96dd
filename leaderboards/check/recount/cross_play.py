"""Cross-play of an evaluation, from ``verdicts.jsonl`` and ``crossplay-wins.parquet``."""

import math
from collections.abc import Iterator

import numpy as np

from evaluation.pool.asking import check_opponents
from evaluation.pool.measuring import Measured
from evaluation.pool.report import comparisons, model_scores
from evaluation.pool.standings import pool_standings
from evaluation.pool.wins_file import WINS, PromptWins
from evaluation.rows import read_rows
from evaluation.scores import Scores
from evaluation.winmatrix import WinMatrix
from leaderboards.check.numbers import same
from leaderboards.check.recount.evaluation_run import Told
from leaderboards.check.recount.wins import read_file
from mnpo.errors import UserError

#: (question, first, second) -> mean win rate of the first; NaN where a verdict is missing.
_Meetings = dict[tuple[str, str, str], float]


def score(told: Told) -> Scores:
    """All figures of the pool by the verdicts.

    Two answers of the same text tie without a verdict: these ties are taken from the file of win
    rates.

    Raises:
        UserError: a file is missing or broken.
    """
    found = _wins(told)
    names = tuple(told.models)
    wins = _in_order(found.wins, names)
    for (question, first, second), rate in _meetings(told).items():
        place = found.prompts.index(question) if question in found.prompts else None
        if place is None or first not in names or second not in names:
            raise UserError(f"{told.folder}: a verdict on {question}, which {WINS} does not have")
        i, j = names.index(first), names.index(second)
        wins[place, i, j], wins[place, j, i] = rate, 1 - rate
    matrix = WinMatrix(names, wins)
    opponents = told.settings.cross_play.opponents
    shares = check_opponents(dict.fromkeys(names, 1.0) if opponents is None else opponents, names)
    return Scores(
        told.benchmark,
        told.judge,
        model_scores(
            Measured(matrix, dict.fromkeys(names, ()), (), 0),
            pool_standings(matrix, seed=told.settings.answers.seed),
            shares,
            {},
        ),
        comparisons(matrix, shares),
    )


def wins_problems(told: Told) -> Iterator[str]:
    """Win rates of single questions, from which pools are rated, that are not the verdicts'.

    Raises:
        UserError: a file is missing or broken.
    """
    found = _wins(told)
    names = found.wins.names
    asked = _meetings(told)
    for question, wins in zip(found.prompts, found.wins.wins, strict=True):
        for i, first in enumerate(names):
            for j, second in enumerate(names[i + 1 :], i + 1):
                key = (question, first, second)
                rate = asked.get(key, 1 - asked.get((question, second, first), math.nan))
                known = key in asked or (question, second, first) in asked
                if not known and not math.isnan(wins[i, j]):
                    rate = 0.5  # the same text twice, about which nobody is asked
                for stored, expected in ((wins[i, j], rate), (wins[j, i], 1 - rate)):
                    if not same(float(stored), float(expected)):
                        yield (
                            f"{WINS}, question {question}, {first} and {second}: {stored!r}, and "
                            f"{expected!r} by the verdicts"
                        )


def _wins(told: Told) -> PromptWins:
    found = read_file(told.folder / WINS)
    if told.judge not in found or set(found[told.judge].wins.names) != set(told.models):
        raise UserError(f"{told.folder / WINS}: is of another judge or of other models")
    return found[told.judge]


def _in_order(wins: WinMatrix, names: tuple[str, ...]) -> np.ndarray:
    order = [wins.names.index(name) for name in names]
    return wins.wins[:, order][:, :, order].copy()


def _meetings(told: Told) -> _Meetings:
    values: dict[tuple[str, str, str], list[float]] = {}
    for row in read_rows(told.folder / "verdicts.jsonl"):
        key = (row.text("question_id"), row.text("first"), row.text("second"))
        value = row.values.get("preference_for_shown_first")
        if value is None:
            points = math.nan
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise UserError(f"{row.where}: the preference is no probability")
        else:
            points = float(value) if row.text("order") == "AB" else 1 - value
        values.setdefault(key, []).append(points)
    return {key: float(np.mean(own)) for key, own in values.items()}
