"""MT-Bench: 80 questions of two turns, grades from 1 to 10."""

from collections.abc import Iterator

import numpy as np

from calibration_cases.case import OURS, USUAL, Case, Ends, ends, normal
from evaluation.statistics import mean_interval, paired_difference

QUESTIONS = 80


def simulate(random: np.random.Generator, questions: int, models: int) -> np.ndarray:
    """(models, questions, 2) grades; a question is hard for both turns, and for all models."""
    hard = 1.3 * random.normal(size=questions)[:, None]
    own = 1.0 * random.normal(size=(models, questions))[:, :, None]
    turns = 1.4 * random.normal(size=(models, questions, 2))
    return np.clip(np.rint(7.4 + np.array([0.0, -0.6]) + hard + own + turns), 1, 10)


def cases() -> Iterator[Case]:
    for questions in (QUESTIONS, 20):
        yield _score(questions)
    yield _difference()


def _score(questions: int) -> Case:
    truth = float(simulate(np.random.default_rng(1), 2_000_000, 1).mean())

    def draw(random: np.random.Generator) -> dict[str, Ends]:
        grades = simulate(random, questions, 1)[0]
        index = np.repeat(np.arange(questions), 2).tolist()
        ours = mean_interval(grades.ravel(), index, bounds=(1.0, 10.0))
        return {OURS: ends(ours), USUAL: normal(grades.ravel())}

    return Case(f"MT-Bench score, {questions} questions", "rows as independent", truth, draw)


def _difference() -> Case:
    def draw(random: np.random.Generator) -> dict[str, Ends]:
        first, second = simulate(random, QUESTIONS, 2).reshape(2, -1)
        index = np.repeat(np.arange(QUESTIONS), 2).tolist()
        ours = paired_difference(first, second, index, bounds=(1.0, 10.0))
        return {OURS: ends(ours), USUAL: normal(first - second)}

    name = f"MT-Bench, difference of two models, {QUESTIONS} questions"
    return Case(name, "pairs of rows as independent", 0.0, draw)
