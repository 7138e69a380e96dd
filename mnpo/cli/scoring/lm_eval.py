"""`mnpo-bench score lm-eval`: stored outputs of lm-eval's tasks."""

from pathlib import Path
from typing import Annotated

import typer

from mnpo.cli.scoring.common import AllowMissingOption, JsonOption, OutputOption, report

HELP = """Score stored outputs of one of lm-eval's tasks.

What the rows hold decides how: lm-eval's logged samples (any task), predictions beside right \
answers (gsm8k), log-likelihoods of two options (winogrande), answers to prompts (gsm8k, ifeval, \
minerva-math, aime24; with --data), programs (humaneval; with --data and --allow-code).
"""


def score(
    task: Annotated[
        str, typer.Option(help="Task of the suite (gsm8k, winogrande, ...), or any of lm-eval's.")
    ],
    outputs: Annotated[
        Path,
        typer.Option(help="Stored outputs: a file, or the folder of a model that lm-eval wrote."),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="The benchmark's documents: a file, or the folder that holds them."),
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="lm-eval's results_*.json, which the samples must match.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The model's name.  \\[default: the file's]")
    ] = None,
    output: OutputOption = None,
    allow_missing: AllowMissingOption = False,
    allow_code: Annotated[
        bool,
        typer.Option("--allow-code", help="Run the programs that are scored, in the sandbox."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored outputs; see HELP."""
    from evaluation.harness.offline.score import score_outputs

    report(
        score_outputs(
            task,
            outputs,
            data=data,
            results=results,
            model=model,
            allow_missing=allow_missing,
            allow_code=allow_code,
        ),
        output,
        as_json,
    )
