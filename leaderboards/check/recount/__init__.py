"""A run's own results, counted again from what lies beneath them; nobody is asked."""

from leaderboards.check.recount.found import Recount
from leaderboards.check.recount.runs import recount

__all__ = ["Recount", "recount"]
