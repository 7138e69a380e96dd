"""From run directories to a board."""

from leaderboards.collect.board_of_runs import collect_board

__all__ = ["collect_board"]
