"""`mnpo-bench evaluate`: models on benchmarks, under judges."""

import math
from pathlib import Path
from typing import Annotated

import typer

HELP = """Let models answer benchmarks, let judges read the answers, and score with intervals.

With a model alone it runs the embedded mini-benchmark under a rule, with nothing to download.
"""
EPILOG = """Examples, each a command:

mnpo-bench evaluate tiny

mnpo-bench evaluate runs/tiny-3f2a91bc --benchmarks mini,cross-play

mnpo-bench evaluate smollm2-135m --benchmarks mt-bench,arena-hard --judge-url \
http://127.0.0.1:8000/v1 --judge-model my-judge --limit 20 --dry-run

mnpo-bench evaluate --outputs my-model=outputs.json --benchmarks alpaca-eval --judge judge.yaml
"""


def _above_zero(value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise typer.BadParameter(f"must be above 0, got {value:g}")
    return value


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...",
            help="tiny, smollm2-135m, a folder, OWNER/NAME of a hub, a training run's folder (all "
            "of its policies), or NAME=one of these.",
        ),
    ] = None,
    benchmarks: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated: mini, alpaca-eval, arena-hard-v0.1 (arena-hard), "
            "arena-hard-v2.0, mt-bench, cross-play, lm-eval.  \\[default: mini]"
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="Given answers to the benchmark, in its format. Repeatable."
        ),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option(
            help="A judge: a YAML file, or YAML such as '{kind: local-model, model: tiny}'. "
            "Repeatable: several judges."
        ),
    ] = None,
    judge_url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible endpoint of the judge, ending in /v1.")
    ] = None,
    judge_model: Annotated[str | None, typer.Option(help="The judge's name there.")] = None,
    judge_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the endpoint's key.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(help="YAML file, or an earlier evaluation's folder or run.yaml."),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any setting, e.g. answers.max_new_tokens=256. Repeatable.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder with benchmark files.  \\[default: imported ones]")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many questions of each benchmark, evenly spread.")
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(callback=_above_zero, help="Dollars that judging may cost at most, above 0."),
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(min=1, help="Requests to judges at most.")
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Score although something is missing.")
    ] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let lm-eval run code that models write.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Run directory.  \\[default: below runs/, so equal runs resume]"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run that is there.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, estimate cost and time, ask nobody."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")
    ] = False,
) -> None:
    """Evaluate models; see HELP."""
    from mnpo.cli.evaluating import Request, evaluate_and_report, judges_of, load

    settings = load(
        config,
        models or [],
        outputs or [],
        {
            "benchmarks": None if benchmarks is None else _names(benchmarks),
            "judges": judges_of(judge or [], judge_url, judge_model, judge_key_env),
            "data_dir": None if data_dir is None else str(data_dir),
            "limit": limit,
            "max_cost": max_cost,
            "max_calls": max_calls,
            "allow_missing": allow_missing or None,
            "allow_code": allow_code or None,
        },
        assignments or [],
    )
    evaluate_and_report(Request(settings, output, overwrite, dry_run, as_json))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
