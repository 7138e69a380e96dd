"""What every `score` command shares: its options, and what is printed and written at the end."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnpo.cli.lines import say

if TYPE_CHECKING:
    from evaluation.scores import Scores

OutputOption = Annotated[
    Path | None,
    typer.Option(help="Folder for results.json and results.csv.  \\[default: print only]"),
]
AllowMissingOption = Annotated[
    bool,
    typer.Option(
        "--allow-missing",
        help="Score although rows are missing; what is missing is counted, never filled in.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print results.json's content, and nothing else.")
]


def report(scores: "Scores", output: Path | None, as_json: bool) -> None:
    """Print the scores, and write ``results.json`` and ``results.csv`` where asked.

    Raises:
        OSError: a file cannot be written.
    """
    from evaluation.scores_table import parts_table, scores_table
    from evaluation.tidy import results_csv
    from mnpo.cli.printing import print_to, width_of
    from mnpo.runs.files import write_atomically

    text = scores.json()
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(output / "results.csv", results_csv(scores.results(output.name)))
        write_atomically(output / "results.json", text)
    if as_json:
        print(text, end="")
        return
    parts = parts_table(scores)
    table = scores_table(scores, width_of(sys.stdout))
    print_to(sys.stdout, table, *(() if parts is None else (parts,)), *scores.notes)
    for own in scores.models:
        print_to(sys.stdout, *(f"warning: {own.model}: {flag}" for flag in own.flags))
    if output is not None:
        say(f"wrote {output / 'results.json'}, results.csv")
