"""What a benchmark found, in one form for all: figures with intervals, gaps and warnings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.statistics import Interval
from evaluation.tidy import Origin, Result


@dataclass(frozen=True)
class Official:
    """A figure as the benchmark's own code computes it, with the interval that code prints.

    Attributes:
        value: in the unit of the benchmark's leaderboard.
        low, high: as printed there; None where it prints none.
        rule: how, in one line, e.g. "2.5 and 97.5 percentiles of 100 bootstraps over battles".
    """

    value: float
    low: float | None
    high: float | None
    rule: str


@dataclass(frozen=True)
class ModelScore:
    """What one benchmark says of one model.

    Attributes:
        model: its name.
        headline: which of the metrics the benchmark is known for: the model's "score".
        metrics: calibrated figures by name, in the unit of the benchmark's leaderboard (percent
            for win rates and accuracies, points for MT-Bench). Those of one kind share a name
            everywhere: win_rate, length_controlled_win_rate, score, accuracy; parts follow a
            slash, as in score/turn-1 or win_rate/creative_writing.
        official: the benchmark's own figures and intervals, under the same names.
        n: items (questions, rows) behind the headline figure.
        missing: items that it lacks, for want of an answer or a verdict. Where other figures stand
            on other items, as the categories of Arena-Hard v2.0 do, `details` has the totals.
        flags: warnings that a reader must see, one line each.
        details: everything else worth keeping, JSON-ready: chosen C, draws, lengths.
    """

    model: str
    headline: str
    metrics: Mapping[str, Interval]
    n: int
    missing: int
    official: Mapping[str, Official] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def score(self) -> Interval:
        """The headline figure."""
        return self.metrics[self.headline]


@dataclass(frozen=True)
class Comparison:
    """The difference of two models on the same questions.

    Attributes:
        metric: of both.
        first, second: models; the difference is first minus second.
        difference: with its paired interval.
        p_value: two-sided, None where none can be given.
        adjusted: Holm's, over all comparisons of this benchmark.
    """

    metric: str
    first: str
    second: str
    difference: Interval
    p_value: float | None
    adjusted: float | None


@dataclass(frozen=True)
class Scores:
    """The result of one benchmark.

    Attributes:
        benchmark: name and version, e.g. "arena-hard-v0.1".
        judge: whose verdicts, "" where nobody judges.
        models: in the order given.
        comparisons: of pairs of models.
        hashes: of the benchmark's files and templates, by role.
        settings: the judge's settings and the scoring's, as they must be quoted with the figures.
        notes: one line each, about the whole.
    """

    benchmark: str
    judge: str
    models: tuple[ModelScore, ...]
    comparisons: tuple[Comparison, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """JSON-ready, the content of ``results.json``."""
        return {
            "benchmark": self.benchmark,
            "judge": self.judge,
            "models": {own.model: _model(own) for own in self.models},
            "comparisons": [_comparison(own) for own in self.comparisons],
            "hashes": dict(self.hashes),
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }

    def json(self) -> str:
        """`describe` as text."""
        return json.dumps(self.describe(), indent=1, allow_nan=False) + "\n"

    def results(
        self,
        run: str,
        origins: Mapping[str, Origin] | None = None,
        hashes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> list[Result]:
        """Rows of the tidy table; official figures stand there as ``official/METRIC``.

        Args:
            run: the run's name.
            origins: where models come from; those not named are their own algorithm.
            hashes: of each model, by role, to stand beside the benchmark's.
        """
        rows = []
        for own in self.models:
            marks = {**self.hashes, **(hashes or {}).get(own.model, {})}
            origin = (origins or {}).get(own.model, Origin(run, own.model))
            found = dict(own.metrics)
            for name, o in own.official.items():
                # Of the same values as our figure of that name, where there is one.
                like = own.metrics.get(name)
                n, clusters = (own.n, own.n) if like is None else (like.n, like.clusters)
                found[f"official/{name}"] = Interval(o.value, o.low, o.high, n, clusters)
            rows += [
                Result(origin, self.benchmark, name, interval, self.judge, marks)
                for name, interval in found.items()
            ]
        return rows


#: Always there in results.json, null where the benchmark has no such figure.
_ALWAYS = ("win_rate", "length_controlled_win_rate")


def _model(own: ModelScore) -> dict[str, Any]:
    score = own.score
    return {
        **{name: own.metrics[name].value if name in own.metrics else None for name in _ALWAYS},
        "score": score.value,
        "low": score.low,
        "high": score.high,
        "n": own.n,
        "missing": own.missing,
        "headline": own.headline,
        "metrics": {name: _interval(found) for name, found in own.metrics.items()},
        "official": {
            name: {"value": o.value, "low": o.low, "high": o.high, "rule": o.rule}
            for name, o in own.official.items()
        },
        "flags": list(own.flags),
        "details": dict(own.details),
    }


def _comparison(own: Comparison) -> dict[str, Any]:
    return {
        "metric": own.metric,
        "first": own.first,
        "second": own.second,
        "difference": _interval(own.difference),
        "p_value": own.p_value,
        "p_value_holm": own.adjusted,
    }


def _interval(found: Interval) -> dict[str, Any]:
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "clusters": found.clusters,
    }


def all_pairs(models: Sequence[str]) -> list[tuple[str, str]]:
    """Every pair of models once, in the order given."""
    return [(a, b) for i, a in enumerate(models) for b in models[i + 1 :]]
