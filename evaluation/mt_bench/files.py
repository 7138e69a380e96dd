"""Scores straight from judgement files: nobody is asked."""

from collections.abc import Sequence
from pathlib import Path

from evaluation.mt_bench.context import Context
from evaluation.mt_bench.games import read_matches
from evaluation.mt_bench.judgements import read_judgements
from evaluation.mt_bench.pairwise import score_matches
from evaluation.mt_bench.questions import OFFICIAL, question_set, read_questions
from evaluation.mt_bench.scoring import score_ratings
from evaluation.rows import Row, read_rows
from evaluation.scores import Scores
from mnpo.errors import InvalidSetting, UserError
from mnpo.runs.files import sha256_file


def score_files(
    judgments: Sequence[Path],
    *,
    questions: Path | None = None,
    baseline: str | None = None,
    judge: str | None = None,
    reread: bool = False,
    allow_missing: bool = False,
) -> Scores:
    """Ratings or comparisons, whichever the files hold.

    Args:
        judgments: files of one kind.
        questions: question.jsonl; adds figures by category. None takes the official ids.
        baseline: of comparisons: count only matches against it.
        judge: whose judgements, where there are several judges.
        reread: take what the judge's text says where the stored value says something else.
        allow_missing: score although judgements are missing or rows are copied.

    Raises:
        UserError: as `read_judgements`, `read_matches`, `score_ratings` and `score_matches`.
    """
    if len(set(judgments)) < len(judgments):
        raise InvalidSetting("the same judgement file is given twice")
    rows = [row for path in judgments for row in read_rows(path)]
    if not rows:
        raise UserError(f"{', '.join(map(str, judgments))}: no rows")
    own = OFFICIAL
    hashes = {f"judgments {path.name}": sha256_file(path) for path in judgments}
    if questions is not None:
        own = question_set(read_questions(questions), str(questions))
        hashes["questions"] = sha256_file(questions)
    if _pairwise(rows):
        matches, flags = read_matches(rows, reread=reread, allow_copies=allow_missing)
        return score_matches(
            matches,
            own,
            baseline=baseline,
            judge=judge,
            allow_missing=allow_missing,
            context=Context(hashes, flags=flags),
        )
    if baseline is not None:
        raise InvalidSetting("a baseline belongs to comparisons; these files hold ratings")
    read = read_judgements(rows, reread=reread, allow_copies=allow_missing)
    unread = sum(one.text is None for one in read.judgements)
    notes = []
    if unread:
        notes.append(f"{unread} rows hold no text of the judge: their scores could not be checked")
    return score_ratings(
        read.judgements,
        own,
        judge=judge,
        allow_missing=allow_missing,
        context=Context(hashes, notes=tuple(notes), flags=read.flags),
    )


def _pairwise(rows: Sequence[Row]) -> bool:
    """Whether these are comparisons.

    Raises:
        UserError: some are and some are not.
    """
    kinds = ["model_1" in row.values for row in rows]
    if any(kinds) and not all(kinds):
        other = next(row for row, kind in zip(rows, kinds, strict=True) if kind != kinds[0])
        raise UserError(
            f"{other.where}: ratings of one answer and comparisons of two cannot be scored "
            "together; the rows before are of the other kind"
        )
    return kinds[0]
