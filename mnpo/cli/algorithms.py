"""`mnpo-bench algorithms`: what can be run."""

import json
from dataclasses import MISSING, fields
from typing import Annotated, Any

import typer

app = typer.Typer(help="The algorithms: list them, or look at one.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List every algorithm with its paper and how well it is checked."""
    from mnpo.algorithms import list_algorithms

    entries = list_algorithms()
    if as_json:
        print(json.dumps([_as_dict(entry) for entry in entries], indent=1))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    for entry in entries:
        card = entry.kind.card
        preset = ", ".join(f"{k}={v}" for k, v in entry.preset.items())
        console.print(Text(entry.name, style="bold cyan"))
        console.print(Padding.indent(Text(card.summary), 4))
        detail = f"arXiv {card.arxiv}; {card.badge}" + (f"; {preset}" if preset else "")
        console.print(Padding.indent(Text(detail, style="dim"), 4))


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="An algorithm's name.")], as_json: AsJson = False
) -> None:
    """Show one algorithm: equations, parameters, and where its paper contradicts itself."""
    from mnpo.algorithms import find_entry

    entry = find_entry(name)
    described = _as_dict(entry)
    if as_json:
        print(json.dumps(described, indent=1))
        return
    print(f"{entry.name}: {described['summary']}")
    print(f"  {described['title']} (arXiv {described['arxiv']}); {described['equations']}")
    print(f"  maturity: {described['badge']}")
    if described["notes"]:
        print(f"  note: {described['notes']}")
    if entry.kind.__doc__:
        print("\n" + "\n".join("  " + line.strip() for line in entry.kind.__doc__.splitlines()))
    print("  parameters (common convention):")
    for key, value in described["parameters"].items():
        print(f"    {key} = {value}")
    if described["paper_parameters"]:
        print("  the paper's own parameters, translated:")
        for key, meaning in described["paper_parameters"].items():
            print(f"    {key}: {meaning}")


def _as_dict(entry: Any) -> dict[str, Any]:
    from mnpo.algorithms.paper_parameters import PAPER_PARAMETERS

    card = entry.kind.card
    unread = {"step_size", "temperature"} - entry.kind.reads
    own = PAPER_PARAMETERS.get(entry.name, {})
    defaults = {
        item.name: None if item.default is MISSING else item.default
        for item in fields(entry.kind)
        if item.name not in unread
    } | entry.preset
    return {
        "name": entry.name,
        "summary": card.summary,
        "title": card.title,
        "arxiv": card.arxiv,
        "equations": card.equations,
        "badge": str(card.badge),
        "notes": card.notes,
        "target": entry.kind(**entry.preset).target,
        "parameters": defaults,
        "paper_parameters": {key: f"{t.meaning} (sets {t.field})" for key, t in own.items()},
    }
