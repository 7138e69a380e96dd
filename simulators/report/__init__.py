"""The report of a simulation: a table on the terminal, ``report.md`` and ``report.html``."""

from simulators.report.content import GameFacts, ReportContent, RunCurves
from simulators.report.markdown import render_markdown, write_markdown
from simulators.report.page import render_html, write_html
from simulators.report.terminal import terminal_table

__all__ = [
    "GameFacts",
    "ReportContent",
    "RunCurves",
    "render_html",
    "render_markdown",
    "terminal_table",
    "write_html",
    "write_markdown",
]
