"""`mnpo-bench score mt-bench`: scores from stored judgements, nobody is asked."""

from pathlib import Path
from typing import Annotated

import typer

from mnpo.cli.scoring.common import AllowMissingOption, JsonOption, OutputOption, report

HELP = """Score MT-Bench from stored judgements: ratings of answers, or comparisons of two.

Ratings and winners are read again from the judge's own texts. Beside the official means stand \
intervals over questions, and how much of them is the judge's noise where answers were judged \
repeatedly.
"""


def score(
    judgments: Annotated[
        list[Path],
        typer.Option(
            help="Judgements in FastChat's format (JUDGE_single.jsonl or JUDGE_pair.jsonl), plain "
            "or gzipped, of any number of models. Repeatable."
        ),
    ],
    questions: Annotated[
        Path | None,
        typer.Option(
            help="The benchmark's question.jsonl: adds scores by category, and says what must be "
            "judged.  \\[default: the imported one, else the official ids]"
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="Comparisons: count only those with this model.  \\[default: all]"),
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="Whose judgements, where the files hold several judges'.")
    ] = None,
    reread: Annotated[
        bool,
        typer.Option(
            "--reread",
            help="Where a stored score is not what the judge's text says, take the text's.",
        ),
    ] = False,
    output: OutputOption = None,
    allow_missing: AllowMissingOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored judgements; see HELP."""
    from evaluation.data.find import find_files
    from evaluation.mt_bench.files import score_files

    report(
        score_files(
            judgments,
            questions=questions or find_files("mt-bench").get("questions"),
            baseline=baseline,
            judge=judge,
            reread=reread,
            allow_missing=allow_missing,
        ),
        output,
        as_json,
    )
