"""MT-Bench's win rates from comparisons of two answers in both orders."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.mt_bench.comparisons import compare_models
from evaluation.mt_bench.completeness import (
    Cell,
    absent_cells,
    listed,
    only_judge,
    require_known,
    require_whole,
)
from evaluation.mt_bench.context import NOTHING, Context
from evaluation.mt_bench.games import FIRST, SECOND, TIE, Match
from evaluation.mt_bench.questions import OFFICIAL, QuestionSet
from evaluation.scores import Comparison, ModelScore, Official, Scores
from evaluation.statistics import Interval, mean_interval
from mnpo.errors import UserError, suggest

NAME = "mt-bench-pairwise"
WIN_RATE = "win_rate"
_PERCENT = (0.0, 100.0)
_RULE = "FastChat show_result.py, {}, in percent; rows with an error in either game left out"


@dataclass(frozen=True)
class _Side:
    """A match as one of its models sees it."""

    opponent: str
    question: str
    turn: int
    points: float | None


def score_matches(
    matches: Sequence[Match],
    questions: QuestionSet = OFFICIAL,
    *,
    baseline: str | None = None,
    judge: str | None = None,
    allow_missing: bool = False,
    context: Context = NOTHING,
) -> Scores:
    """Win rates in percent, a tie being half a win, against the baseline or all opponents.

    Both turns, all opponents and all repeats of a question are one cluster. A match with a game
    that has no verdict is missing and reported.

    Args:
        matches: in any order.
        questions: what should have been judged for each pair of models.
        baseline: count only matches against this model, and list the others only.
        judge: whose verdicts; None where there is only one judge.
        allow_missing: score although matches are missing.
        context: quoted with the figures.

    Raises:
        UserError: several judges, unknown questions, missing matches, no match against the
            baseline, or a model without any complete one.
    """
    who = only_judge((one.judge for one in matches), judge)
    played = [one for one in matches if one.judge == who]
    if baseline is not None:
        names = {name for one in played for name in (one.first, one.second)}
        if baseline not in names:
            raise UserError(f"no match is against '{baseline}'{suggest(baseline, names)}")
        played = [one for one in played if baseline in (one.first, one.second)]
    gaps = _gaps(played, questions, allow_missing)
    sides: dict[str, list[_Side]] = {}
    for one in played:
        points = one.points
        for name, opponent, own in (
            (one.first, one.second, points),
            (one.second, one.first, None if points is None else 1 - points),
        ):
            if name != baseline:
                sides.setdefault(name, []).append(_Side(opponent, one.question, one.turn, own))
    return Scores(
        benchmark=NAME,
        judge=who,
        models=tuple(
            _score_model(
                name,
                own,
                questions,
                sum(len(cells) for pair, cells in gaps.items() if name in pair),
                context.flags.get(name, ()),
            )
            for name, own in sides.items()
        ),
        comparisons=() if baseline is None else _compare(sides),
        hashes=context.hashes,
        settings={**context.settings, "baseline": baseline, "orders": _orders(played)},
        notes=context.notes,
    )


def _gaps(
    matches: Sequence[Match], questions: QuestionSet, allow_missing: bool
) -> dict[tuple[str, str], list[Cell]]:
    judged: dict[tuple[str, str], list[Cell]] = {}
    for one in matches:
        first, second = sorted((one.first, one.second))
        judged.setdefault((first, second), []).append(one.cell)
    gaps = {}
    for pair, cells in judged.items():
        require_known(cells, questions, " against ".join(pair))
        gaps[pair] = absent_cells(cells, questions)
    require_whole(
        {" against ".join(pair): cells for pair, cells in gaps.items()},
        len(questions.cells()),
        allow_missing,
        "matches",
    )
    return gaps


def _score_model(
    name: str,
    sides: Sequence[_Side],
    questions: QuestionSet,
    absent: int,
    flags: tuple[str, ...],
) -> ModelScore:
    known = [one for one in sides if one.points is not None]
    if not known:
        raise UserError(f"{name}: none of its {len(sides)} matches has a verdict in both orders")
    parts = {WIN_RATE: known}
    for turn in sorted({one.turn for one in known}):
        parts[f"{WIN_RATE}/turn-{turn}"] = [one for one in known if one.turn == turn]
    for category in dict.fromkeys(questions.categories.values()):
        own = [one for one in known if questions.categories.get(one.question) == category]
        if own:
            parts[f"{WIN_RATE}/{category}"] = own
    opponents = list(dict.fromkeys(one.opponent for one in known))
    if len(opponents) > 1:
        for opponent in opponents:
            against = [one for one in known if one.opponent == opponent]
            parts[f"{WIN_RATE}/against/{opponent}"] = against
    count = {points: sum(one.points == points for one in known) for points in (1.0, 0.0, 0.5)}
    metrics = {key: _mean(own) for key, own in parts.items()}
    undecided = [(one.question, one.turn) for one in sides if one.points is None]
    if undecided:
        flags = (
            *flags,
            f"{len(undecided)} of {len(sides)} matches lack a verdict and are left out, as "
            f"FastChat does: {listed(undecided)}",
        )
    if absent:
        flags = (*flags, f"{absent} matches were not judged")
    return ModelScore(
        model=name,
        headline=WIN_RATE,
        metrics=metrics,
        n=len(known),
        missing=len(undecided) + absent,
        official={
            WIN_RATE: _official(metrics[WIN_RATE].value, "win_rate_adjusted"),
            f"{WIN_RATE}/without-ties": _official(100 * count[1.0] / len(known), "win_rate"),
            "loss_rate": _official(100 * count[0.0] / len(known), "loss_rate"),
        },
        flags=flags,
        details={"wins": count[1.0], "losses": count[0.0], "ties": count[0.5]},
    )


def _mean(sides: Sequence[_Side]) -> Interval:
    values = [100 * one.points for one in sides if one.points is not None]
    return mean_interval(values, [one.question for one in sides], bounds=_PERCENT)


def _official(value: float, column: str) -> Official:
    return Official(value, None, None, _RULE.format(column))


def _compare(sides: dict[str, list[_Side]]) -> tuple[Comparison, ...]:
    """Models that met the same baseline."""
    values: dict[str, dict[Cell, float]] = {}
    for name, own in sides.items():
        cells: dict[Cell, list[float]] = {}
        for one in own:
            if one.points is not None:
                cells.setdefault((one.question, one.turn), []).append(100 * one.points)
        values[name] = {cell: sum(points) / len(points) for cell, points in cells.items()}
    return compare_models(values, WIN_RATE, _PERCENT)


def _orders(matches: Sequence[Match]) -> dict[str, int]:
    """How the two orders went together: what a judge's position bias would show in."""
    decided = [one.winners for one in matches if None not in one.winners]
    first_shown = sum((one == FIRST) + (other == SECOND) for one, other in decided)
    second_shown = sum((one == SECOND) + (other == FIRST) for one, other in decided)
    return {
        "matches": len(decided),
        "orders_agree": sum(one == other for one, other in decided),
        "wins_of_answer_shown_first": first_shown,
        "wins_of_answer_shown_second": second_shown,
        "ties_of_single_games": sum((one == TIE) + (other == TIE) for one, other in decided),
    }
