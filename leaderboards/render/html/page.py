"""The page: views of the board's parts, put into the templates."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leaderboards.board import Board, Run
from leaderboards.render.bold import BOLD
from leaderboards.render.html.cells import pixels
from leaderboards.render.html.colours import styles
from leaderboards.render.html.grid import GridView
from leaderboards.render.html.heat import heat_rules
from leaderboards.render.html.lines import plot_view, points_each
from leaderboards.render.html.pools import pool_view
from leaderboards.render.html.sections import section_view
from leaderboards.render.html.summary import summary
from leaderboards.render.html.tables import table_view
from leaderboards.render.html.texts import flat
from leaderboards.render.select import leading, options_of
from leaderboards.render.words import INTERVALS, RANKS, labels_in_pools, title_of
from mnpo.printable import printable
from simulators.report.figures.palette import variables

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_FILES = 400
_DRAWN = "A dot is the value, its line the interval, on the axis whose ends stand in the heading."
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class RunView:
    """A run, its facts as pairs of texts, its first files, and how many more it has."""

    run: Run
    facts: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    more: int


def render_html(board: Board) -> str:
    """The page as text; equal boards give equal text.

    Args:
        board: any; its texts may hold anything and stay text.

    Raises:
        InvalidSetting: it was made with options that this version does not know.
    """
    from markupsafe import Markup

    colours, options, labels = styles(board), options_of(board), labels_in_pools(board)
    style, script = _style(), (TEMPLATES / "page.js").read_text(encoding="utf-8")
    most = points_each(board.plots)
    plots = [view for plot in board.plots if (view := plot_view(plot, colours, most))]
    sections = [section_view(one, options, i) for i, one in enumerate(board.sections, 1)]
    folded = [not leads for leads in leading(board.pools)]
    pools = [
        pool_view(one, i, labels, folded=folds)
        for i, (one, folds) in enumerate(zip(board.pools, folded, strict=True), 1)
    ]
    grids = [own.grid for own in sections if own.grid] + [own.grid for own in pools if own.grid]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title_of(board),
            board=board,
            summary=summary(board),
            sections=sections,
            pools=pools,
            plots=plots,
            tables=[table_view(one, i) for i, one in enumerate(board.tables, 1)],
            runs=[_run(run) for run in board.runs],
            options=flat(board.options),
            legend=_legend(grids, [own.further for own in sections if own.further]),
            legend_at=grids[0].key if grids else "",
            style=Markup(style),
            script=Markup(script),
            policy=content_policy(style, script),
        )
    )


def _legend(grids: Sequence[GridView], further: Sequence[GridView]) -> str:
    """What stands once, under the first table of figures; nothing about what is not there."""
    every = (*grids, *further)
    cells = [cell for grid in every for row in grid.rows for cell in row.cells]
    parts = [INTERVALS, _DRAWN] if any(cell.whisker for cell in cells) else []
    parts += [RANKS] if any(grid.ranked_by for grid in every) else []
    parts += [BOLD] if any(cell.best for cell in cells) else []
    parts += ["SD: standard deviation over seeds."] if any(cell.spread for cell in cells) else []
    return " ".join(parts)


def _run(run: Run) -> RunView:
    files = tuple(run.files.items())
    return RunView(run, tuple(flat(run.facts)), files[:MOST_FILES], len(files[MOST_FILES:]))


def content_policy(style: str, script: str) -> str:
    """What a browser may do with the page: apply this style sheet, run this script, no more.

    Whatever else got in as style, script, frame, form or address is refused.
    """
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _style() -> str:
    sheet = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return (
        sheet.replace("/* light */", variables(dark=False))
        .replace("/* dark */", variables(dark=True))
        .replace("/* shades */", heat_rules())
    )


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_text,
    )
    environment.filters["px"] = pixels
    return environment


def _text(value: Any) -> Any:
    """Control characters and turned writing are spelled out, wherever a text stands."""
    return printable(value) if type(value) is str else value
