"""`mnpo-bench train-all`: many methods on a language model, under one equal budget."""

from enum import StrEnum
from typing import Annotated

import typer

from mnpo.cli.train import (
    DryRunOption,
    JsonOption,
    OutputOption,
    OverwriteOption,
    RecipeOption,
    SetOption,
)

HELP = """Train every method of a recipe under one equal budget, evaluate them, rank them.

Without options: sixteen methods on the small embedded model, in a few minutes.

The page is leaderboard/leaderboard.html in the run directory; the same command goes on.
"""
EPILOG = """Examples, each a command:

mnpo-bench train-all

mnpo-bench train-all --methods inpo,mnpo,dpo --seeds 3

mnpo-bench train-all --recipe smollm2-135m --dry-run
"""


class Until(StrEnum):
    """The stages of `mnpo.runs.chain`, for the option's choices."""

    TRAIN = "train"
    EVALUATE = "evaluate"
    LEADERBOARD = "leaderboard"


def train_all(
    recipe: RecipeOption = "tiny",
    methods: Annotated[
        str | None,
        typer.Option(help="Names, comma-separated.  \\[default: the recipe's]"),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Number of seeds.  \\[default: the recipe's]")
    ] = None,
    assignments: SetOption = None,
    output: OutputOption = None,
    overwrite: OverwriteOption = False,
    executor: Annotated[
        str, typer.Option(help="local, or ray (extra 'ray'; RAY_ADDRESS names a cluster).")
    ] = "local",
    jobs: Annotated[
        int, typer.Option(help="Methods trained side by side: processes, or CPUs of a local Ray.")
    ] = 1,
    until: Annotated[
        Until,
        typer.Option(help="Stop after this stage; a later call goes on from there."),
    ] = Until.LEADERBOARD,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train, evaluate and compare many methods; see HELP."""
    from mnpo.cli.training import Request, load, train_and_report
    from mnpo.training.runs.executors import make_executor

    runner = make_executor(executor, jobs)
    names = None
    if methods is not None:
        names = [name.strip() for name in methods.split(",") if name.strip()]
    found = load(recipe, assignments or [], names, None if seeds is None else range(seeds))
    train_and_report(
        Request(
            recipe=found,
            stem=found.recipe,
            output=output,
            overwrite=overwrite,
            dry_run=dry_run,
            as_json=as_json,
            executor=runner,
            until=until.value,
        )
    )
