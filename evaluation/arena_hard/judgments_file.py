"""Judgement files of both generations of the official code, one row for a model and question."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.arena_hard.judged import Collected, Judged
from evaluation.arena_hard.verdicts import (
    LABELS,
    Grade,
    Rule,
    find_label,
    grade,
    looks_like_label,
    normalised,
)
from evaluation.arena_hard.versions import Version
from evaluation.rows import Row, iterate_rows
from mnpo.errors import UserError


@dataclass(frozen=True)
class Reading:
    """How verdicts are read out of the judge's texts again.

    Attributes:
        patterns: regular expressions of the benchmark's configuration.
        rule: of the code that the configuration is for.
    """

    patterns: tuple[str, ...]
    rule: Rule


def read_judgments(
    paths: Sequence[Path],
    version: Version,
    *,
    baseline: str | None = None,
    reading: Reading | None = None,
) -> Collected:
    """Games from judgement files (jsonl, plain or gzipped).

    2024: {question_id, model, judge, games: [{user_prompt, judgment, score}, ...]}; now: {uid,
    category, judge, model, baseline, games: [{score, judgment, prompt}, ...]}. In the first game
    the baseline is A, in the second the model.

    A null score, a null game, and a "label" such as A>>>B which is none are no verdict.

    Args:
        paths: of the files; no model and question may be there twice.
        version: whose baselines stand in where the file names none.
        baseline: whom all were compared with, where it was another one.
        reading: read the verdicts from the texts again; None takes the stored scores.

    Raises:
        UserError: a row of another form, a score that is no label, several judges, or a question
            twice for a model; the message names the row.
    """
    judged: dict[tuple[str, str], Judged] = {}
    judges: dict[str, str] = {}
    unread, other = 0, 0
    for path in paths:
        for row in iterate_rows(path):
            record = _record(row, version, baseline)
            games = _games(row)
            labels = [_stored(row, game, i) for i, game in enumerate(games)]
            unread += sum(isinstance(label, _NoLabel) for label in labels)
            stored = [label if isinstance(label, str) else None for label in labels]
            if reading is not None:
                fresh = [_reread(row, game, i, reading) for i, game in enumerate(games)]
                other += sum(a != b for a, b in zip(stored, fresh, strict=True))
                stored = fresh
            first, second = (
                None if label is None else grade(label, i) for i, label in enumerate(stored)
            )
            _add(judged, record, (first, second))
            judges.setdefault(row.text("judge") if "judge" in row.values else "", row.where)
    if not judged:
        raise UserError(f"{', '.join(map(str, paths))}: no judgements")
    if len(judges) > 1:
        (a, _), (b, where) = list(judges.items())[:2]
        raise UserError(
            f"{where}: the judge is '{b}', in earlier rows '{a}'; score each judge's files alone"
        )
    notes = []
    if unread and reading is None:
        notes.append(
            f"{unread} stored scores are none of the verdict labels: they count as missing"
        )
    if reading is not None:
        notes.append(
            f"verdicts were read from the judge's texts again ({reading.rule} match); {other} "
            f"of {2 * len(judged)} differ from the stored scores"
        )
    return Collected(tuple(judged.values()), (), next(iter(judges)), tuple(notes))


class _NoLabel:
    """Stands where a stored score is a label-like text that is no label."""


def _add(
    judged: dict[tuple[str, str], Judged],
    record: Judged,
    games: tuple[Grade | None, Grade | None],
) -> None:
    key = (record.model, record.question)
    if key in judged:
        raise UserError(
            f"{record.where}: {record.model}, question {record.question} is already in "
            f"{judged[key].where}; give each judgement once"
        )
    judged[key] = Judged(
        record.model, record.question, record.category, record.baseline, games, record.where
    )


def _record(row: Row, version: Version, baseline: str | None) -> Judged:
    category = row.text("category") if "category" in row.values else ""
    if not category and len(version.categories) == 1:
        category = version.headline
    if category and category not in version.categories:
        raise UserError(
            f"{row.where}: category '{category}' is none of {version.benchmark} "
            f"({', '.join(version.categories)})"
        )
    if "baseline" in row.values:
        against = row.text("baseline")
        if baseline is not None and against != baseline:
            raise UserError(f"{row.where}: the baseline is '{against}', not '{baseline}'")
    elif baseline is not None:
        against = baseline
    else:
        against = version.categories[category].baseline if category else ""
    return Judged(
        row.text("model"),
        row.text("question_id", "uid"),
        category,
        against,
        (None, None),
        row.where,
    )


def _games(row: Row) -> list[dict[str, Any] | None]:
    games = row.values.get("games")
    if not isinstance(games, list) or len(games) != 2:
        count = len(games) if isinstance(games, list) else "no list of"
        raise UserError(f"{row.where}: needs 2 games, one for each order, got {count} games")
    for game in games:
        if game is not None and not isinstance(game, dict):
            raise UserError(f"{row.where}: a game is no JSON object: {str(game)[:40]!r}")
    return games


def _stored(row: Row, game: dict[str, Any] | None, number: int) -> str | _NoLabel | None:
    if game is None:
        return None
    if "score" not in game:
        raise UserError(f"{row.where}: game {number + 1} has no score")
    score = game["score"]
    if score is None or score == "":
        return None
    label = normalised(score) if isinstance(score, str) else None
    if label is not None:
        return label
    if isinstance(score, str) and looks_like_label(score):
        return _NoLabel()
    shown = str(score)[:40]
    raise UserError(
        f"{row.where}: score {shown!r} of game {number + 1} is none of {', '.join(LABELS)}"
    )


def _reread(row: Row, game: dict[str, Any] | None, number: int, reading: Reading) -> str | None:
    if game is None:
        return None
    text = game.get("judgment")
    if isinstance(text, dict):  # the current code stores all that its client returned
        text = text.get("answer")
    if text is None:
        return None
    if not isinstance(text, str):
        raise UserError(f"{row.where}: game {number + 1} has no judgement text to read")
    found = find_label(text, reading.patterns, reading.rule)
    return None if found is None else normalised(found)
