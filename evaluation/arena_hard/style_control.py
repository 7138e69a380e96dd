"""Style-controlled scores of a table: the official figure and interval, and a calibrated one."""

from dataclasses import dataclass

import numpy as np

from evaluation.arena_hard.style import FEATURES, differences_v01, differences_v20
from evaluation.arena_hard.style_model import (
    StyleFit,
    fit_style,
    ridge_v01,
    sigmoid,
    standardised,
)
from evaluation.arena_hard.table import POINTS, Array, Table
from evaluation.arena_hard.versions import ROUNDS
from evaluation.scores import Official
from evaluation.statistics import Interval
from mnpo.errors import UserError

#: Draws of whole questions behind the calibrated interval.
REPLICATES = 1000

#: Questions that differ by no more than rounding say nothing of how much they could: percent.
NO_VARIATION = 1e-9


class NoEstimate(UserError):
    """The likelihood has no maximum."""


@dataclass(frozen=True, eq=False)
class StyleControlled:
    """What style control says of one table.

    Attributes:
        scores: by model, percent, clustered by question.
        official: by model, as the official code has it.
        effects: of a standard deviation of each feature, in log-odds.
        draws: (replicates, M) percent, the models' scores on the same drawn questions; None where
            some draw had no fit.
    """

    scores: dict[str, Interval]
    official: dict[str, Official]
    effects: dict[str, float]
    draws: Array | None


def style_controlled(
    table: Table, model: Array, baseline: Array, *, version: str, seed: int, level: float = 0.95
) -> StyleControlled:
    """Fit the style model of a version.

    Args:
        table: verdicts; battles between models are left out.
        model: (M, Q, 4) style counts of the models' answers; anything where there is no battle.
        baseline: (Q, 4) of the baseline's.
        version: "v0.1" or "v2.0".
        seed: of both bootstraps.
        level: of the calibrated interval.

    Raises:
        NoEstimate: the styles tell wins from losses without an error, so there is no estimate.
    """
    old = version == "v0.1"
    weights = table.battles.sum(axis=2)
    played = (weights > 0)[:, :, None]
    differences = (differences_v01 if old else differences_v20)(
        np.where(played, model, 0.0), baseline[None]
    )
    z = standardised(differences, weights, sample=not old)
    penalty = ridge_v01(len(table.models)) if old else None
    whole = fit_style(weights, table.battles @ POINTS, z, penalty)
    if not whole.converged:
        raise NoEstimate(
            f"{table.category}: style control has no estimate; the answers' styles tell wins from "
            "losses without an error (too few verdicts?)"
        )
    rounds = _official_rounds(table, z, penalty, whole, seed)
    draws = _question_draws(table, z, penalty, whole, seed)
    scores = {}
    for i, name in enumerate(table.models):
        low = high = None
        clusters = int((weights[i] > 0).sum())
        if draws is not None and clusters > 1 and np.ptp(draws[:, i]) > NO_VARIATION:
            low, high = np.quantile(draws[:, i], [0.5 - level / 2, 0.5 + level / 2]).tolist()
        value = float(100 * whole.win_rates[i])
        scores[name] = Interval(value, low, high, int(weights[i].sum()), clusters)
    return StyleControlled(
        scores,
        {
            name: _official(rounds[:, i], float(whole.win_rates[i]), old, seed)
            for i, name in enumerate(table.models)
        },
        dict(zip(FEATURES, map(float, whole.effects), strict=True)),
        draws,
    )


def _official_rounds(
    table: Table, z: Array, penalty: Array | None, whole: StyleFit, seed: int
) -> Array:
    """(ROUNDS, M) strengths after drawing battles, as one urn; the scaling stays as it was."""
    rng = np.random.default_rng(seed)
    kinds = table.battles.ravel()
    total = int(kinds.sum())
    found = np.empty((ROUNDS, len(table.models)))
    for i in range(ROUNDS):
        drawn = rng.multinomial(total, kinds / total).reshape(table.battles.shape)
        found[i] = fit_style(drawn.sum(axis=2), drawn @ POINTS, z, penalty, whole).strengths
    return found


def _question_draws(
    table: Table, z: Array, penalty: Array | None, whole: StyleFit, seed: int
) -> Array | None:
    """(REPLICATES, M) percent; each draw of questions is fitted and centred anew."""
    rng = np.random.default_rng(seed)
    size = len(table.questions)
    weights, won = table.battles.sum(axis=2), table.battles @ POINTS
    found = np.empty((REPLICATES, len(table.models)))
    for i in range(REPLICATES):
        times = np.bincount(rng.integers(size, size=size), minlength=size)
        drawn = weights * times
        fitted = fit_style(drawn, won * times, z, penalty, whole)
        if not fitted.converged or not drawn.sum(axis=1).all():
            return None
        centre = np.einsum("mq,mqk->k", drawn, z) / drawn.sum()
        found[i] = 100 * sigmoid(fitted.strengths + fitted.effects @ centre)
    return found


def _official(strengths: Array, value: float, old: bool, seed: int) -> Official:
    """v0.1 prints the fit of everything, v2.0 the median of the rounds."""
    if old:  # its percentiles are of ratings, which are strengths in another unit
        # Ends at infinity cannot be interpolated between; the win rate is 0 or 1 there anyway.
        low, high = 100 * sigmoid(np.percentile(np.clip(strengths, -500.0, 500.0), [2.5, 97.5]))
        rule = f"fit with ridge; 2.5 and 97.5 percentiles of {ROUNDS} bootstraps over battles"
        return Official(100 * value, float(low), float(high), f"{rule}, seed {seed}")
    low, middle, high = np.percentile(100 * sigmoid(strengths), [5.0, 50.0, 95.0])
    rule = f"median, 5 and 95 percentiles of {ROUNDS} bootstraps over battles, seed {seed}"
    return Official(float(middle), float(low), float(high), rule)
