"""How much of a score's uncertainty is the judge's: from answers that were judged repeatedly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.mt_bench.completeness import Cell


@dataclass(frozen=True)
class JudgeNoise:
    """The variance of repeated judging.

    Attributes:
        judgement: standard deviation of one rating of one answer around that answer's own mean,
            in points, pooled over answers.
        freedom: judgements behind it beyond one for each answer.
        score: standard error that this noise gives the mean of all ratings: another round of
            judging of the same answers would move the score by about sqrt(2) times this.
        score_judged_once: the same, had every answer been judged once.
        share: of the score's squared standard error over questions; None where that is 0.
    """

    judgement: float
    freedom: int
    score: float
    score_judged_once: float
    share: float | None

    def describe(self) -> dict[str, float | int | None]:
        """JSON-ready."""
        return {
            "sd_of_one_judgement": self.judgement,
            "degrees_of_freedom": self.freedom,
            "standard_error_of_score": self.score,
            "standard_error_of_score_judged_once": self.score_judged_once,
            "share_of_variance": self.share,
        }


def judge_noise(ratings: Mapping[Cell, Sequence[float]]) -> JudgeNoise | None:
    """The within-answer variance component, as in a one-way analysis of variance.

    With x_ck the k-th of r_c ratings of answer c and N ratings in all,
    s^2 = sum_c sum_k (x_ck - mean_c)^2 / sum_c (r_c - 1) estimates the judge's variance, s^2/N its
    part in the variance of the mean of all ratings. The total that it is a share of is the variance
    of the questions' means divided by their number; that holds the judge's part, for its noise
    differs between questions too.

    Args:
        ratings: of each question and turn.

    Returns:
        None where no answer was judged twice.
    """
    cells = {cell: np.asarray(own, dtype=np.float64) for cell, own in ratings.items() if len(own)}
    freedom = sum(len(own) - 1 for own in cells.values())
    if freedom < 1:
        return None
    total = sum(len(own) for own in cells.values())
    squares = sum(float(((own - own.mean()) ** 2).sum()) for own in cells.values())
    variance = squares / freedom
    questions: dict[str, list[float]] = {}
    for (question, _), own in cells.items():
        questions.setdefault(question, []).extend(own)
    means = [float(np.mean(own)) for own in questions.values()]
    whole = float(np.var(means, ddof=1)) / len(means) if len(means) > 1 else 0.0
    return JudgeNoise(
        judgement=variance**0.5,
        freedom=freedom,
        score=(variance / total) ** 0.5,
        score_judged_once=(variance / len(cells)) ** 0.5,
        share=min(1.0, variance / total / whole) if whole > 0 else None,
    )
