"""Whether a board's figures are those of the files it names."""

from leaderboards.check.checking import check_board
from leaderboards.check.report import Report

__all__ = ["Report", "check_board"]
