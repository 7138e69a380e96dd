"""`mnpo-bench verify`: do the papers' claims hold?"""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnpo.cli.lines import complain, note, say

if TYPE_CHECKING:
    from leaderboards.claims.claim import Claim, Effort, Finding
    from leaderboards.claims.run import Found

HELP = """Test the papers' claims and write claims.md, claims.json and a page.

Each claim gets a verdict that is computed from numbers: holds, holds when ..., or fails.
"""
EPILOG = """Examples, each a command:

mnpo-bench verify --list

mnpo-bench verify --output runs/claims --jobs 2

mnpo-bench verify proposition-1 eq15-is-eq10 --quick
"""


def verify(
    claims: Annotated[
        list[str] | None, typer.Argument(help="Names of claims; none for all.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Run directory.  \\[default: runs/claims-HASH, so equal runs resume]"),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Repetitions of what is random; a claim that says nothing with so few takes more, "
            "and a note names it.  \\[default: 64, or 16 with --quick]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer repetitions, shorter runs: wider intervals.")
    ] = False,
    jobs: Annotated[int, typer.Option(help="Claims tested at the same time.")] = 1,
    show_list: Annotated[
        bool, typer.Option("--list", help="List the claims and write nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run with other settings there.")
    ] = False,
) -> None:
    """Test claims; see HELP."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        # Set before numpy loads: on shared cores several BLAS threads are slower than one.
        os.environ.setdefault(variable, "1")
    from leaderboards.claims.claim import Effort
    from leaderboards.claims.registry import find_claims

    chosen = find_claims(claims or [])
    if show_list:
        _list(chosen, as_json=as_json)
        return
    repetitions = seeds if seeds is not None else (16 if quick else 64)
    effort = Effort(seeds=repetitions, seed=seed, quick=quick)
    folder = output or _default_folder(chosen, effort)
    found = _run(chosen, effort, folder, jobs, overwrite=overwrite, quiet=as_json)
    _write_page(found, folder)
    _note_repetitions(found, effort)
    if as_json:
        print((folder / "claims.json").read_text(encoding="utf-8"), end="")
        return
    say(f"report: {folder / 'claims.md'}, page: {folder / 'claims.html'}")


def _list(chosen: "tuple[Claim, ...]", *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([claim.describe() for claim in chosen], indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    for claim in chosen:
        console.print(Text(claim.name, style="bold cyan"))
        console.print(Padding.indent(Text(claim.statement), 4))
        console.print(Padding.indent(Text(claim.source, style="dim italic"), 4))


def _run(
    chosen: "tuple[Claim, ...]",
    effort: "Effort",
    folder: Path,
    jobs: int,
    *,
    overwrite: bool,
    quiet: bool,
) -> "Found":
    from leaderboards.claims.run import verify as verify_claims

    def tell(claim: "Claim", finding: "Finding", before: bool) -> None:
        if not quiet:
            _tell(claim, finding, before)

    try:
        return verify_claims(
            [claim.name for claim in chosen],
            effort,
            folder,
            jobs=jobs,
            overwrite=overwrite,
            command=shlex.join(["mnpo-bench", *sys.argv[1:]]),
            listen=tell,
        )
    except KeyboardInterrupt:
        complain(f"interrupted; finished claims are kept in {folder}, the same command goes on")
        sys.exit(130)  # main would say no more than that it was interrupted


def _tell(claim: "Claim", finding: "Finding", before: bool) -> None:
    """Two lines on one finding."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from leaderboards.claims.claim import Verdict
    from leaderboards.claims.numbers import shown_number

    colour = {Verdict.HOLDS: "green", Verdict.HOLDS_WHEN: "yellow", Verdict.FAILS: "red"}
    console = Console(highlight=False)
    line = Text(claim.name, style="bold").append(": ", style="default")
    line.append(str(finding.verdict), style=colour[finding.verdict])
    if finding.condition:
        joined = " " if finding.verdict is Verdict.HOLDS_WHEN else "; "
        line.append(joined + finding.condition, style="not bold")
    if before:
        line.append(" (found before)", style="dim")
    console.print(line)
    number = f"{finding.quantity}: {shown_number(finding.number)}"
    console.print(Padding.indent(Text(number, style="dim"), 4))


def _note_repetitions(found: "Found", effort: "Effort") -> None:
    """One line, on stderr, if a claim used more repetitions than were asked for."""
    used: dict[int, list[str]] = {}
    for claim, finding in found:
        if (finding.repetitions or 0) > effort.seeds:
            used.setdefault(finding.repetitions or 0, []).append(claim.name)
    if used:
        told = "; ".join(f"{count} for {', '.join(used[count])}" for count in sorted(used))
        note(f"more repetitions than {effort.seeds}, with which nothing could be told: {told}")


def _write_page(found: "Found", folder: Path) -> None:
    from leaderboards.claims.table import claims_board
    from leaderboards.render.html import render_html
    from mnpo.runs import RunDirectory, sha256_file, write_atomically

    run = RunDirectory(folder)
    manifest = run.manifest()
    board = claims_board(found, command=shlex.join(["mnpo-bench", *sys.argv[1:]]))
    write_atomically(folder / "claims.html", render_html(board))
    outputs = manifest.get("outputs", {}) | {"claims.html": sha256_file(folder / "claims.html")}
    run.update_manifest(outputs=outputs)


def _default_folder(chosen: "tuple[Claim, ...]", effort: "Effort") -> Path:
    from mnpo.runs import digest

    whole = digest({"claims": [claim.name for claim in chosen], "effort": repr(effort)})
    return Path("runs") / f"claims-{whole[:8]}"
