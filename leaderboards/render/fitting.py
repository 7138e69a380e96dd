"""Tables of figures as wide as a terminal: what goes where there is no room for it all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnpo.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

#: Letters of a name, and of a heading's word, that stand on one line where there is no more room.
NAME, WORD = 30, 16
#: Of the width, what intervals may take while they keep further columns out.
_SHARE = 0.4
#: What stands together in a heading: a word with an arrow behind it, a name up to its bracket.
_WORDS = re.compile(r"\(?[^\s(/]+ [↑↓]|[^\s(/]+[(/]|[(/]?[^\s(/]*(?:\s+|$)|.")


@dataclass(frozen=True)
class Figures:
    """A column.

    Attributes:
        title: for the caption.
        heading: its lines; they are broken where the cells are narrower.
        long, short: cells with intervals, and without.
    """

    title: str
    heading: tuple[str, ...]
    long: tuple[str, ...]
    short: tuple[str, ...]


def fitted(
    title: str,
    ranks: Sequence[str] | None,
    names: Sequence[str],
    columns: Sequence[Figures],
    width: int,
) -> "Table":
    """A table; the caption says what it has no room for.

    The first columns have intervals, as long as these take no more than two fifths of the width;
    then come as many columns as fit; then intervals of these. Ranks, names and the first column
    stay.

    Args:
        title: above it.
        ranks: of the rows, or None.
        names: of the rows.
        columns: at least one.
        width: columns of the terminal.
    """
    from rich.cells import cell_len
    from rich.table import Table

    longest = max((cell_len(printable(name)) for name in names), default=0)
    name_width = max(min(longest, NAME), len("policy"))
    fixed = [name_width] + ([max(4, *map(len, ranks))] if ranks else [])
    room = width - 1 - sum(own + 3 for own in fixed)
    widths = [(_width(own, own.long) + 3, _width(own, own.short) + 3) for own in columns]
    with_interval = _chosen(widths, room, _SHARE * width)
    kept = list(zip(columns, with_interval, strict=False))
    fits = _sum(widths, with_interval) <= room
    table = Table(title=text(title), title_justify="left", header_style="bold")
    if ranks:
        table.add_column("rank", justify="right", no_wrap=fits, overflow="fold")
    table.add_column("policy", overflow="fold", min_width=name_width if fits else None)
    for (own, is_long), (long, short) in zip(kept, widths, strict=False):
        own_width = (long if is_long else short) - 3
        table.add_column(
            "\n".join(text(part) for line in own.heading for part in broken(line, own_width)),
            justify="right",
            overflow="fold",
            width=own_width if fits else None,
        )
    for place, name in enumerate(names):
        cells = [own.long[place] if is_long else own.short[place] for own, is_long in kept]
        table.add_row(*([ranks[place]] if ranks else []), text(name), *map(text, cells))
    gone = _gone(columns, with_interval)
    if gone:
        table.caption = text(f"no room for {gone}")
        table.caption_justify = "left"
    return table


def text(own: str) -> str:
    """Free of markup and of what would do something to the terminal."""
    from rich.markup import escape

    return escape(printable(own))


def broken(line: str, width: int) -> list[str]:
    """A line of a heading as lines of at most so many columns, where its words allow that."""
    from rich.cells import cell_len

    lines = [""]
    for word in _WORDS.findall(printable(line)):
        if lines[-1] and cell_len((lines[-1] + word).rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return [own.rstrip() for own in lines if own.strip()]


def _chosen(widths: Sequence[tuple[int, int]], room: int, share: float) -> list[bool]:
    """Of each column that is kept, whether it has its interval."""
    with_interval: list[bool] = []
    for long, short in widths:
        taken = _sum(widths, with_interval)
        if all(with_interval) and taken + long <= min(share, room):
            with_interval.append(True)
        elif not with_interval or taken + short <= room:
            with_interval.append(False)
        else:
            break
    for place, (long, short) in enumerate(widths[: len(with_interval)]):
        if with_interval[place]:
            continue
        if _sum(widths, with_interval) + long - short > room:
            break
        with_interval[place] = True
    return with_interval


def _sum(widths: Sequence[tuple[int, int]], with_interval: Sequence[bool]) -> int:
    return sum(
        long if own else short for (long, short), own in zip(widths, with_interval, strict=False)
    )


def _width(own: Figures, cells: Sequence[str]) -> int:
    from rich.cells import cell_len

    words = [word for line in own.heading for word in _WORDS.findall(printable(line))]
    widest = max((cell_len(word.rstrip()) for word in words), default=0)
    return max(min(widest, WORD), *(cell_len(printable(cell)) for cell in cells), 1)


def _gone(columns: Sequence[Figures], with_interval: Sequence[bool]) -> str:
    bare = [
        own.title
        for own, is_long in zip(columns, with_interval, strict=False)
        if not is_long and own.long != own.short
    ]
    parts = []
    if bare:
        columns_text = f" of {len(bare)} column{'s' if len(bare) > 1 else ''}"
        parts.append("intervals" + (columns_text if len(bare) < len(with_interval) else ""))
    parts += [own.title for own in columns[len(with_interval) :]]
    return ", ".join(parts)
