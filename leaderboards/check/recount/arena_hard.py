"""Arena-Hard, from ``model_judgment/JUDGE/MODEL.jsonl`` and ``model_answer/MODEL.jsonl``."""

from pathlib import Path

from evaluation.arena_hard.answers_file import StoredAnswer, read_answers
from evaluation.arena_hard.judgments_file import read_judgments
from evaluation.arena_hard.questions_file import read_questions
from evaluation.arena_hard.scoring import score_verdicts
from evaluation.arena_hard.versions import version_of
from evaluation.data.files import BenchmarkFiles
from evaluation.naming import folder_name
from evaluation.records import spread
from evaluation.rows import read_rows
from evaluation.scores import Scores
from leaderboards.check.recount.data import data_of
from leaderboards.check.recount.evaluation_run import Told

_CREATIVE = "baseline_answers_creative"


def score(told: Told) -> Scores:
    """All figures by the verdicts of the run, with style control.

    Raises:
        NotHere: the benchmark's files are not on this machine.
        UserError: the run's files are broken.
    """
    version = version_of(told.benchmark.removeprefix("arena-hard-"))
    files = data_of(told, told.benchmark, "questions", "baseline_answers")
    judged = [
        told.folder / "model_judgment" / folder_name(told.judge) / told.file_of(model)
        for model in told.models
    ]
    questions = read_questions(files["questions"], version)
    if "creative_writing" in version.categories and _CREATIVE not in files.paths:
        questions = tuple(own for own in questions if own.category != "creative_writing")
    if told.stopped_early():
        asked = {row.text("uid", "question_id") for file in judged for row in read_rows(file)}
        questions = tuple(own for own in questions if own.id in asked)
    else:
        questions = spread(questions, told.settings.limit)
    answers = [told.folder / "model_answer" / told.file_of(model) for model in told.models]
    return score_verdicts(
        read_judgments(judged, version),
        version,
        questions=questions,
        answers={**_texts(answers), **read_answers(_baselines(files))},
        judge=told.judge,
        allow_missing=True,
    )


def _texts(paths: list[Path]) -> dict[str, dict[str, StoredAnswer]]:
    """The models' answers, their style counted anew from the texts."""
    return {
        model: {key: StoredAnswer(answer.text, None) for key, answer in own.items()}
        for model, own in read_answers(paths).items()
    }


def _baselines(files: BenchmarkFiles) -> list[Path]:
    return [files.paths[role] for role in ("baseline_answers", _CREATIVE) if role in files.paths]
