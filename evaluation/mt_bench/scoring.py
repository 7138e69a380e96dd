"""MT-Bench's scores from ratings of single answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

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
from evaluation.mt_bench.judgements import Judgement
from evaluation.mt_bench.noise import judge_noise
from evaluation.mt_bench.questions import OFFICIAL, REFERENCE_GUIDED, QuestionSet
from evaluation.mt_bench.rating import HIGHEST, LOWEST, in_range, ratings_in
from evaluation.scores import ModelScore, Official, Scores
from evaluation.statistics import Interval, mean_interval
from mnpo.errors import UserError

NAME = "mt-bench"
SCORE = "score"
_RULE = "FastChat show_result.py: mean of all judgements whose score is not -1"


def score_ratings(
    judgements: Sequence[Judgement],
    questions: QuestionSet = OFFICIAL,
    *,
    judge: str | None = None,
    allow_missing: bool = False,
    context: Context = NOTHING,
) -> Scores:
    """Mean ratings of every model, as a whole, by turn and by category.

    The headline is the official mean over all readable judgements. Its interval takes the question
    as the unit: both turns and all repeats of a question are one cluster. A judgement without a
    rating is missing and reported; a question or turn that was never judged is refused.

    Args:
        judgements: of all models, in any order.
        questions: what should have been judged.
        judge: whose judgements; None where there is only one judge.
        allow_missing: score models that lack judgements.
        context: quoted with the figures.

    Raises:
        UserError: several judges, unknown questions, missing judgements, or a model without any
            readable one.
    """
    who = only_judge((one.judge for one in judgements), judge)
    models: dict[str, list[Judgement]] = {}
    for one in judgements:
        if one.judge == who:
            models.setdefault(one.model, []).append(one)
    gaps = {}
    for model, own in models.items():
        require_known((one.cell for one in own), questions, model)
        gaps[model] = absent_cells([one.cell for one in own], questions)
    require_whole(gaps, len(questions.cells()), allow_missing)
    return Scores(
        benchmark=NAME,
        judge=who,
        models=tuple(
            _score_model(model, own, questions, gaps[model], context.flags.get(model, ()))
            for model, own in models.items()
        ),
        comparisons=compare_models(
            {model: _cell_means(_by_cell(own)) for model, own in models.items()},
            SCORE,
            _bounds([o.rating for own in models.values() for o in own if o.rating is not None]),
        ),
        hashes=context.hashes,
        settings=context.settings,
        notes=(*context.notes, *_template_notes(models, questions)),
    )


def _score_model(
    model: str,
    judgements: Sequence[Judgement],
    questions: QuestionSet,
    absent: Sequence[Cell],
    flags: tuple[str, ...],
) -> ModelScore:
    readable = [one for one in judgements if one.rating is not None]
    if not readable:
        raise UserError(f"{model}: none of its {len(judgements)} judgements holds a rating")
    parts = {SCORE: readable}
    for turn in sorted({one.turn for one in readable}):
        parts[f"{SCORE}/turn-{turn}"] = [one for one in readable if one.turn == turn]
    for category in dict.fromkeys(questions.categories.values()):
        own = [one for one in readable if questions.categories.get(one.question) == category]
        if own:
            parts[f"{SCORE}/{category}"] = own
    metrics = {name: _mean(own) for name, own in parts.items()}
    ratings = _by_cell(readable)
    repeats = Counter(one.cell for one in judgements)
    means = _cell_means(ratings)
    noise = judge_noise(ratings)
    strict = [one for one in readable if one.rating is not None and in_range(one.rating)]
    details: dict[str, Any] = {
        "question_turns": len(repeats),
        "judgements_per_question_turn": [min(repeats.values()), max(repeats.values())],
        "mean_of_question_turns": sum(means.values()) / len(means),
        "unreadable": len(judgements) - len(readable),
        "absent": [f"{question}/{turn}" for question, turn in absent],
        "judge_noise": None if noise is None else noise.describe(),
    }
    if len(strict) < len(readable):
        details["score_within_1_to_10"] = _mean(strict).value if strict else None
    return ModelScore(
        model=model,
        headline=SCORE,
        metrics=metrics,
        n=len(readable),
        missing=len(judgements) - len(readable) + len(absent),
        official={name: Official(own.value, None, None, _RULE) for name, own in metrics.items()},
        flags=(*flags, *_flags(judgements, absent, repeats)),
        details=details,
    )


def _mean(judgements: Sequence[Judgement]) -> Interval:
    values = [one.rating for one in judgements if one.rating is not None]
    clusters = [one.question for one in judgements]
    return mean_interval(values, clusters, bounds=_bounds(values))


def _bounds(ratings: Sequence[float]) -> tuple[float, float] | None:
    """Of a rating; none where the official reading has found others."""
    return (LOWEST, HIGHEST) if all(in_range(rating) for rating in ratings) else None


def _by_cell(judgements: Sequence[Judgement]) -> dict[Cell, list[float]]:
    found: dict[Cell, list[float]] = {}
    for one in judgements:
        if one.rating is not None:
            found.setdefault(one.cell, []).append(one.rating)
    return found


def _cell_means(ratings: Mapping[Cell, Sequence[float]]) -> dict[Cell, float]:
    return {cell: sum(own) / len(own) for cell, own in ratings.items()}


def _flags(
    judgements: Sequence[Judgement], absent: Sequence[Cell], repeats: Mapping[Cell, int]
) -> list[str]:
    flags = []
    if absent:
        flags.append(f"{len(absent)} question turns were not judged: {listed(absent)}")
    unreadable = [one.cell for one in judgements if one.rating is None]
    if unreadable:
        flags.append(
            f"{len(unreadable)} of {len(judgements)} judgements hold no rating and are left out, "
            f"as FastChat does: {listed(unreadable)}"
        )
    outside = [o.cell for o in judgements if o.rating is not None and not in_range(o.rating)]
    if outside:
        flags.append(
            f"{len(outside)} ratings are outside {LOWEST} to {HIGHEST}, which the official mean "
            f"counts: {listed(outside)}"
        )
    several = [one.cell for one in judgements if len(ratings_in(one.text or "")) > 1]
    if several:
        flags.append(
            f"{len(several)} judgements hold several different ratings, of which the first counts: "
            f"{listed(several)}"
        )
    most = max(repeats.values())
    fewer = [cell for cell, count in repeats.items() if count < most]
    if fewer:
        flags.append(
            f"{len(fewer)} of {len(repeats)} question turns were judged fewer than {most} times, "
            f"and weigh less in the mean: {listed(fewer)}"
        )
    return flags


def _template_notes(models: Mapping[str, Sequence[Judgement]], questions: QuestionSet) -> list[str]:
    """Judges must have been asked the same way about every model."""
    used: dict[Cell, set[str]] = {}
    wrong: dict[Cell, str] = {}
    for own in models.values():
        for one in own:
            if not one.template:
                continue
            used.setdefault(one.cell, set()).add(one.template)
            category = questions.categories.get(one.question)
            guided = "-math-" in one.template
            if category is not None and guided != (category in REFERENCE_GUIDED):
                wrong[one.cell] = f"{one.template} for a question on {category}"
    notes = []
    mixed = [cell for cell, templates in used.items() if len(templates) > 1]
    if mixed:
        notes.append(f"judged with different templates: {listed(mixed)}")
    if wrong:
        cell, template = next(iter(wrong.items()))
        notes.append(
            f"{len(wrong)} question turns were judged with another template than the official one, "
            f"e.g. {listed([cell])}: {template}"
        )
    return notes
