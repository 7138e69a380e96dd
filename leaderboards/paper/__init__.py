"""Figures that papers print, beside ours."""

from leaderboards.paper.comparing import compare_with_papers
from leaderboards.paper.printed import PAPERS, Paper, Printed, find_papers, load_paper

__all__ = ["PAPERS", "Paper", "Printed", "compare_with_papers", "find_papers", "load_paper"]
