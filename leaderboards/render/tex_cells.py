"""Figures, and what stands under them, as TeX."""

from collections.abc import Iterable, Sequence

from evaluation.statistics import Interval
from leaderboards.board import Column, Rating
from leaderboards.render.footnotes import Footnotes
from leaderboards.render.rounding import Places
from leaderboards.render.tex_text import tex
from leaderboards.render.words import ARROWS

NOTHING = "--"
_LETTERS = "Superscript letters: figures of a column that share one do not differ significantly."


def figure_tex(
    found: Interval, places: Places, *, bold: bool = False, letters: str = "", marks: str = ""
) -> str:
    """In mathematics: the value, its interval beneath, letters and footnotes above."""
    value, low, high = (_number(text) for text in places.written(found))
    if not value:
        return NOTHING + (f"$^{{{marks}}}$" if marks else "")
    if bold:
        value = f"\\mathbf{{{value}}}"
    elif "^" in value:
        value = f"{{{value}}}"  # one superscript cannot follow another
    above = [f"\\mathrm{{{letters}}}"] if letters else []
    above += [marks] if marks else []
    over = f"^{{{','.join(above)}}}" if above else ""
    return f"${value}{over}_{{[{low}, {high}]}}$" if low and high else f"${value}{over}$"


def marks_tex(numbers: Iterable[int]) -> str:
    """Footnotes of a figure: ``(1)(3)``."""
    return "".join(f"({number})" for number in numbers)


def legend(cells: Iterable[str], bold: str) -> str:
    """What the signs of a table say, of those that it has.

    Args:
        cells: of the table, as TeX.
        bold: what bold says.
    """
    whole = " ".join(cells)
    said = ["Subscripts: 95 % intervals."] if "_{[" in whole else []
    said += [bold] if bold and "\\mathbf" in whole else []
    said += [_LETTERS] if "^{\\mathrm" in whole else []
    return tex(" ".join(said))


def footnotes_tex(notes: Footnotes, used: Iterable[int]) -> str:
    """The footnotes of a table in one paragraph."""
    own = set(used)
    return " ".join(f"({n.number}) {tex(n.text)}." for n in notes.notes if n.number in own)


def measured_in(columns: Sequence[Column]) -> str:
    """Units and judges, those that are alike together; plain text, "" where there are none."""
    titles: dict[tuple[str, str], list[Column]] = {}
    for own in columns:
        titles.setdefault((own.unit, own.judge), []).append(own)
    said = []
    for (unit, judge), alike in titles.items():
        known = [f"unit {unit}"] if unit else []
        what = ", ".join([*known, *([f"judge {judge}"] if judge else [])])
        if what:
            whose = "" if len(titles) == 1 else f"{_named(alike, columns)}: "
            said.append(f"{whose}{what}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def split_title(title: str) -> tuple[str, str]:
    """Benchmark, and what was measured on it, of a column's title; "" where it names none."""
    benchmark, colon, metric = title.partition(": ")
    return (benchmark, metric) if colon else ("", title)


def _named(some: Sequence[Column], every: Sequence[Column]) -> str:
    """By their benchmarks, where these have no other columns."""
    kept = {own.key for own in some}
    others = {split_title(own.title)[0] for own in every if own.key not in kept}
    names = (
        benchmark if benchmark and benchmark not in others else own.title
        for own in some
        for benchmark, _ in (split_title(own.title),)
    )
    return ", ".join(dict.fromkeys(names))


def _number(text: str) -> str:
    """As mathematics: powers of ten, infinity."""
    text = text.replace("inf", "\\infty")
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa} \\times 10^{{{int(exponent)}}}"


def arrow(column: Column | Rating) -> str:
    """Towards what is better, behind a title; plain text."""
    return f" {ARROWS[column.better]}" if column.better != "neither" else ""


def plain_letters(letters: str) -> str:
    """Those that mathematics can set as they are."""
    return "".join(own for own in letters if own.isascii() and own.isalpha())
