"""Which players can be rated on one scale: graphs of who played, and of who scored against whom.

The Bradley-Terry likelihood has a maximum exactly if from every player a chain of scored points
leads to every other: the graph with an edge from i to j where i scored against j is strongly
connected (Ford 1957, Solution of a ranking problem from binary comparisons).
"""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


def reachable(edges: Flags) -> Flags:
    """(R, N, N) where a path leads from row to column; everybody reaches itself."""
    size = edges.shape[-1]
    found = np.asarray(edges | np.eye(size, dtype=bool))
    length = 1
    while length < size - 1 and not found.all():
        steps = found.astype(np.float32)
        found = (steps @ steps) > 0
        length *= 2
    return found


def strongly_connected(points: NDArray[np.float64]) -> Flags:
    """(R,) whether a Bradley-Terry fit of these points, (R, N, N), exists."""
    edges: Flags = (points > 0) | np.eye(points.shape[-1], dtype=bool)
    found: Flags = np.asarray(edges.all(axis=(1, 2)))
    rest = np.flatnonzero(~found)
    if len(rest):
        found[rest] = reachable(edges[rest]).all(axis=(1, 2))
    return found


def connected(played: NDArray[np.float64]) -> Flags:
    """(R,) whether chains of games, (R, N, N), link all players."""
    return strongly_connected(played)


def groups(paths: Flags) -> list[tuple[int, ...]]:
    """Players that reach one another, from one (N, N) result of `reachable`; largest first."""
    mutual = paths & paths.T
    found = {tuple(np.flatnonzero(row).tolist()) for row in mutual}
    return sorted(found, key=lambda own: (-len(own), own))
