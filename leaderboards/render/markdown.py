"""``leaderboard.md``: the board for people, readable as plain text too."""

import re
from collections.abc import Iterator, Mapping, Sequence

from evaluation.statistics import Interval
from leaderboards.board import Board, Cell, Column, Entry, Figure, Pool, Run, Section, Table
from leaderboards.render.column_places import alone, of_columns, of_matrix, of_rating, of_table
from leaderboards.render.footnotes import Footnotes, footnotes
from leaderboards.render.rounding import Places
from leaderboards.render.select import options_of, pool_order, ranking_column, shown_columns
from leaderboards.render.words import (
    INTERVALS,
    NOTHING,
    RANKS,
    about_column,
    about_pool,
    about_rating,
    facts_text,
    heading,
    label_of,
    labels_in_pools,
    opponents_text,
    rank_range,
    short,
    sources_text,
    title_of,
    told_apart,
    with_label,
)
from mnpo.printable import printable

#: Policies of a pool whose win matrix still fits a page.
MOST_IN_MATRIX = 40
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
#: Underscores within a word are text everywhere; names of models and metrics are full of them.
#: A bracket is text where nothing follows that would make it a link.
_MARKS = re.compile(r"[\\`*{}|~$]|\](?=[\[(:])|(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"^(?:[\[#+=-]|(\d+)(?=[.)]))")


def render_markdown(board: Board) -> str:
    """Tables of all sections, pools with ratings, further tables, sources.

    A cell is value, 95 % interval and letters, ``57.1 [54.1, 60.2] ab``. Text of models and files
    is escaped, so that it shows as it is.
    """
    lines = [f"# {escape(title_of(board))}", ""]
    if board.command:
        lines += [f"Made with {_code(board.command)}.", ""]
    lines += [*_list(board.notes)]
    for section in board.sections:
        lines += _section(board, section)
    labels = labels_in_pools(board)
    for pool in board.pools:
        lines += _pool(pool, labels)
    for table in board.tables:
        lines += _table(table)
    lines += _plots(board)
    lines += _left_out(board)
    lines += _runs(board.runs)
    return "\n".join(lines).rstrip("\n") + "\n"


def escape(text: str) -> str:
    """The text so that Markdown shows it as it is, in a line or in a cell of a table."""
    plain = "".join(_ENTITIES.get(c, c) for c in printable(text))
    return _MARKS.sub(lambda mark: "\\" + mark[0], plain)


def figure_text(found: Interval, places: Places) -> str:
    """``57.1 [54.1, 60.2]``, ``57.1``, or a dash."""
    value, low, high = places.written(found)
    if not value:
        return NOTHING
    return f"{value} [{low}, {high}]" if low and high else value


def _section(board: Board, section: Section) -> Iterator[str]:
    columns = told_apart(shown_columns(section, options_of(board)))
    yield from (f"## {_start(section.title)}", "")
    if not columns:
        yield from ("None of the columns that were asked for stands in this table.", "")
        return
    ranking = ranking_column(section, columns)
    notes, places = footnotes(section, columns), of_columns(section, columns)
    seeds = any(entry.seeds for entry in section.entries)
    header = (["rank"] if ranking else []) + ["policy"] + (["seeds"] if seeds else [])
    header += [escape(heading(own)) for own in columns]
    rows = []
    for entry in section.entries:
        row = [_rank(entry, ranking)] if ranking else []
        row.append(escape(with_label(entry.name, label_of(entry))))
        row += [str(len(entry.seeds)) if entry.seeds else NOTHING] if seeds else []
        rows.append(
            row + [_cell(entry.figures.get(own.key), places[own.key], notes) for own in columns]
        )
    yield from grid(header, rows, [name != "policy" for name in header])
    yield ""
    if ranking:
        yield from (f"Ranked by {escape(ranking.title)}.", "")
    yield from _list([f"{own.title} ({own.key}): {about_column(section, own)}." for own in columns])
    yield from _list(opponents_text(section, columns))
    yield from _warnings(notes)
    yield from _list(section.notes)


def _warnings(notes: Footnotes) -> Iterator[str]:
    """A line each, with the policies below it where they differ."""
    for note in notes.notes:
        yield f"- ({note.number}) {escape(note.text)}"
        for policy, flag in note.each:
            yield f"  - {_start(policy)}: {escape(flag)}"
    if notes.notes:
        yield ""


def _rank(entry: Entry, ranking: Column) -> str:
    figure = entry.figures.get(ranking.key)
    return rank_range(figure.rank if figure else None) or NOTHING


def _cell(figure: Figure | None, places: Places, notes: Footnotes) -> str:
    if figure is None:
        return NOTHING
    marks = notes.marks(figure.flags)
    letters = f" {figure.letters}" if figure.letters else ""
    return figure_text(figure.interval, places) + letters + marks


def _pool(pool: Pool, labels: Mapping[str, str]) -> Iterator[str]:
    yield from (f"## {_start(pool.title)}", "")
    ranked = next((own for own in pool.ratings if own.ranks), None)
    header = (["rank"] if ranked else []) + ["#", "policy"]
    header += [escape(heading(own)) for own in pool.ratings]
    rows = []
    order, places = pool_order(pool), [of_rating(own) for own in pool.ratings]
    for number, place in enumerate(order, 1):
        row = [rank_range(ranked.ranks[place])] if ranked else []
        name = pool.names[place]
        row += [str(number), escape(with_label(name, labels.get(name, "")))]
        for own, written in zip(pool.ratings, places, strict=True):
            letters = f" {own.letters[place]}" if own.letters and own.letters[place] else ""
            row.append(figure_text(own.values[place], written) + letters)
        rows.append(row)
    if pool.ratings:
        yield from grid(header, rows, [name != "policy" for name in header])
        yield ""
    if ranked:
        yield from (f"Ranked by {escape(ranked.title)}.", "")
    yield from _list([f"{own.title}: {about_rating(own)}" for own in pool.ratings])
    if len(pool.names) <= MOST_IN_MATRIX:
        yield from _matrix(pool, order)
    else:
        yield from ("The win matrix is in leaderboard.json.", "")
    yield from _list(about_pool(pool))
    if pool.sources:
        yield from (f"Made of {escape(sources_text(pool.sources))}.", "")


def _matrix(pool: Pool, order: Sequence[int]) -> Iterator[str]:
    numbers = [str(number) for number in range(1, len(order) + 1)]
    places = of_matrix(pool)
    rows = [
        [number, escape(pool.names[i]), *(_against(pool, i, j, places) for j in order)]
        for number, i in zip(numbers, order, strict=True)
    ]
    yield from grid(["#", "policy", *numbers], rows, [True, False, *(True for _ in order)])
    yield ""


def _against(pool: Pool, i: int, j: int, places: Places) -> str:
    if i == j:
        return NOTHING
    ends = float(pool.low[i, j]), float(pool.high[i, j])
    return figure_text(Interval(float(pool.wins[i, j]), *ends, 0, 0), places)


def _table(table: Table) -> Iterator[str]:
    numeric = [
        any(not isinstance(row[place], str) and row[place] is not None for row in table.rows)
        and not any(isinstance(row[place], str) for row in table.rows)
        for place in range(len(table.header))
    ]
    yield from (f"## {_start(table.title)}", "")
    places = of_table(table)
    rows = [
        [escape(plain(cell, own)) for cell, own in zip(row, places, strict=True)]
        for row in table.rows
    ]
    yield from grid([escape(name) for name in table.header], rows, numeric)
    yield ""
    yield from _list(table.notes)
    if table.sources:
        yield from (f"Made of {escape(sources_text(table.sources))}.", "")


def plain(cell: Cell, places: Places) -> str:
    """A cell of a plain table."""
    if cell is None:
        return NOTHING
    if isinstance(cell, float):
        return figure_text(alone(cell), places)
    return str(cell)


def _plots(board: Board) -> Iterator[str]:
    """What they are of: the lines themselves are on the page and in the JSON file."""
    if not board.plots:
        return
    yield from (
        "## Plots",
        "",
        "On the page leaderboard.html; their points in leaderboard.json.",
        "",
    )
    yield from _list(
        [
            f"{own.title}: {own.y_label} over {own.x_label}"
            + (f"; {own.caption}" if own.caption else "")
            + (f"; made of {sources_text(own.sources)}" if own.sources else "")
            for own in board.plots
        ]
    )


def _left_out(board: Board) -> Iterator[str]:
    if board.left_out:
        yield from ("## Left out", "")
        yield from _list([f"{own.what}: {own.why}" for own in board.left_out])


def _runs(runs: Sequence[Run]) -> Iterator[str]:
    yield from ("## How to read this", "")
    yield from _list([RANKS, INTERVALS])
    if not runs:
        return
    yield from ("## Made of", "")
    header = ["run", "kind", "path", "status", "file", "sha256"]
    rows = []
    for run in runs:
        first = [run.key, run.kind, run.path, run.status]
        files = list(run.files.items()) or [("", "")]
        for place, (name, sha256) in enumerate(files):
            own = first if place == 0 else [""] * len(first)
            rows.append([escape(text) for text in (*own, name, short(sha256))])
    yield from grid(header, rows, [False] * len(header))
    yield ""
    yield from _list([f"{run.key}: {facts_text(run)}" for run in runs if facts_text(run)])


def grid(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Lines of a table whose columns line up as plain text; cells are escaped already."""
    widths = [max(3, *map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = (
        "-" * (width - 1) + ":" if to_right else "-" * width
        for width, to_right in zip(widths, right, strict=True)
    )
    return [line(header), f"| {' | '.join(rule)} |", *map(line, rows)]


def _list(lines: Sequence[str]) -> list[str]:
    return [*(f"- {_start(line)}" for line in lines), ""] if lines else []


def _start(text: str) -> str:
    """Escaped, for the start of a line, where a ``#`` or a ``1.`` would begin something."""
    return _BLOCK.sub(
        lambda found: f"{found[1] or ''}\\{'' if found[1] else found[0]}", escape(text)
    )


def _code(text: str) -> str:
    """In a frame of more backticks than the text has in a row."""
    text = printable(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    frame, room = "`" * (longest + 1), " " if longest else ""
    return f"{frame}{room}{text}{room}{frame}"
