"""Mean win rate against the pool: every other player counts alike.

It is what a table of average win rates prints. Adding a weak player to the pool raises whoever
beats it most, and copies of a player count as often as they are there: it says how a player fares
against this pool, and is no property of the player.
"""

import numpy as np

from leaderboards.ratings.games import Array


def mean_win_rates(matrices: Array) -> Array:
    """(R, N) means over the opponents.

    Args:
        matrices: (R, N, N) complete win matrices, 1/2 on the diagonal.
    """
    return np.asarray((matrices.sum(axis=2) - 0.5) / (matrices.shape[1] - 1))
