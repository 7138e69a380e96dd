"""Scores of both versions from verdicts, whoever read them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.arena_hard.answers_file import StoredAnswer
from evaluation.arena_hard.comparisons import compare, corrected
from evaluation.arena_hard.judged import Collected
from evaluation.arena_hard.plain import official_v01, official_v20, scores, win_rate
from evaluation.arena_hard.questions_file import ArenaQuestion
from evaluation.arena_hard.separability import separability
from evaluation.arena_hard.sorting import Sorted, sort_verdicts
from evaluation.arena_hard.style_control import NoEstimate, StyleControlled, style_controlled
from evaluation.arena_hard.style_counts import count_styles
from evaluation.arena_hard.table import Table
from evaluation.arena_hard.versions import ROUNDS, STRONG, Version
from evaluation.scores import ModelScore, Official, Scores
from evaluation.statistics import Interval
from mnpo.errors import UserError

Answers = Mapping[str, Mapping[str, StoredAnswer]]


def score_verdicts(
    collected: Collected,
    version: Version,
    *,
    questions: Sequence[ArenaQuestion] | None = None,
    answers: Answers | None = None,
    judge: str = "",
    seed: int = 0,
    allow_missing: bool = False,
    hashes: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Scores:
    """Every figure of the benchmark.

    Metrics, all in percent: ``score`` (v0.1: the win rate against the baseline that Bradley-Terry
    predicts; v2.0: the mean weighted score of the first category that was judged), ``win_rate``
    (weighted verdicts against the baseline), ``unweighted_win_rate`` (each verdict once),
    ``style_controlled_score`` (with ``answers``). v2.0 has them for each category too, as
    ``score/CATEGORY``, and ``score/CATEGORY/SUBCATEGORY``.

    Args:
        collected: verdicts.
        version: of the benchmark.
        questions: that should be judged; None takes the version's number of questions.
        answers: by model and question, the baseline's among them, for style control.
        judge: who judged, where the verdicts do not say.
        seed: of all bootstraps.
        allow_missing: score although verdicts are missing. v0.1 then counts the one verdict of a
            question that has no other, v2.0 leaves such a question out, as their official codes do.
        hashes: of the files, by role.
        settings: the judge's, to be quoted with the figures.

    Raises:
        UserError: verdicts are missing or cannot be used, or answers are missing.
    """
    found = sort_verdicts(collected, version, questions, allow_missing=allow_missing)
    several = len(version.categories) > 1
    tables = {
        name: table.of_whole_games() if several else table for name, table in found.tables.items()
    }
    headline = next(iter(tables))
    for model, own in found.coverage.items():
        table = tables[headline]
        if model not in table.models or not table.played[table.models.index(model)].any():
            raise UserError(
                f"{model}: no verdict in {headline} ({own.expected} questions), so no score"
            )
    collection = _Collection(several, headline)
    notes = list(collected.notes + found.notes)
    for table in tables.values():
        used = _with_verdicts(table)
        collection.add_plain(used, _official(used, version, seed), seed)
        if questions is not None and several:
            collection.add_parts(used, questions)
    if answers is not None:
        for name, controlled, note in _controlled(tables, answers, version, seed):
            if controlled is not None:
                collection.add_controlled(name, controlled)
            notes += [note] if note else []
    if several:
        notes.insert(0, f"score is that of {headline}")
    separated = collection.separated()
    notes += [_separation_note(name, own) for name, own in separated.items() if name == "score"]
    comparisons = [
        comparison
        for name, table in tables.items()
        for comparison in compare(
            _with_verdicts(table), "score" if name == headline else f"score/{name}"
        )
    ]
    return Scores(
        benchmark=version.benchmark,
        judge=judge or collected.judge,
        models=tuple(
            collection.model(
                name, found, tables, judge=judge or collected.judge, whole_only=several
            )
            for name in found.coverage
        ),
        comparisons=corrected(comparisons),
        hashes=hashes or {},
        settings={
            **(settings or {}),
            "baselines": {name: table.baseline for name, table in tables.items()},
            "strong_verdict_weight": STRONG,
            "official_bootstrap_rounds": ROUNDS,
            "seed": seed,
            "separability": separated,
        },
        notes=tuple(notes),
    )


class _Collection:
    """Metrics and official figures by model, as they are found."""

    def __init__(self, several: bool, headline: str) -> None:
        self._several, self._headline = several, headline
        self._metrics: dict[str, dict[str, Interval]] = {}
        self._official: dict[str, dict[str, Official]] = {}
        self._effects: dict[str, dict[str, float]] = {}
        self._counter: dict[str, str] = {}

    def add_plain(self, table: Table, official: Mapping[str, Official], seed: int) -> None:
        """Scores and win rates of one category."""
        for model, score in scores(table, seed=seed).items():
            i = table.models.index(model)
            self._put(model, "score", table.category, score, official[model])
            self._put(model, "win_rate", table.category, win_rate(table.battles[i]))
            self._put(model, "unweighted_win_rate", table.category, win_rate(table.games[i]))

    def add_parts(self, table: Table, questions: Sequence[ArenaQuestion]) -> None:
        """Scores of the subcategories of one category, for information."""
        parts: dict[str, list[str]] = {}
        for question in questions:
            if question.category == table.category and question.part:
                parts.setdefault(question.part, []).append(question.id)
        if len(parts) < 2:
            return
        for part, ids in parts.items():
            own = _with_verdicts(table.of_questions(ids))
            for i, model in enumerate(own.models):
                name = f"score/{table.category}/{part}"
                self._metrics.setdefault(model, {})[name] = win_rate(own.battles[i])

    def add_controlled(self, category: str, found: StyleControlled) -> None:
        """Style-controlled scores of one category."""
        self._effects[category] = found.effects
        for model, score in found.scores.items():
            self._put(model, "style_controlled_score", category, score, found.official[model])

    def _put(
        self,
        model: str,
        metric: str,
        category: str,
        found: Interval,
        official: Official | None = None,
    ) -> None:
        names = [metric] if category == self._headline else []
        names += [f"{metric}/{category}"] if self._several else []
        for name in names:
            self._metrics.setdefault(model, {})[name] = found
            if official is not None:
                self._official.setdefault(model, {})[name] = official

    def separated(self) -> dict[str, Any]:
        """Pairs that the intervals tell apart, by metric: the official ones, and ours."""
        result = {}
        for metric in ("score", "style_controlled_score"):
            official = [
                (own[metric].low, own[metric].high)
                for own in self._official.values()
                if metric in own
            ]
            ours = [
                (own[metric].low, own[metric].high)
                for own in self._metrics.values()
                if metric in own
            ]
            if len(ours) > 1:
                result[metric] = {
                    name: separability(ends).describe()
                    for name, ends in (("official", _known(official)), ("clustered", _known(ours)))
                }
        return result

    def model(
        self,
        name: str,
        found: Sorted,
        tables: Mapping[str, Table],
        *,
        judge: str,
        whole_only: bool,
    ) -> ModelScore:
        """Everything of one model."""
        own, headline = found.coverage[name], found.headline[name]
        n, scored = (part.whole + (0 if whole_only else part.halves) for part in (headline, own))
        flags = []
        if judge == name:
            flags.append("the judge grades its own answers; the official code of v2.0 drops them")
        if own.halves:
            what = "left out" if whole_only else "scored with that one"
            flags.append(f"questions with a verdict in one order only: {own.halves}, {what}")
        return ModelScore(
            name,
            "score",
            self._metrics[name],
            n,
            headline.expected - n,
            self._official.get(name, {}),
            tuple(flags),
            {
                "questions": own.expected,
                "questions_scored": scored,
                "questions_without_verdict": own.absent,
                "questions_with_one_verdict": own.halves,
                "verdicts": {
                    category: _verdicts(table, name)
                    for category, table in tables.items()
                    if name in table.models
                },
                **({"style_effects": self._effects} if self._effects else {}),
            },
        )


def _verdicts(table: Table, model: str) -> dict[str, int]:
    """How often a model won, tied and lost, and how often clearly."""
    i = table.models.index(model)
    lost, tied, won = table.games[i].sum(axis=0).tolist()
    strong = (table.battles[i] - table.games[i]).sum(axis=0) // (STRONG - 1)
    return {
        "won": won,
        "won_clearly": int(strong[2]),
        "tied": tied,
        "lost": lost,
        "lost_clearly": int(strong[0]),
    }


def _official(table: Table, version: Version, seed: int) -> dict[str, Official]:
    if len(version.categories) > 1:
        return official_v20(table, seed=seed)
    return official_v01(table, seed=seed)


def _with_verdicts(table: Table) -> Table:
    """Without the models that have no verdict there."""
    keep = np.flatnonzero(table.games.any(axis=(1, 2)))
    return Table(
        table.category,
        table.baseline,
        tuple(table.models[i] for i in keep),
        table.questions,
        table.battles[keep],
        table.games[keep],
        table.between,
    )


def _controlled(
    tables: Mapping[str, Table], answers: Answers, version: Version, seed: int
) -> list[tuple[str, StyleControlled | None, str]]:
    result: list[tuple[str, StyleControlled | None, str]] = []
    for name, table in tables.items():
        if table.baseline not in answers:
            why = f"{name}: no style control, the --answers files have none of {table.baseline}"
            result.append((name, None, why))
            continue
        used = _with_verdicts(table)
        counts = count_styles(used, answers)
        note = f"{name}: for style control, tokens were counted as {counts.counter}"
        try:
            controlled = style_controlled(
                used, counts.models, counts.baseline, version=version.name, seed=seed
            )
        except NoEstimate as error:
            result.append((name, None, str(error)))
            continue
        result.append((name, controlled, note if counts.counter else ""))
    if not any(table.baseline in answers for table in tables.values()):
        raise UserError(result[0][2])
    return result


def _known(ends: Sequence[tuple[float | None, float | None]]) -> list[tuple[float, float]]:
    return [(low, high) for low, high in ends if low is not None and high is not None]


def _separation_note(name: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [
        f"{kind} intervals {own['pairs'] - own['overlapping']} of {own['pairs']}"
        for kind, own in found.items()
    ]
    return f"pairs of models told apart by {name}: {', '.join(parts)}"
