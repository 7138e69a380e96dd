"""`mnpo-bench score alpaca-eval`: scores from stored annotations, nobody is asked."""

from pathlib import Path
from typing import Annotated

import typer

from mnpo.cli.scoring.common import AllowMissingOption, JsonOption, OutputOption, report

HELP = """Score AlpacaEval 2 from stored annotations.

Win rate and length-controlled win rate as the official package has them, with intervals over \
instructions in which the length-controlled model is fitted anew on every draw.
"""


def score(
    annotations: Annotated[
        list[Path],
        typer.Option(
            help="Annotations of one model (json, jsonl or csv, plain or gzipped), or a folder of "
            "such files. Repeatable."
        ),
    ],
    outputs: Annotated[
        list[Path] | None,
        typer.Option(
            help="Outputs of one model, or a folder. Repeatable; matched by the model's name. Not "
            "needed where the annotations carry the outputs."
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="The baseline's outputs.  \\[default: the benchmark's data]"),
    ] = None,
    glm: Annotated[
        Path | None,
        typer.Option(
            help="Folder with df_gamed.csv, for length control.  \\[default: the benchmark's data, "
            "or a folder glm beside the reference]"
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Published weights of the length-controlled model (csv)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    replicates: Annotated[int, typer.Option(help="Draws of the bootstrap.")] = 1000,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Processes at most; results do not depend on it.  \\[default: one for each core, "
            "where there are many models]"
        ),
    ] = None,
    output: OutputOption = None,
    allow_missing: AllowMissingOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored annotations; see HELP."""
    from evaluation.alpaca_eval.files import score_files
    from evaluation.alpaca_eval.many import cores

    report(
        score_files(
            annotations,
            outputs or [],
            reference,
            glm=glm,
            weights=weights,
            seed=seed,
            replicates=replicates,
            allow_missing=allow_missing,
            jobs=cores() if jobs is None else jobs,
        ),
        output,
        as_json,
    )
