"""`mnpo-bench games`: what can be played."""

import json
from typing import Annotated, Any

import typer

app = typer.Typer(help="The preference games: list them, or look at one.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List every game family with its parameters and defaults."""
    from simulators.games import list_games

    specs = list_games()
    if as_json:
        print(json.dumps([_as_dict(spec) for spec in specs], indent=1))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for spec in specs:
        name = "file:PATH" if spec.name == "file" else spec.name
        console.print(Text(name, style="bold cyan"))
        console.print(Padding.indent(Text(spec.summary), 4))
        table = Table.grid(padding=(0, 2, 0, 0))
        for parameter in spec.parameters:
            setting = Text(parameter.name, style="green")
            setting.append(f" = {_shown(parameter.default)}", style="default")
            table.add_row(setting, Text(parameter.doc, style="dim"))
        console.print(Padding.indent(table, 8))
        console.print(Padding.indent(Text(f"source: {spec.source}", style="dim italic"), 8))
    console.print(
        "\nPlay one with [bold]mnpo-bench simulate --game NAME --set PARAMETER=VALUE[/bold]; look "
        "at one with [bold]mnpo-bench games show NAME[/bold]."
    )


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A game, or file:PATH.")],
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter, KEY=VALUE.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a game: its matrix, equilibria, and how cyclic it is."""
    from mnpo.cli.values import read_assignments
    from simulators.games import make_game
    from simulators.study.facts import game_facts

    parameters = read_assignments(assignments or [])
    game = make_game(name, **{key.removeprefix("game."): v for key, v in parameters.items()})
    facts = game_facts(game)
    if as_json:
        print(json.dumps(facts, indent=1))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    contexts = f", {game.contexts} contexts" if game.contexts > 1 else ""
    console.print(Text.assemble((game.name, "bold"), f"  {game.size} actions{contexts}"))
    if game.contexts == 1 and game.size <= 12:
        numbers = [str(i) for i in range(game.size)]
        table = Table("row beats column", *numbers, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.columns[0].no_wrap = True
        for i, (action, row) in enumerate(zip(game.actions, game.preferences, strict=True)):
            table.add_row(Text(f"{i} {action}"), *(f"{p:.2f}".removeprefix("0") for p in row))
        console.print(table)
    for key, value in facts.items():
        shown = _fact(key, value, game)
        if shown:
            console.print(f"  {key.replace('_', ' ')}: {shown}", markup=False)


def _fact(key: str, value: Any, game: Any) -> str:
    """One line of `show`: policies by action, parameters that differ from their defaults."""
    if key in ("name", "actions", "size", "contexts"):
        return ""
    if key == "parameters":
        from simulators.games import list_games

        family = "file" if game.name.startswith("file:") else game.name
        defaults = {
            p.name: p.default for s in list_games() if s.name == family for p in s.parameters
        }
        changed = {k: v for k, v in value.items() if _shown(v) != _shown(defaults.get(k))}
        return ", ".join(f"{k}={_shown(v)}" for k, v in changed.items())
    if key in ("nash", "regularized_equilibrium"):
        ranked = sorted(zip(value, game.actions, strict=True), key=lambda pair: -pair[0])
        support = [f"{action} {p:.4f}" for p, action in ranked if p > 1e-9]
        more = f", and {len(support) - 12} more" if len(support) > 12 else ""
        return ", ".join(support[:12]) + more
    return _shown(value)


def _as_dict(spec: Any) -> dict[str, Any]:
    return {
        "name": spec.name,
        "summary": spec.summary,
        "source": spec.source,
        "parameters": [
            {"name": p.name, "default": p.default, "doc": p.doc} for p in spec.parameters
        ],
    }


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(_shown(item) for item in value) + ")"
    return str(value)
