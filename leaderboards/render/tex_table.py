"""Tables of TeX: floats, or, where they are longer than a page, tables that break over pages."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from leaderboards.render.tex_text import tex

#: Rows that still fit a page: of single lines, and of paragraphs.
MOST_ON_PAGE, MOST_PARAGRAPHS = 40, 12
#: Columns of figures in a table; letters of a heading's line.
MOST_FIGURES, LINE = 5, 14


@dataclass(frozen=True)
class TexTable:
    """All of a table but its frame; every text is TeX already.

    Attributes:
        spec: of the columns: letters, or ``p{...}``.
        head: lines above the rule, each whole: rows, and rules between them.
        rows: of cells.
        caption: above it.
        label: to refer to it.
        notes: paragraphs beneath it.
    """

    spec: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    label: str
    notes: tuple[str, ...] = ()

    @property
    def breaks(self) -> bool:
        """Whether it is longer than a page."""
        return len(self.rows) > (MOST_PARAGRAPHS if "p{" in self.spec else MOST_ON_PAGE)


def table_lines(table: TexTable) -> Iterator[str]:
    """The table, small enough for six columns of figures with their intervals."""
    named = f"\\caption{{{table.caption}}}\\label{{{table.label}}}"
    body = [row_line(row) for row in table.rows]
    notes = [f"{{\\par\\footnotesize {note}\\par}}" for note in table.notes]
    size = ("\\footnotesize", "\\setlength{\\tabcolsep}{3pt}")
    if table.breaks:
        yield from ("{", *size, f"\\begin{{longtable}}{{{table.spec}}}", f"{named} \\\\")
        yield from ("\\toprule", *table.head, "\\midrule", "\\endfirsthead")
        yield from ("\\toprule", *table.head, "\\midrule", "\\endhead")
        yield from ("\\bottomrule", "\\endlastfoot", *body, "\\end{longtable}", *notes, "}", "")
        return
    yield from ("\\begin{table}[t]", "\\centering", named, *size)
    yield from (f"\\begin{{tabular}}{{{table.spec}}}", "\\toprule", *table.head, "\\midrule")
    yield from (*body, "\\bottomrule", "\\end{tabular}", *notes, "\\end{table}", "")


def row_line(cells: Sequence[str]) -> str:
    """A row that begins with a bracket would be taken for the argument of the line end before."""
    row = " & ".join(cells)
    return f"{'{}' if row.startswith(('[', '*')) else ''}{row} \\\\"


def stacked(text: str, width: int = LINE) -> str:
    """Plain text as TeX, on several lines where it is long."""
    lines = textwrap.wrap(text, width, break_long_words=False) or [""]
    # What follows a line's end in brackets would be its argument.
    own = [("{}" if line.startswith(("[", "*")) else "") + tex(line) for line in lines]
    whole = " \\\\ ".join(own)
    return own[0] if len(own) == 1 else f"\\shortstack{{{whole}}}"


def grouped_head(first: Sequence[str], columns: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Two rows: benchmarks with a rule under each, and metrics.

    Args:
        first: headings of the columns before.
        columns: (benchmark, metric) of the others, plain text; where no benchmark is named there
            is one row.
    """
    metrics = row_line([*map(tex, first), *(stacked(metric) for _, metric in columns)])
    if not any(benchmark for benchmark, _ in columns):
        return (metrics,)
    cells, rules, place = ["" for _ in first], [], len(first) + 1
    for benchmark, count in runs([benchmark for benchmark, _ in columns]):
        cells.append(f"\\multicolumn{{{count}}}{{c}}{{{stacked(benchmark, LINE * count)}}}")
        rules += [f"\\cmidrule(lr){{{place}-{place + count - 1}}}"] if benchmark else []
        place += count
    return (row_line(cells), "".join(rules), metrics)


def runs(names: Sequence[str]) -> list[tuple[str, int]]:
    """Equal neighbours as one, with their number."""
    found: list[tuple[str, int]] = []
    for name in names:
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + 1)
        else:
            found.append((name, 1))
    return found


def parts(groups: Sequence[int], most: int) -> list[int]:
    """Sizes of the tables that columns are dealt to, about equal, groups together where they fit.

    Args:
        groups: columns in each.
        most: columns of a table.
    """
    count = len(_dealt(groups, most))
    return next(own for size in range(1, most + 1) if len(own := _dealt(groups, size)) == count)


def _dealt(groups: Sequence[int], most: int) -> list[int]:
    sizes: list[int] = []
    for group in groups:
        if sizes and sizes[-1] + group <= most:
            sizes[-1] += group
        else:
            whole, rest = divmod(group, most)
            sizes += [most] * whole + ([rest] if rest else [])
    return sizes


def ends(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Where each part starts and stops."""
    stops = list(accumulate(sizes))
    return [(stop - size, stop) for size, stop in zip(sizes, stops, strict=True)]


def of_several(caption: str, number: int, count: int) -> str:
    """The caption, with the number of its part."""
    return caption if count == 1 else f"{caption} Part {number} of {count}."


def all_cells(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """One after the other."""
    return (cell for row in rows for cell in row)
