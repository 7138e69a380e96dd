"""How many figures a board has."""

from leaderboards.board import Board


def count_figures(board: Board) -> int:
    """Cells, ratings, games of win matrices, points of plots, numbers of plain tables."""
    cells = sum(len(entry.figures) for section in board.sections for entry in section.entries)
    ratings = sum(len(own.values) for pool in board.pools for own in pool.ratings)
    shares = sum(pool.cyclic_share is not None for pool in board.pools)
    games = sum(pool.wins.size for pool in board.pools)
    points = sum(len(curve.y) for plot in board.plots for curve in plot.curves)
    numbers = sum(
        isinstance(cell, int | float) for own in board.tables for row in own.rows for cell in row
    )
    return cells + ratings + shares + games + points + numbers
