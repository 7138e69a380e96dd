"""A board as CSV, Markdown, JSON, LaTeX and one HTML page."""

from leaderboards.render.csv_file import render_csv
from leaderboards.render.json_file import load_board, render_json
from leaderboards.render.latex import render_latex
from leaderboards.render.markdown import render_markdown
from leaderboards.render.write import write_board

__all__ = [
    "load_board",
    "render_csv",
    "render_json",
    "render_latex",
    "render_markdown",
    "write_board",
]
