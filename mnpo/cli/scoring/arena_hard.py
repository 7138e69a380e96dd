"""`mnpo-bench score arena-hard`: scores from stored verdicts, nobody is asked."""

from pathlib import Path
from typing import Annotated

import typer

from mnpo.cli.scoring.common import AllowMissingOption, JsonOption, OutputOption, report

HELP = """Score Arena-Hard from stored verdicts: battles, or the judge's judgements.

Both official figures and intervals, and intervals that know that both orders of a question and \
the three rows of a strong verdict belong together.
"""


def score(
    battles: Annotated[
        list[Path] | None,
        typer.Option(
            help="Battles (question_id, model_a, model_b, winner), csv or jsonl, plain or gzipped. "
            "Repeatable."
        ),
    ] = None,
    judgments: Annotated[
        list[Path] | None,
        typer.Option(
            help="Judgements in the format of 2024 or today, jsonl, plain or gzipped. Repeatable."
        ),
    ] = None,
    version: Annotated[str, typer.Option(help="v0.1 or v2.0.")] = "v0.1",
    questions: Annotated[
        Path | None,
        typer.Option(
            help="The benchmark's questions: which must be judged.  \\[default: as many as the "
            "version has]"
        ),
    ] = None,
    answers: Annotated[
        list[Path] | None,
        typer.Option(
            help="Answers of the models and of the baseline: adds style control. Repeatable."
        ),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Whom all models were compared with, if not the official.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="The benchmark's judge configuration: reads the verdicts from the judge's texts "
            "again."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all bootstraps.")] = 0,
    output: OutputOption = None,
    allow_missing: AllowMissingOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score stored verdicts; see HELP."""
    from evaluation.arena_hard.files import score_files

    report(
        score_files(
            version,
            battles=battles or [],
            judgments=judgments or [],
            questions=questions,
            answers=answers or [],
            baseline=baseline,
            config=config,
            seed=seed,
            allow_missing=allow_missing,
        ),
        output,
        as_json,
    )
