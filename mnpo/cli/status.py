"""`mnpo-bench status`: how far a run is, and what it has cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnpo.cli.lines import complain

if TYPE_CHECKING:
    from rich.table import Table

    from leaderboards.chain.status_values import Status

HELP = """Tell what is done, running, failed and left in run directories, and what it has cost.

It writes nothing, and may be asked while the run goes on.
"""
EPILOG = """Examples, each a command:

mnpo-bench status runs/tiny-3f2a91bc

mnpo-bench status runs/tiny-3f2a91bc --json
"""

#: Pieces of work; with more, those that are done are counted and not listed.
_MANY = 60


def status(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Folders of training, evaluation, simulation, suite or verification runs.",
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list of JSON objects, one a run.")
    ] = False,
) -> None:
    """Tell how far runs are; see HELP."""
    import json
    import sys

    from leaderboards.chain.status import status_of
    from mnpo.cli.printing import print_to
    from mnpo.errors import UserError

    found, wrong = [], False
    for run in runs:
        try:
            found.append(status_of(run))
        except UserError as error:
            wrong = True
            complain(str(error))
    if as_json:
        print(json.dumps([own.describe() for own in found], indent=1))
    else:
        for number, own in enumerate(found):
            print_to(sys.stdout, *([""] if number else []), *_shown(own))
    if wrong:
        raise typer.Exit(2)


def _shown(own: "Status", depth: int = 0) -> list[Any]:
    """Lines and tables; what is inside a run stands a step to the right."""
    edge = "  " * depth
    when = f", started {own.started}" if own.started else ""
    when += f", finished {own.finished}" if own.finished else ""
    lines: list[Any] = [f"{edge}{own.folder}: {own.kind}, {own.state}{when}"]
    if own.stages:
        shown = (f"{name} {status}" for name, status in own.stages.items())
        lines.append(f"{edge}stages:   {', '.join(shown)}")
    if own.items:
        done = sum(item.state == "done" for item in own.items)
        lines.append(f"{edge}done:     {done} of {len(own.items)}")
        lines.append(_table(own, depth))
    lines += [f"{edge}{line}" for line in own.progress]
    lines += [f"{edge}wrong:    {line}" for line in own.failures]
    lines.append(f"{edge}cost:     {', '.join(_amounts(own.cost))}")
    for inner in own.within:
        lines += _shown(inner, depth + 1)
    if own.command:
        lines.append(f"{edge}goes on:  {own.command}")
    return lines


def _table(own: "Status", depth: int) -> "Table":
    """Its pieces; of very many only those that are not done."""
    from rich.table import Table
    from rich.text import Text

    from mnpo.printable import cut, printable

    table = Table(box=None, padding=(0, 2, 0, 2 * depth + 2), show_header=False)
    for item in own.items:
        if item.state != "done" or len(own.items) <= _MANY:
            detail = cut(printable(item.detail))
            table.add_row(Text(printable(item.what)), Text(item.state), Text(detail))
    return table


def _amounts(cost: Any) -> list[str]:
    from mnpo.cli.amounts import duration, size

    found = []
    for name, value in cost.items():
        if name == "bytes":
            found.append(f"{size(value)} on disk")
        elif name.startswith("seconds"):
            found.append(f"{duration(value)}{name.removeprefix('seconds')}")
        elif name == "dollars":
            found.append(f"${value:.4f} for the answers that are kept")
        else:
            found.append(f"{value:,} {name}")
    return found
