"""``leaderboard.tex``: the board's tables for papers, to be input there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from leaderboards.board import Board, Column, Entry, Section
from leaderboards.render.bold import BOLD, bold_policies
from leaderboards.render.column_places import of_columns
from leaderboards.render.footnotes import footnotes
from leaderboards.render.select import options_of, ranking_column, shown_columns
from leaderboards.render.tex_cells import (
    NOTHING,
    arrow,
    figure_tex,
    footnotes_tex,
    legend,
    marks_tex,
    measured_in,
    plain_letters,
    split_title,
)
from leaderboards.render.tex_plain import plain_tables
from leaderboards.render.tex_pools import pool_tables
from leaderboards.render.tex_table import (
    MOST_FIGURES,
    TexTable,
    all_cells,
    ends,
    grouped_head,
    of_several,
    parts,
    runs,
    table_lines,
)
from leaderboards.render.tex_text import tex
from leaderboards.render.words import judges_told, labels_in_pools, rank_range, title_of


def render_latex(board: Board) -> str:
    r"""Tables alone, in ASCII; the packages they need are named in a comment at the top.

    Figures are ``$56.2^{\mathrm{a}}_{[54.1, 58.3]}$``, in bold as on the page. A section, a pool
    and a wide table are several tables of a few columns each, with the same rows. Units, judges,
    and what the signs say stand in the notes under each. Tables too long for a page are a
    ``longtable``.
    """
    lines = [
        f"% {tex(title_of(board))}: tables, for \\input.",
        "% Needs \\usepackage{booktabs} and \\usepackage{longtable}.",
        *([f"% {tex(board.command)}"] if board.command else []),
        "",
    ]
    labels = labels_in_pools(board)
    for number, section in enumerate(board.sections, 1):
        for table in _section(board, section, f"tab:leaderboard-{number}"):
            lines += table_lines(table)
    for number, pool in enumerate(board.pools, 1):
        for table in pool_tables(pool, f"tab:pool-{number}", labels):
            lines += table_lines(table)
    for number, plain in enumerate(board.tables, 1):
        for table in plain_tables(plain, f"tab:table-{number}"):
            lines += table_lines(table)
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(board: Board, section: Section, label: str) -> Iterator[TexTable]:
    columns = shown_columns(section, options_of(board))
    if not columns:
        return
    ranking = ranking_column(section, columns)
    first = (["Rank"] if ranking else []) + ["Policy"]
    notes, places = footnotes(section, columns), of_columns(section, columns)
    titles = _titles(columns)
    caption = tex(section.title) + "." + (f" Ranked by {tex(ranking.title)}." if ranking else "")
    sizes = parts(
        [count for _, count in runs([benchmark for benchmark, _ in titles])], MOST_FIGURES
    )
    for number, (start, stop) in enumerate(ends(sizes), 1):
        own = columns[start:stop]
        bold = {column.key: bold_policies(section, column) for column in own}
        used: set[int] = set()
        rows = []
        for entry in section.entries:
            row = ([_rank(entry, ranking)] if ranking else []) + [tex(_called(section, entry))]
            for column in own:
                figure = entry.figures.get(column.key)
                marks = notes.of(figure.flags) if figure else ()
                used.update(marks)
                best = entry.name in bold[column.key]
                row.append(
                    figure_tex(
                        figure.interval,
                        places[column.key],
                        bold=best,
                        letters=plain_letters(figure.letters),
                        marks=marks_tex(marks),
                    )
                    if figure
                    else NOTHING
                )
            rows.append(tuple(row))
        named = zip(own, titles[start:stop], strict=True)
        measured = measured_in([replace(c, title=_joined(title)) for c, title in named])
        beneath = [" ".join(filter(None, (tex(measured), legend(all_cells(rows), BOLD))))]
        beneath += [footnotes_tex(notes, used)]
        yield TexTable(
            ("r" if ranking else "") + "l" + "r" * len(own),
            grouped_head(
                first,
                [
                    (benchmark, f"{metric}{arrow(column)}")
                    for column, (benchmark, metric) in zip(own, titles[start:stop], strict=True)
                ],
            ),
            tuple(rows),
            of_several(caption, number, len(sizes)),
            f"{label}-{number}" if number > 1 else label,
            tuple(filter(None, beneath)),
        )


def _titles(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Benchmark and metric; judges that alone tell columns apart are numbered."""
    judges = judges_told(columns)
    numbers = {judge: n for n, judge in enumerate(dict.fromkeys(filter(None, judges)), 1)}
    found = []
    for column, judge in zip(columns, judges, strict=True):
        benchmark, metric = split_title(column.title)
        found.append((benchmark, f"{metric}, judge {numbers[judge]}" if judge else metric))
    return found


def _joined(title: tuple[str, str]) -> str:
    return ": ".join(filter(None, title))


def _called(section: Section, entry: Entry) -> str:
    """The method's name in papers, where no two rows share it."""
    alike = sum(own.label == entry.label for own in section.entries)
    return entry.label if entry.label and alike == 1 else entry.name


def _rank(entry: Entry, ranking: Column) -> str:
    figure = entry.figures.get(ranking.key)
    return rank_range(figure.rank if figure else None, "--") or NOTHING
