"""What every `score` command shares: its options, and what is printed and written at the end."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from mnpo.cli.printing import print_to
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
    print_to(sys.stdout, scores_table(scores), *(() if parts is None else (parts,)))
    for note in scores.notes:
        print(note)
    for own in scores.models:
        for flag in own.flags:
            print(f"warning: {own.model}: {flag}")
    if output is not None:
        print(f"wrote {output / 'results.json'}, results.csv")
