"""``report.html``: one file that needs nothing else."""

import math
from pathlib import Path

from mnpo.runs import write_atomically
from simulators.report.best import RULE
from simulators.report.content import ReportContent
from simulators.report.facts import MAX_GAMES, game_card
from simulators.report.figures.gallery import gallery
from simulators.report.figures.palette import variables
from simulators.report.findings import findings
from simulators.report.formats import flat_settings
from simulators.report.rule import blocks
from simulators.report.table import Cell, result_table
from simulators.report.tallies import tally
from simulators.report.verdicts import look

TEMPLATES = Path(__file__).parent / "templates"


def write_html(content: ReportContent, path: str | Path) -> None:
    """Write the page; it appears under its name only when it is whole.

    Args:
        content: of the report.
        path: of the file.

    Raises:
        OSError: when it cannot be written.
    """
    write_atomically(Path(path), render_html(content))


def render_html(content: ReportContent) -> str:
    """The page as text; equal content gives equal text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(look=look, order=_order)
    return environment.get_template("report.html.j2").render(
        content=content,
        table=result_table(content),
        best_rule=RULE,
        tally=tally(content),
        findings=findings(content),
        sections=gallery(content),
        cards=[game_card(game) for game in content.games[:MAX_GAMES]],
        settings=flat_settings(content.settings),
        rule=blocks(content.verdict_rule),
        light=variables(dark=False),
        dark=variables(dark=True),
    )


def _order(cell: Cell) -> str:
    """The value a cell sorts by; "" sorts last."""
    if isinstance(cell.order, float):
        return "" if math.isnan(cell.order) else repr(cell.order)
    return str(cell.order)
