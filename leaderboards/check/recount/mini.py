"""The mini-benchmark, from ``judgements/MODEL.jsonl``."""

from evaluation.mini.benchmark import open_benchmark
from evaluation.mini.judgements_file import read_judgements
from evaluation.records import spread
from evaluation.rows import read_rows
from evaluation.scores import Scores
from leaderboards.check.recount.evaluation_run import Told


def score(told: Told) -> Scores:
    """The figures by the verdicts of the run.

    Raises:
        UserError: the verdicts are missing or broken.
    """
    files = [told.folder / "judgements" / told.file_of(model) for model in told.models]
    repeats = told.settings.repeats
    benchmark = open_benchmark(repeats=repeats)
    if told.stopped_early():
        asked = {row.text("question_id") for file in files for row in read_rows(file)}
        benchmark = benchmark.only(asked)
    else:
        limited = spread(benchmark.questions(), told.settings.limit)
        benchmark = benchmark.only({own.id for own in limited})
    stored = read_judgements(files, benchmark.questions())
    return benchmark.scores(stored.models, judge=stored.judge, allow_missing=True, repeats=repeats)
