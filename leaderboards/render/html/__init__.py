"""``leaderboard.html``: one file that needs nothing else, not even JavaScript."""

from leaderboards.render.html.page import render_html

__all__ = ["render_html"]
