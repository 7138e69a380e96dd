"""Tables and lines on a terminal, a pipe or a file."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnpo.printable import printable

#: Width where there is no terminal to ask.
WIDTH = 150


def width_of(stream: Any) -> int:
    """Columns of the terminal behind a stream, `WIDTH` where there is none."""
    return _console(stream).width


def print_to(stream: Any, *items: Table | str) -> None:
    """Print tables and lines; names are shown as they are, brackets included.

    What no terminal should get is spelled out, see `mnpo.printable`; tables have that done by who
    makes them.
    """
    console = _console(stream)
    for item in items:
        if isinstance(item, str):
            console.print(Text(printable(item)), soft_wrap=True)
        else:
            console.print(item)


def _console(stream: Any) -> Console:
    console = Console(file=stream, highlight=False)
    return console if console.is_terminal else Console(file=stream, highlight=False, width=WIDTH)
