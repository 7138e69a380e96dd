"""Tables and lines on a terminal, a pipe or a file."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Width where there is no terminal to ask.
WIDTH = 150


def print_to(stream: Any, *items: Table | str) -> None:
    """Print tables and lines; names are shown as they are, brackets included."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=WIDTH)
    for item in items:
        if isinstance(item, str):
            console.print(Text(item), soft_wrap=True)
        else:
            console.print(item)
