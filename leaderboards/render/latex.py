"""``leaderboard.tex``: the board's tables for papers, to be input there."""

from collections.abc import Iterator, Sequence

from evaluation.statistics import Interval
from leaderboards.board import Board, Column, Entry, Figure, Pool, Section, Table
from leaderboards.render.footnotes import Footnotes, footnotes
from leaderboards.render.markdown import plain
from leaderboards.render.rounding import rounded
from leaderboards.render.select import options_of, pool_order, ranking_column, shown_columns
from leaderboards.render.tex_text import tex
from leaderboards.render.words import heading, rank_range, title_of, told_apart

#: Policies of a pool whose win matrix still fits a page; rows of a table that does not break.
MOST_IN_MATRIX, MOST_ON_PAGE = 12, 40
_NOTHING = "--"


def render_latex(board: Board) -> str:
    """Tables alone, in ASCII; the packages they need are named in a comment at the top.

    Figures are ``$56.2_{[54.1, 58.3]}$``, in bold where the rank range includes the first place:
    everything that may be best, not only what has the largest figure. Tables too long for a page
    are a ``longtable``.
    """
    lines = [
        f"% {tex(title_of(board))}: tables, for \\input.",
        "% Needs \\usepackage{booktabs} and \\usepackage{longtable}.",
        "% Bold: the rank range includes 1. Subscripts: 95 % intervals.",
        *([f"% {tex(board.command)}"] if board.command else []),
        "",
    ]
    for number, section in enumerate(board.sections, 1):
        lines += _section(board, section, f"tab:leaderboard-{number}")
    for number, pool in enumerate(board.pools, 1):
        lines += _pool(pool, f"tab:pool-{number}")
    for number, table in enumerate(board.tables, 1):
        lines += _plain_table(table, f"tab:table-{number}")
    return "\n".join(lines).rstrip("\n") + "\n"


def figure_tex(found: Interval, *, bold: bool = False) -> str:
    """In mathematics: the value with its interval beneath."""
    value, low, high = (_number(text) for text in rounded(found))
    if not value:
        return _NOTHING
    value = f"\\mathbf{{{value}}}" if bold else value
    return f"${value}_{{[{low}, {high}]}}$" if low and high else f"${value}$"


def _section(board: Board, section: Section, label: str) -> Iterator[str]:
    columns = told_apart(shown_columns(section, options_of(board)))
    if not columns:
        return
    ranking = ranking_column(section, columns)
    notes = footnotes(section, columns)
    header = (["Rank"] if ranking else []) + ["Policy", *(tex(heading(own)) for own in columns)]
    rows = [
        [
            *([_rank(entry, ranking)] if ranking else []),
            tex(_called(section, entry)),
            *(_cell(entry.figures.get(own.key), notes) for own in columns),
        ]
        for entry in section.entries
    ]
    spec = ("r" if ranking else "") + "l" + "r" * len(columns)
    caption = tex(section.title) + "." + (f" Ranked by {tex(ranking.title)}." if ranking else "")
    beneath = [f"({note.number}) {tex(note.text)}" for note in notes.notes]
    yield from _floating(spec, header, rows, caption, label, beneath)


def _called(section: Section, entry: Entry) -> str:
    """The method's name in papers, where no two rows share it."""
    alike = sum(own.label == entry.label for own in section.entries)
    return entry.label if entry.label and alike == 1 else entry.name


def _rank(entry: Entry, ranking: Column) -> str:
    figure = entry.figures.get(ranking.key)
    return rank_range(figure.rank if figure else None, "--") or _NOTHING


def _cell(figure: Figure | None, notes: Footnotes) -> str:
    if figure is None:
        return _NOTHING
    best = figure.rank is not None and figure.rank[0] == 1
    marks = ", ".join(map(str, notes.of(figure.flags)))
    return figure_tex(figure.interval, bold=best) + (f"~({marks})" if marks else "")


def _pool(pool: Pool, label: str) -> Iterator[str]:
    ranked = next((own for own in pool.ratings if own.ranks), None)
    if pool.ratings:
        header = (["Rank"] if ranked else []) + ["Policy"]
        header += [tex(heading(own)) for own in pool.ratings]
        rows = []
        for place in pool_order(pool):
            row = [rank_range(ranked.ranks[place], "--")] if ranked else []
            row.append(tex(pool.names[place]))
            for own in pool.ratings:
                best = bool(own.ranks) and own.ranks[place][0] == 1
                row.append(figure_tex(own.values[place], bold=best))
            rows.append(row)
        spec = ("r" if ranked else "") + "l" + "r" * len(pool.ratings)
        yield from _floating(spec, header, rows, f"{tex(pool.title)}: ratings.", label)
    if len(pool.names) <= MOST_IN_MATRIX:
        yield from _matrix(pool, f"{label}-wins")


def _matrix(pool: Pool, label: str) -> Iterator[str]:
    order = pool_order(pool)
    header = ["", "Policy", *(str(number) for number in range(1, len(order) + 1))]
    rows = [
        [str(number), tex(pool.names[i]), *(_against(pool, i, j) for j in order)]
        for number, i in enumerate(order, 1)
    ]
    caption = f"{tex(pool.title)}: win rates of row against column."
    yield from _floating("rl" + "r" * len(order), header, rows, caption, label)


def _against(pool: Pool, i: int, j: int) -> str:
    if i == j:
        return _NOTHING
    ends = float(pool.low[i, j]), float(pool.high[i, j])
    return figure_tex(Interval(float(pool.wins[i, j]), *ends, 0, 0))


def _plain_table(table: Table, label: str) -> Iterator[str]:
    numeric = [
        bool(table.rows) and all(not isinstance(row[place], str) for row in table.rows)
        for place in range(len(table.header))
    ]
    rows = [
        [
            figure_tex(Interval(cell, None, None, 0, 0))
            if isinstance(cell, float)
            else tex(plain(cell))
            for cell in row
        ]
        for row in table.rows
    ]
    spec = "".join("r" if right else "l" for right in numeric)
    yield from _floating(spec, [tex(name) for name in table.header], rows, tex(table.title), label)


def _floating(
    spec: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str,
    label: str,
    notes: Sequence[str] = (),
) -> Iterator[str]:
    """A table with its warnings beneath; a long one breaks over pages."""
    named = f"\\caption{{{caption}}}\\label{{{label}}}"
    head = f"{' & '.join(header)} \\\\"
    body = [f"{_guarded(' & '.join(row))} \\\\" for row in rows]
    beneath = [f"{{\\par\\footnotesize {note}\\par}}" for note in notes]
    if len(rows) > MOST_ON_PAGE:
        yield f"\\begin{{longtable}}{{{spec}}}"
        yield f"{named} \\\\"
        yield from ("\\toprule", head, "\\midrule", "\\endfirsthead")
        yield from ("\\toprule", head, "\\midrule", "\\endhead", "\\bottomrule", "\\endlastfoot")
        yield from (*body, "\\end{longtable}", *beneath, "")
        return
    yield from ("\\begin{table}[t]", "\\centering", named, f"\\begin{{tabular}}{{{spec}}}")
    yield from ("\\toprule", head, "\\midrule", *body, "\\bottomrule", "\\end{tabular}")
    yield from (*beneath, "\\end{table}", "")


def _guarded(row: str) -> str:
    """A row that begins with a bracket would be taken for the argument of the line end before."""
    return "{}" + row if row.startswith(("[", "*")) else row


def _number(text: str) -> str:
    """As mathematics: powers of ten, infinity."""
    text = text.replace("inf", "\\infty")
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa} \\times 10^{{{int(exponent)}}}"
