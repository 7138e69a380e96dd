"""Figures of the mini-benchmark from the points of every verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.compared import comparisons_of
from evaluation.gaps import ALLOW, Gap, by_reason, complaint
from evaluation.mini.questions import NAME
from evaluation.records import Question
from evaluation.scores import ModelScore, Scores
from evaluation.statistics import compare_all, mean_interval
from mnpo.errors import UserError

#: Which answer stands first: the model's in AB, the reference's in BA.
ORDERS = ("AB", "BA")
METRIC = "win_rate"
_PERCENT = (0.0, 100.0)


@dataclass(frozen=True)
class ModelPoints:
    """One model's verdicts.

    Attributes:
        model: its name.
        points: (questions, orders, repeats) of the model's own answer, in [0, 1]; NaN is missing.
        reasons: why, by question id, for those that are missing.
        details: to be kept with its score.
    """

    model: str
    points: NDArray[np.float64]
    reasons: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def score_points(
    questions: Sequence[Question],
    models: Sequence[ModelPoints],
    *,
    judge: str,
    allow_missing: bool,
    hashes: Mapping[str, str],
    settings: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> Scores:
    """Win rates in percent against the reference answers.

    A question counts once: the mean over both orders and all repeats. A question with any verdict
    missing is missing as a whole, for half of one would favour whom the order favours.

    Args:
        questions: that were asked.
        models: their verdicts.
        judge: whose.
        allow_missing: score the other questions.
        hashes: for the result.
        settings: likewise.
        notes: likewise.

    Raises:
        UserError: verdicts are missing, or a model has none at all.
    """
    wins = np.full((len(models), len(questions)), np.nan)
    scored = []
    for line, own in enumerate(models):
        wins[line] = 100 * own.points.mean(axis=(1, 2))  # NaN where any is
        present = ~np.isnan(wins[line])
        if not present.all() and not (allow_missing and present.any()):
            gap = _gap(own, questions, present)
            raise UserError(complaint([gap], advice=ALLOW if present.any() else ""))
        scored.append(_model(own, questions, wins[line], present))
    return Scores(
        benchmark=NAME,
        judge=judge,
        models=tuple(scored),
        comparisons=comparisons_of(
            METRIC, compare_all([own.model for own in models], wins, bounds=_PERCENT)
        ),
        hashes=hashes,
        settings=settings,
        notes=tuple(notes),
    )


def _model(
    own: ModelPoints,
    questions: Sequence[Question],
    wins: NDArray[np.float64],
    present: NDArray[np.bool_],
) -> ModelScore:
    metrics = {METRIC: mean_interval(wins[present], bounds=_PERCENT)}
    for category in dict.fromkeys(question.category for question in questions):
        members = np.array([question.category == category for question in questions]) & present
        if members.any():
            metrics[f"{METRIC}/{category}"] = mean_interval(wins[members], bounds=_PERCENT)
    return ModelScore(
        model=own.model,
        headline=METRIC,
        metrics=metrics,
        n=int(present.sum()),
        missing=int((~present).sum()),
        details={
            **position(own.points[present]),
            "wins": int((wins[present] > 50).sum()),
            "ties": int((wins[present] == 50).sum()),
            "losses": int((wins[present] < 50).sum()),
            "missing_because": {
                q.id: own.reasons.get(q.id, "no verdict")
                for q, is_there in zip(questions, present, strict=True)
                if not is_there
            },
            **own.details,
        },
    )


def position(points: NDArray[np.float64]) -> dict[str, float]:
    """How much the order in which answers are shown decides.

    Args:
        points: (questions, orders, repeats), without gaps.

    Returns:
        ``position_consistency``, the share of questions where both orders prefer the same side
        (or both neither), and ``first_shown``, the mean points of whatever stands first: 0.5 for a
        judge without a preference for a position.
    """
    by_order = points.mean(axis=2) - 0.5
    first, second = by_order[:, 0], by_order[:, 1]
    return {
        "position_consistency": float((np.sign(first) == np.sign(second)).mean()),
        "first_shown": float((first - second).mean() / 2 + 0.5),
    }


def _gap(own: ModelPoints, questions: Sequence[Question], present: NDArray[np.bool_]) -> Gap:
    gone = [q.id for q, is_there in zip(questions, present, strict=True) if not is_there]
    missing = by_reason((name, own.reasons.get(name, "no verdict")) for name in gone)
    return Gap(f"{NAME}, {own.model}", "scores", missing, len(questions))
