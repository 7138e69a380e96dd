"""From samples to scores: official figures, calibrated intervals, comparisons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.alpaca_eval.comparing import compare_controlled, compare_win_rates
from evaluation.alpaca_eval.controlling import Controlled, Draws, control, described, draw
from evaluation.alpaca_eval.glm_files import GlmFiles, published, read_difficulty, read_weights
from evaluation.alpaca_eval.length_control import Gamed, read_gamed
from evaluation.alpaca_eval.many import Each, one_by_one
from evaluation.alpaca_eval.package import extreme, official_fit
from evaluation.alpaca_eval.reference import Reference
from evaluation.alpaca_eval.sample import Sample
from evaluation.scores import ModelScore, Official, Scores
from evaluation.statistics import Array, Interval, mean_interval

NAME = "alpaca-eval-2"
WIN, CONTROLLED, DISCRETE = "win_rate", "length_controlled_win_rate", "discrete_win_rate"
BY_TRUE_INDEX, FROM_PUBLISHED = f"{CONTROLLED}/true_index", f"{CONTROLLED}/published_weights"
#: The baseline that the length-controlled model was made for.
BASELINE = "gpt4_1106_preview"
REPLICATES = 1000


@dataclass(frozen=True, eq=False)
class Data:
    """What all models are scored with.

    Attributes:
        reference: the instructions.
        glm: files of the length-controlled model.
        gamed: its regulariser; None: no length control, and why.
        why_not: the reason.
        difficulty, weights: for published weights; empty where there are none.
    """

    reference: Reference
    glm: GlmFiles
    gamed: Gamed | None
    why_not: str = ""
    difficulty: Array | None = None
    weights: Mapping[str, Array] = field(default_factory=dict)


def load(reference: Reference, glm: GlmFiles) -> Data:
    """Read the length-controlled model's files.

    Raises:
        UserError: one is not what it should be.
    """
    gamed, why_not = None, "df_gamed.csv was not found (--glm DIR, or 'mnpo-bench data')"
    if glm.df_gamed is not None:
        gamed = read_gamed(glm.df_gamed)
        if len(gamed.by_instruction) != reference.total:
            why_not = (
                f"df_gamed.csv is of {len(gamed.by_instruction)} instructions, the reference has "
                f"{reference.total}"
            )
            gamed = None
    difficulty = None if glm.difficulty is None else read_difficulty(glm.difficulty)
    weights = {} if glm.weights is None else read_weights(glm.weights)
    return Data(reference, glm, gamed, why_not, difficulty, weights)


def score_samples(
    samples: Sequence[Sample],
    data: Data,
    *,
    judge: str,
    seed: int = 0,
    replicates: int = REPLICATES,
    hashes: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    each: Each = one_by_one,
) -> Scores:
    """The benchmark's figures for several models.

    Args:
        samples: of each model, complete or allowed not to be.
        data: instructions and length-controlled model.
        judge: whose preferences.
        seed: of the bootstrap.
        replicates: draws of the bootstrap.
        hashes: of files and templates, by role.
        settings: of the judge.
        notes: about the whole.
        each: how models are gone through.
    """
    places = np.array([own.index for own in data.reference.prompts], dtype=np.int64)
    found = each(partial(_model, data, places, seed, replicates), samples)
    fits = {own.model: fit for own, (_, fit) in zip(samples, found, strict=True)}
    controlled = {model: fit for model, fit in fits.items() if fit is not None}
    # Never of a figure by position and one that is not: their difference would be the positions'.
    replayed = any(BY_TRUE_INDEX in score.metrics for score, _ in found)
    comparisons = (
        compare_controlled(BY_TRUE_INDEX if replayed else CONTROLLED, samples, controlled)
        if len(controlled) == len(samples)
        else compare_win_rates(WIN, samples, places)
    )
    return Scores(
        NAME,
        judge,
        tuple(score for score, _ in found),
        comparisons,
        {**(hashes or {}), **data.glm.hashes()},
        {
            **(settings or {}),
            "interval": "95 %, bootstrap of instructions (BCa), length-controlled model refitted "
            "on each draw at the chosen C",
            "replicates": replicates,
            "seed": seed,
        },
        (*_notes(data, samples, controls=bool(controlled)), *notes),
    )


#: The same for every model; each process draws once.
_drawn = lru_cache(maxsize=1)(draw)


def _model(
    data: Data, places: NDArray[np.int64], seed: int, replicates: int, sample: Sample
) -> tuple[ModelScore, Controlled | None]:
    p = (sample.preference - 1)[sample.judged]
    discrete = np.where(p == 0.5, 0.5, np.round(p))
    # Differences and sums in the package's order: the mean of preferences minus one.
    metrics = {WIN: _percent(p), DISCRETE: _percent(discrete)}
    official = {
        WIN: Official(100 * float(p.mean()), None, None, _rule("mean preference", _error(p))),
        DISCRETE: Official(
            100 * float(discrete.mean()),
            None,
            None,
            _rule("preferences rounded, draws as half a win", _error(discrete)),
        ),
    }
    details: dict[str, Any] = {
        "draws": int((p == 0.5).sum()),
        "wins": int((p > 0.5).sum()),
        "losses": int((p < 0.5).sum()),
        "average_length": sample.average_length,
        "official_standard_error": {WIN: _error(p)},
        **sample.details,
    }
    flags = list(sample.flags)
    draws = _drawn(len(places), seed, replicates) if data.gamed is not None else None
    fit, reason = _controlled(sample, data, places, draws, metrics, official, details, flags)
    if fit is None:
        details["length_control"] = {"why_not": reason}
    if CONTROLLED not in metrics:
        flags.append(f"no length-controlled win rate, the score is the plain one: {reason}")
    if data.difficulty is not None and sample.model in data.weights:
        official[FROM_PUBLISHED] = Official(
            published(data.weights[sample.model], data.difficulty),
            None,
            None,
            "published weights of the length-controlled model, over all instructions",
        )
    headline = CONTROLLED if CONTROLLED in metrics else WIN
    score = ModelScore(
        sample.model,
        headline,
        {headline: metrics[headline], **metrics},
        sample.scored,
        sample.missing,
        official,
        tuple(flags),
        details,
    )
    return score, fit


def _controlled(
    sample: Sample,
    data: Data,
    places: NDArray[np.int64],
    draws: Draws | None,
    metrics: dict[str, Interval],
    official: dict[str, Official],
    details: dict[str, Any],
    flags: list[str],
) -> tuple[Controlled | None, str]:
    """Add what length control finds; the fit by each row's own instruction, or why there is none.

    The official code looks up difficulties by a row's position. That figure is the official one,
    and ours only where the rows are an official run's.
    """
    if sample.model == data.reference.generator:
        metrics[CONTROLLED] = Interval(50.0, None, None, sample.scored, sample.scored)
        return None, "it is the baseline itself: 50 by definition"
    if data.gamed is None or data.glm.df_gamed is None or draws is None:
        return None, data.why_not
    if sample.lengths is None:
        return None, "the model's outputs are not known (--outputs)"
    path, gamed = data.glm.df_gamed, data.gamed
    own = control(sample, places, path, gamed, draws, by_position=False)
    if own is None:
        return None, "lengths do not vary"
    shown = own
    printed = own.fit
    if sample.shifted and sample.replay:
        replayed = control(sample, places, path, gamed, draws, by_position=True)
        assert replayed is not None  # positions do not change lengths
        shown, printed = replayed, replayed.fit
        metrics[BY_TRUE_INDEX] = own.interval
        details["length_control_by_true_index"] = own.describe()
    elif sample.shifted:
        printed = official_fit(sample.preference, sample.lengths[:, 0], sample.lengths[:, 1], path)
        details["length_control_by_position"] = described(printed)
    metrics[CONTROLLED] = shown.interval
    official[CONTROLLED] = Official(
        printed.value,
        None,
        None,
        _rule(
            f"alpaca-eval's length_controlled_v1, C = {printed.C:.4g} by cross-validation"
            + (", difficulties by a row's position" if sample.shifted else ""),
            printed.standard_error,
        ),
    )
    details["official_standard_error"][CONTROLLED] = printed.standard_error
    details["length_control"] = shown.describe() | {
        "regulariser": "official" if data.glm.official else "reconstructed"
    }
    if sample.shifted and len(sample.index) < sample.expected:
        flags.append(_shift(sample, printed.value, own.interval.value))
    if extreme(metrics[WIN].value, shown.interval.value):
        flags.append(
            f"length control changes the win rate from {metrics[WIN].value:.1f} to "
            f"{shown.interval.value:.1f}; the official code warns of a failed fit at such a change"
        )
    return own, ""


def _shift(sample: Sample, position: float, instruction: float) -> str:
    said = (
        "rows are absent, and the official code looks up difficulties by a row's position: "
        f"{position:.2f} so, {instruction:.2f} by each row's own instruction"
    )
    if sample.replay:
        return (
            f"{said} ({BY_TRUE_INDEX}). The file numbers its rows without a gap, as a finished "
            f"official run does: {CONTROLLED} is that run's figure, and differences between "
            "models are of the other"
        )
    return f"{said}. {CONTROLLED} is the latter; the former stands under official"


def _notes(data: Data, samples: Sequence[Sample], *, controls: bool) -> list[str]:
    notes = []
    missing = [own for own in samples if own.missing]
    if missing:
        notes.append(
            "scored with rows missing: "
            + ", ".join(f"{own.model} {own.missing} of {own.expected}" for own in missing[:5])
            + (f", and {len(missing) - 5} more models" if len(missing) > 5 else "")
        )
    if data.gamed is None:
        notes.append(f"no length-controlled win rate: {data.why_not}")
        return notes
    if controls:
        notes += _length_control(data)
    if len(data.reference.prompts) < data.reference.total:
        notes.append(
            f"{len(data.reference.prompts)} of {data.reference.total} instructions: not comparable "
            "with the leaderboard"
        )
    return notes


def _length_control(data: Data) -> list[str]:
    notes = [f"length control with the files of {data.glm.source}"]
    if not data.glm.official:
        notes.append(
            "length control reconstructed: df_gamed.csv is not the official file, so that "
            "cross-validation may choose another C than the leaderboard's; details say how far "
            "the figure moves over C"
        )
    if data.reference.generator != BASELINE:
        notes.append(
            f"length control was made for the baseline {BASELINE}, not "
            f"{data.reference.generator}: not comparable with the leaderboard"
        )
    return notes


def _percent(p: Array) -> Interval:
    return mean_interval(100 * p, bounds=(0.0, 100.0))


def _error(p: Array) -> float | None:
    """Standard error as the package has it, in points."""
    return 100 * float(p.std(ddof=1)) / float(np.sqrt(len(p))) if len(p) > 1 else None


def _rule(what: str, error: float | None) -> str:
    return what if error is None else f"{what}; standard error {error:.4g}"
