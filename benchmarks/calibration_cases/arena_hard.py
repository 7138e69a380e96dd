"""Arena-Hard: two orders a question, five verdicts, the strong ones three battles each."""

from collections.abc import Iterator

import numpy as np

from calibration_cases.case import OURS, USUAL, Case, Ends, ends
from evaluation.statistics import mean_interval

QUESTIONS, ROUNDS = 500, 100
#: Margins below the first are a tie, above the second a strong verdict.
TIE, STRONG = 0.25, 1.2


def simulate(
    random: np.random.Generator, questions: int, quality: float
) -> tuple[np.ndarray, np.ndarray]:
    """Points (0, 1/2, 1) and number of battles of each verdict, (questions, 2)."""
    margin = quality + 1.1 * random.normal(size=questions)[:, None] + np.array([0.2, -0.2])
    margin = margin + 1.0 * random.normal(size=(questions, 2))
    points = np.where(np.abs(margin) < TIE, 0.5, (margin > 0).astype(float))
    return points, np.where(np.abs(margin) > STRONG, 3, 1)


def cases() -> Iterator[Case]:
    for quality, questions in ((-1.0, QUESTIONS), (0.1, QUESTIONS), (-1.0, 40)):
        yield _case(quality, questions)


def _case(quality: float, questions: int) -> Case:
    points, times = simulate(np.random.default_rng(1), 2_000_000, quality)
    truth = float((points * times).sum() / times.sum())

    def draw(random: np.random.Generator) -> dict[str, Ends]:
        points, times = simulate(random, questions, quality)
        battles = np.repeat(points.ravel(), times.ravel())
        question = np.repeat(np.repeat(np.arange(questions), 2), times.ravel())
        ours = mean_interval(battles, question.tolist(), bounds=(0.0, 1.0))
        # Rows drawn with replacement: a multinomial over the three outcomes.
        shares = np.array([(battles == p).mean() for p in (0.0, 0.5, 1.0)])
        drawn = random.multinomial(len(battles), shares, size=ROUNDS) @ [0.0, 0.5, 1.0]
        low, high = np.percentile(drawn / len(battles), [2.5, 97.5])
        return {OURS: ends(ours), USUAL: (float(low), float(high))}

    name = f"Arena-Hard v0.1, {questions} questions ({100 * truth:.0f} %)"
    return Case(name, "official bootstrap over battles", truth, draw)
