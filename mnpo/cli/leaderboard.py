"""`mnpo-bench leaderboard`: what runs found, side by side, rated, and checked."""

from pathlib import Path
from typing import Annotated

import typer

HELP = """Put the results of any number of runs on one board: CSV, Markdown, JSON, LaTeX and a page.

A run is the folder of a simulation, training or evaluation, a published board, or a win matrix.
"""
EPILOG = """Examples, each a command:

mnpo-bench leaderboard runs/tiny-3f2a91bc

mnpo-bench leaderboard runs/* --output board --benchmarks alpaca-eval,arena-hard --compare paper

mnpo-bench leaderboard runs/a runs/b --columns length_controlled_win_rate,score --sort score

mnpo-bench leaderboard --check board
"""
#: Where a board is written when no folder is given, and which one is checked.
FOLDER = Path("leaderboard")


def leaderboard(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN...",
            help="Run directories, published boards, win matrices; with --check, boards.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="Folder of the board; an older board there is replaced.")
    ] = FOLDER,
    benchmarks: Annotated[
        str | None, typer.Option(help="Only these, comma-separated.  \\[default: all]")
    ] = None,
    algorithms: Annotated[
        str | None, typer.Option(help="Only these, comma-separated.  \\[default: all]")
    ] = None,
    judges: Annotated[
        str | None, typer.Option(help="Only figures under these.  \\[default: all]")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Columns in their order: BENCHMARK/METRIC, METRIC or BENCHMARK, comma-separated. "
            " \\[default: each benchmark's headline]"
        ),
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help="Column to sort by.  \\[default: the first]")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(help="Printed figures beside ours: paper (= mnpo), inpo, sppo."),
    ] = None,
    title: Annotated[str, typer.Option(help="Of the page.")] = "Leaderboard",
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstraps.")] = 0,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compute every figure of a board anew from the files it names; exit code 1 where "
            "one differs.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the board as JSON, and nothing else.")
    ] = False,
) -> None:
    """Make a board, or check one; see HELP."""
    from leaderboards.options import BoardOptions
    from mnpo.cli.boards import check_and_report, collect_and_report
    from mnpo.errors import InvalidSetting

    if check:
        check_and_report(runs or [output], as_json=as_json)
        return
    if not runs:
        raise InvalidSetting("give the folders of one or more runs, e.g. runs/*")
    options = BoardOptions(
        title=title,
        benchmarks=_names(benchmarks),
        algorithms=_names(algorithms),
        judges=_names(judges),
        columns=_names(columns),
        sort=sort,
        compare=_names(compare),
        seed=seed,
    )
    collect_and_report(runs, options, output, as_json=as_json)


def _names(text: str | None) -> tuple[str, ...]:
    """Split at commas, but not within brackets: names of judges hold some."""
    names, depth = [""], 0
    for sign in text or "":
        depth = max(depth + (sign in "([{") - (sign in ")]}"), 0)
        if sign == "," and not depth:
            names.append("")
        else:
            names[-1] += sign
    return tuple(name.strip() for name in names if name.strip())
