"""`mnpo-bench train`: one method on a language model."""

from pathlib import Path
from typing import Annotated

import typer

HELP = """Train a language model with one method and play the result against the start.

Without options it trains the small embedded model for a minute, with nothing to download.
"""
EPILOG = """Examples, each a command:

mnpo-bench train inpo

mnpo-bench train mnpo --set methods.mnpo.num_players=2 --set budget.iterations=2

mnpo-bench train dpo --recipe smollm2-135m --set optimizer.learning_rate=1e-6 --dry-run
"""

RecipeOption = Annotated[
    str,
    typer.Option(
        help="A recipe's name (tiny, smollm2-135m, gemma-2-9b-it, llama-3-8b-it), a YAML file, or "
        "an earlier run's folder or run.yaml."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any setting of the recipe, e.g. budget.prompts=32 or methods.inpo.step_size=5. "
        "Repeatable.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(help="Run directory.  \\[default: below runs/, so equal runs resume]"),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, print the plan, write nothing.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")
]


def train(
    method: Annotated[str, typer.Argument(help="A method's name, e.g. inpo, mnpo, dpo, simpo.")],
    recipe: RecipeOption = "tiny",
    assignments: SetOption = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the run.  \\[default: the recipe's first]")
    ] = None,
    output: OutputOption = None,
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train one method; see HELP."""
    from mnpo.cli.training import Request, load, train_and_report

    found = load(recipe, assignments or [], [method], None if seed is None else [seed])
    if seed is None:
        found = found.model_copy(update={"seeds": found.seeds[:1]})
    train_and_report(
        Request(
            recipe=found,
            stem=f"{found.recipe}-{method}",
            output=output,
            overwrite=overwrite,
            dry_run=dry_run,
            as_json=as_json,
        )
    )
