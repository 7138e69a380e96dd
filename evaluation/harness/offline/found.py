"""The scores of one model's stored outputs of one task."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.scores import ModelScore, Official, Scores
from evaluation.statistics import mean_interval


def one_model(
    task: str,
    model: str,
    figures: Mapping[str, Sequence[float]],
    clusters: Mapping[str, Sequence[str]],
    *,
    n: int,
    missing: int,
    official: Mapping[str, Official] | None = None,
    flags: Sequence[str] = (),
    details: Mapping[str, Any] | None = None,
    hashes: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Scores:
    """Means in percent with their intervals.

    Args:
        task: its name.
        model: its name.
        figures: metric -> values in percent; the first is the headline.
        clusters: metric -> the document behind each value.
        n: documents scored.
        missing: documents that could not be.
        official: lm-eval's own figures.
        flags: as in the scores, like all that follow.
        details: of the model.
        hashes: by role.
        settings: the rule.
        notes: about the whole.
    """
    metrics = {
        name: mean_interval(list(values), list(clusters[name]), bounds=(0.0, 100.0))
        for name, values in figures.items()
        if values
    }
    score = ModelScore(
        model=model,
        headline=next(iter(metrics)),
        metrics=metrics,
        n=n,
        missing=missing,
        official=dict(official or {}),
        flags=tuple(flags),
        details=dict(details or {}),
    )
    return Scores(
        benchmark=f"lm-eval/{task}",
        judge="",
        models=(score,),
        hashes=dict(hashes or {}),
        settings=dict(settings or {}),
        notes=tuple(notes),
    )
