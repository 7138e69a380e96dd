"""MT-Bench, from ``model_judgment/JUDGE_single.jsonl`` or ``JUDGE_pair.jsonl``."""

from collections.abc import Sequence

from evaluation.mt_bench.games import read_matches
from evaluation.mt_bench.judgements import read_judgements
from evaluation.mt_bench.pairwise import score_matches
from evaluation.mt_bench.questions import identity, question_set, read_questions
from evaluation.mt_bench.scoring import score_ratings
from evaluation.naming import folder_name
from evaluation.records import Question, spread
from evaluation.rows import Row, read_rows
from evaluation.scores import Scores
from leaderboards.check.recount.data import data_of
from leaderboards.check.recount.evaluation_run import Told
from mnpo.errors import UserError


def score(told: Told) -> Scores:
    """Ratings, or win rates against the baseline, by the judgements of the run.

    Raises:
        NotHere: the questions are not on this machine.
        UserError: the run's files are broken.
    """
    pairs = told.settings.mt_bench.mode == "pairwise"
    name = f"{folder_name(told.judge)}_{'pair' if pairs else 'single'}.jsonl"
    rows = read_rows(told.folder / "model_judgment" / name)
    asked = question_set(_questions(told, rows), "the benchmark's questions")
    if not pairs:
        return score_ratings(read_judgements(rows).judgements, asked, allow_missing=True)
    baselines = {row.text("model_2") for row in rows}
    if len(baselines) != 1:
        raise UserError(f"{told.folder}: comparisons with {len(baselines)} baselines")
    matches, _ = read_matches(rows)
    return score_matches(matches, asked, baseline=baselines.pop(), allow_missing=True)


def _questions(told: Told, rows: Sequence[Row]) -> tuple[Question, ...]:
    known = read_questions(data_of(told, "mt-bench", "questions")["questions"])
    if told.stopped_early():
        asked = {identity(row) for row in rows}
        return tuple(own for own in known if own.id in asked)
    return spread(known, told.settings.limit)
