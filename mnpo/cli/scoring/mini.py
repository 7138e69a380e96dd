"""`mnpo-bench score mini`: scores from stored judgements, nobody is asked."""

from pathlib import Path
from typing import Annotated

import typer

from mnpo.cli.scoring.common import AllowMissingOption, JsonOption, OutputOption, report

HELP = """Score the mini-benchmark from stored judgements, as 'evaluate' writes them.

Win rates in percent against the project's own answers, both orders of a question in one cluster.
"""


def score(
    judgments: Annotated[
        list[Path],
        typer.Option(help="Judgements, jsonl, json or csv, plain or gzipped. Repeatable."),
    ],
    limit: Annotated[
        int | None,
        typer.Option(help="How many of the 40 questions were asked.  \\[default: all]"),
    ] = None,
    output: OutputOption = None,
    allow_missing: AllowMissingOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored judgements; see HELP."""
    from evaluation.mini.benchmark import score_files

    report(score_files(judgments, limit=limit, allow_missing=allow_missing), output, as_json)
