"""`mnpo-bench data`: the benchmarks' files, which are not part of this project."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from mnpo.cli.lines import note, say

app = typer.Typer(
    help="The benchmarks' files: list them, fetch them, take them from a folder, verify them.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="BENCHMARK or BENCHMARK/ROLE.  \\[default: all]"),
]


@app.command("list")
def list_all(
    names: Names = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Look in this folder too, as 'evaluate --data-dir' does.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every file of every benchmark: licence, and whether it is here."""
    from evaluation.data.listing import listed

    rows = list(listed(names or (), data_dir))
    if as_json:
        print(json.dumps([row.describe() for row in rows], indent=1))
        return
    from rich.table import Table

    from mnpo.cli.printing import print_to

    table = Table(header_style="bold")
    for column in ("benchmark", "role", "here", "what", "licence"):
        table.add_column(column, overflow="fold")
    last, licence = "", ""
    for row in rows:
        here = f"{row.here} ({row.form})" if row.form else row.here
        if row.here == "no" and row.optional:
            here = "no (optional)"
        name = row.benchmark if row.benchmark != last else ""
        # Said once where it is the same for all of a benchmark's files.
        own = row.licence if (name, row.licence) != ("", licence) else ""
        table.add_row(name, row.role, here, row.what, own)
        last, licence = row.benchmark, row.licence
    print_to(sys.stdout, table)


@app.command("fetch")
def fetch(
    names: Names = None,
    mirror: Annotated[
        str | None,
        typer.Option(help="Fetch MIRROR/HOST/PATH instead of https://HOST/PATH; hashes stay."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Refuse to use the network, as HF_HUB_OFFLINE=1 does.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Fetch what is here already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch files from their official addresses, each checked against its hash."""
    from evaluation.data.fetching import fetch as fetch_files

    rows = []
    for row in fetch_files(names or (), mirror=mirror, offline=offline, again=again, say=note):
        rows.append(row)
        if not as_json:
            say(f"{row.state:8} {row.benchmark}/{row.role}  {row.detail}".rstrip())
    if as_json:
        print(json.dumps([row.describe() for row in rows], indent=1))
    # What has no address is bad news only for who asked for it by its name.
    named = {name for name in names or () if "/" in name}
    bad = [
        row
        for row in rows
        if row.state == "failed"
        or (row.state == "nowhere" and f"{row.benchmark}/{row.role}" in named)
    ]
    if bad:
        raise typer.Exit(1)


@app.command("import")
def import_files(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with the files.")],
    names: Names = None,
    accept_changed: Annotated[
        bool,
        typer.Option(
            "--accept-changed",
            help="Take a known file although its content is another; it is labelled as changed.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take files from a folder into the cache, each checked against its hash."""
    from evaluation.data.importing import import_folder

    rows = []
    for row in import_folder(folder, names or (), accept_changed=accept_changed):
        rows.append(row)
        if not as_json:
            label = f" ({row.form})" if row.form else ""
            say(f"{row.state:8} {row.benchmark}/{row.role}{label}  {row.detail}".rstrip())
    states = Counter(row.state for row in rows)
    if as_json:
        print(json.dumps([row.describe() for row in rows], indent=1))
    else:
        print(", ".join(f"{count} {state}" for state, count in states.items()) or "nothing to do")
    if states["refused"] or not states["imported"] + states["kept"]:
        raise typer.Exit(1)


@app.command("verify")
def verify(names: Names = None, as_json: AsJson = False) -> None:
    """Hash every file in the cache again; exit code 1 when one is missing or has changed."""
    from evaluation.data.catalog import catalog, chosen
    from evaluation.data.store import Store

    wanted = set(chosen(names or []))
    store = Store()
    rows = [
        row
        for row in store.verify(list(catalog()))
        if not names or (row.benchmark, row.role) in wanted
    ]
    if as_json:
        print(json.dumps([row.describe() for row in rows], indent=1))
    else:
        for row in rows:
            label = "" if row.form == "official" else f" ({row.form})"
            say(f"{row.state:8} {row.benchmark}/{row.role}{label}  {row.path}")
        if not rows:
            say(f"nothing in {store.folder}")
    if any(row.state != "ok" for row in rows):
        raise typer.Exit(1)
