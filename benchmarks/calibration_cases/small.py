"""Few prompts, and win rates near 0."""

from collections.abc import Iterator

import numpy as np

from calibration_cases.case import OURS, USUAL, Case, Ends, ends, normal
from evaluation.statistics import mean_interval

USUAL_RULE = "mean -+ 1.96 standard errors over rows"


def cases() -> Iterator[Case]:
    for prompts, rate in ((20, 0.5), (20, 0.2)):
        yield _two_orders(prompts, rate)
    for prompts in (805, 200, 80, 20):
        yield _continuous(prompts)
    for prompts in (805, 20):
        yield _binary(prompts)


def _two_orders(prompts: int, rate: float) -> Case:
    """Both orders of every prompt, win or loss."""

    def draw(random: np.random.Generator) -> dict[str, Ends]:
        own = random.beta(2 * rate, 2 * (1 - rate), size=prompts)
        wins = (random.random((prompts, 2)) < own[:, None]).astype(float).ravel()
        index = np.repeat(np.arange(prompts), 2).tolist()
        return {OURS: ends(mean_interval(wins, index, bounds=(0.0, 1.0))), USUAL: normal(wins)}

    name = f"{prompts} prompts in two orders, {100 * rate:.0f} %"
    return Case(name, USUAL_RULE, rate, draw)


def _continuous(prompts: int) -> Case:
    """A judge that scores: nearly always near 0, seldom near 1."""

    def draw(random: np.random.Generator) -> dict[str, Ends]:
        values = random.beta(0.05, 0.05 * 97 / 3, size=prompts)
        return {OURS: ends(mean_interval(values, bounds=(0.0, 1.0))), USUAL: normal(values)}

    return Case(f"{prompts} prompts, 3 %, probabilities", USUAL_RULE, 0.03, draw)


def _binary(prompts: int) -> Case:
    def draw(random: np.random.Generator) -> dict[str, Ends]:
        values = (random.random(prompts) < 0.03).astype(float)
        return {OURS: ends(mean_interval(values, bounds=(0.0, 1.0))), USUAL: normal(values)}

    return Case(f"{prompts} prompts, 3 %, won or lost", USUAL_RULE, 0.03, draw)
