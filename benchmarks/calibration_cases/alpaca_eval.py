"""AlpacaEval 2: preferences that are nearly 0 or 1, lengths, difficulties, the refitted GLM."""

from collections.abc import Iterator

import numpy as np

from calibration_cases.case import NORMAL, OURS, USUAL, Case, Ends, ends, normal
from evaluation.alpaca_eval.length_control import Gamed, Rows, controlled, fit
from evaluation.statistics import (
    mean_interval,
    paired_difference,
    weighted_bootstrap_interval,
)

PROMPTS = 805
#: Of the penalty; the metric chooses it by cross-validation, here it stays as it is.
C = 1.0
DRAWS = 300
HUGE = 400_000


def simulate(
    random: np.random.Generator, prompts: int, quality: float, models: int = 1
) -> tuple[np.ndarray, Rows]:
    """(models, prompts) preferences, and the first model's rows.

    The log-odds of a preference are quality + difficulty + a liking for length + what the prompt
    does to all models + what it does to one.
    """
    difficulty = random.normal(size=prompts)
    shared = 2.0 * random.normal(size=prompts)
    delta = 250.0 + 150.0 * difficulty + 700.0 * random.standard_t(5, size=(models, prompts))
    odds = quality + 2.2 * difficulty - 0.8 * np.tanh(delta / 900.0) + shared
    preference = 1 / (1 + np.exp(-(odds + 3.5 * random.normal(size=(models, prompts)))))
    return preference, Rows(preference[0], delta[0], difficulty)


def regulariser() -> Gamed:
    """A baseline's rewrites, longer and shorter: part of the metric, the same in all data sets."""
    random = np.random.default_rng(805)
    difficulty = random.normal(size=PROMPTS)
    longer = np.tanh(-1.2 + 0.7 * random.normal(size=PROMPTS))
    shorter = np.tanh(1.2 + 0.7 * random.normal(size=PROMPTS))
    liked = 1 / (1 + np.exp(-(-0.6 * np.r_[longer, shorter] + 0.3 * np.r_[difficulty, difficulty])))
    return Gamed(np.r_[longer, shorter], np.r_[difficulty, difficulty], liked, difficulty)


def cases() -> Iterator[Case]:
    for label, quality in (("middling", -0.3), ("weak", -4.0)):
        yield _win_rate(label, quality)
        yield _length_controlled(label, quality)
    yield _difference()


def _win_rate(label: str, quality: float) -> Case:
    big, _ = simulate(np.random.default_rng(1), 5 * HUGE, quality)
    truth = float(big.mean())

    def draw(random: np.random.Generator) -> dict[str, Ends]:
        preference = simulate(random, PROMPTS, quality)[0][0]
        ours = mean_interval(preference, bounds=(0.0, 1.0))
        return {OURS: ends(ours), USUAL: normal(preference)}

    name = f"AlpacaEval win rate, {label} model ({100 * truth:.0f} %)"
    return Case(name, "official standard error", truth, draw)


def _length_controlled(label: str, quality: float) -> Case:
    gamed = regulariser()
    _, big = simulate(np.random.default_rng(2), HUGE, quality)
    # The penalty and the regulariser weigh against 805 rows: so must the whole population.
    weights = np.full((1, HUGE), PROMPTS / HUGE)
    truth = float(controlled(fit(big, gamed, C, weights), big, weights)[0])

    def draw(random: np.random.Generator) -> dict[str, Ends]:
        _, rows = simulate(random, PROMPTS, quality)
        ours = weighted_bootstrap_interval(
            lambda times: controlled(fit(rows, gamed, C, times), rows, times),
            range(PROMPTS),
            seed=int(random.integers(2**31)),
            replicates=DRAWS,
            at_once=64,
        )
        weights = fit(rows, gamed, C)[0]
        predicted = 100 / (1 + np.exp(-(weights[1] * rows.difficulty + weights[2])))
        half = NORMAL * predicted.std(ddof=1) / np.sqrt(PROMPTS)
        return {OURS: ends(ours), USUAL: (ours.value - half, ours.value + half)}

    name = f"AlpacaEval LC win rate, {label} model ({truth:.0f} %)"
    return Case(name, "official lc_standard_error", truth, draw, share=0.25)


def _difference() -> Case:
    def draw(random: np.random.Generator) -> dict[str, Ends]:
        first, second = simulate(random, PROMPTS, -0.3, models=2)[0]
        ours = paired_difference(first, second, bounds=(0.0, 1.0))
        half = NORMAL * np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / PROMPTS)
        return {OURS: ends(ours), USUAL: (ours.value - half, ours.value + half)}

    name = "difference of two models on the same 805 prompts"
    return Case(name, "standard errors added as if independent", 0.0, draw)
