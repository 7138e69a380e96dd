"""`mnpo-bench score llmbar`: how often a judge finds the better answer, nobody is asked."""

from pathlib import Path
from typing import Annotated

import typer

from mnpo.cli.scoring.common import AllowMissingOption, JsonOption, OutputOption, report

HELP = """Score judges on LLMBar from their stored verdicts.

Accuracy over both orders of each pair, by subset and by order, with intervals over pairs. The \
"models" of the results are the judges.
"""


def score(
    judgments: Annotated[
        list[Path],
        typer.Option(
            help="A judge's results in LLMBar's format, json or jsonl, plain or gzipped. "
            "Repeatable, one judge each."
        ),
    ],
    name: Annotated[
        list[str] | None,
        typer.Option(help="The judge's name, in the files' order.  \\[default: the file's name]"),
    ] = None,
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="LLMBar's data, to check labels and completeness.  \\[default: the imported one, "
            "else the official numbers of pairs]"
        ),
    ] = None,
    subset: Annotated[
        str | None,
        typer.Option(help="The only subset that the files hold, e.g. Adversarial/Neighbor."),
    ] = None,
    output: OutputOption = None,
    allow_missing: AllowMissingOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored verdicts; see HELP."""
    from evaluation.data.find import find_files
    from evaluation.llmbar.files import score_files

    report(
        score_files(
            judgments,
            names=name or (),
            dataset=dataset or find_files("llmbar").get("dataset"),
            subset=subset,
            allow_missing=allow_missing,
        ),
        output,
        as_json,
    )
