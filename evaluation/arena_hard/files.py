"""Scores from stored files of verdicts."""

from collections.abc import Sequence
from pathlib import Path

from evaluation.arena_hard.answers_file import read_answers
from evaluation.arena_hard.battles_file import read_battles
from evaluation.arena_hard.config import read_config
from evaluation.arena_hard.judgments_file import Reading, read_judgments
from evaluation.arena_hard.questions_file import read_questions
from evaluation.arena_hard.scoring import score_verdicts
from evaluation.arena_hard.versions import version_of
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file


def score_files(
    version: str,
    *,
    battles: Sequence[Path] = (),
    judgments: Sequence[Path] = (),
    questions: Path | None = None,
    answers: Sequence[Path] = (),
    baseline: str | None = None,
    config: Path | None = None,
    seed: int = 0,
    allow_missing: bool = False,
) -> Scores:
    """Score stored verdicts without asking anyone.

    Args:
        version: "v0.1" or "v2.0".
        battles: battle files; either these or judgements.
        judgments: judgement files.
        questions: the benchmark's file; None only counts.
        answers: files with the answers of all models and the baseline, for style control.
        baseline: whom all were compared with, if not the official one.
        config: the benchmark's judge configuration, to read judgements again.
        seed: of all bootstraps.
        allow_missing: score although verdicts are missing.

    Raises:
        InvalidSetting: no files, both kinds, or an option that does not go with the kind.
        UserError: a file cannot be used; verdicts are missing.
    """
    own = version_of(version)
    if bool(battles) == bool(judgments):
        raise InvalidSetting("give either --battles or --judgments")
    paths = [*battles, *judgments]
    for path in paths:
        if paths.count(path) > 1:
            raise UserError(f"{path}: given twice")
    if battles:
        if config is not None:
            raise InvalidSetting("--config reads judgements again; battles have no texts")
        collected = read_battles(battles, own, baseline=baseline)
    else:
        reading = None
        if config is not None:
            settings = read_config(config)
            reading = Reading(settings.patterns, settings.rule)
        collected = read_judgments(judgments, own, baseline=baseline, reading=reading)
    roles = {"questions": [questions] if questions else [], "answers": answers, "verdicts": paths}
    return score_verdicts(
        collected,
        own,
        questions=None if questions is None else read_questions(questions, own),
        answers=read_answers(answers) if answers else None,
        seed=seed,
        allow_missing=allow_missing,
        hashes={
            f"{role} {path.name}": sha256_file(path)
            for role, files in roles.items()
            for path in files
        },
    )
