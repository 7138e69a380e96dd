"""Alpha-rank: how much time evolution spends at each player (Omidshafiei et al. 2019).

A population plays one strategy; a mutant of another, chosen at random, takes over or dies out. In
the limit of strong selection, alpha -> infinity, it takes over if it wins more than half of its
games against the old strategy, with probability 1/2 if it wins exactly half, and never else. The
rating is the stationary distribution of that Markov chain,

    C[s, r] = 1/(N - 1) times 1, 1/2 or 0,    C[s, s] = the rest.

Where every pair was measured the chain ends in one set of players that beat, or tie, all others
directly (the top cycle), so the limit has one stationary distribution and no parameter. Only the
signs of the margins count: a win rate of 0.501 is as good as one of 0.99, so near ties make the
rating jump.

With a perturbation epsilon, 1 and 0 become 1 - epsilon and epsilon (Rowland et al. 2019); the
limit is computed at an epsilon too small to be seen. The stationary distribution comes from the
elimination of Grassmann, Taksar and Heyman (1985), which subtracts nothing and so keeps all
digits of it.
"""

import numpy as np

from leaderboards.ratings.games import Array

#: Margins below this are ties.
TIE = 1e-9
_LIMIT = 1e-13


def alpha_ranks(matrices: Array, epsilon: float | None = None) -> Array:
    """(R, N) stationary distributions.

    Args:
        matrices: (R, N, N) complete win matrices.
        epsilon: probability of an unfit mutant; None takes the limit 0.
    """
    small = _LIMIT if epsilon is None else epsilon
    margins = matrices - np.swapaxes(matrices, 1, 2)
    # Row: the old strategy; column: the mutant, which wins where the row's margin is negative.
    chain = np.where(margins < -TIE, 1.0 - small, np.where(margins > TIE, small, 0.5))
    found = _stationary(chain)
    if epsilon is None:
        found[found < np.sqrt(_LIMIT)] = 0.0
        found /= found.sum(axis=1, keepdims=True)
    return found


def _stationary(chain: Array) -> Array:
    """Of chains (R, N, N) with positive rates; diagonals are ignored."""
    rates = chain.copy()
    draws, size, _ = rates.shape
    for last in range(size - 1, 0, -1):
        leaving = rates[:, last, :last].sum(axis=1)
        rates[:, :last, last] /= leaving[:, None]
        rates[:, :last, :last] += rates[:, :last, last, None] * rates[:, None, last, :last]
    found = np.zeros((draws, size))
    found[:, 0] = 1.0
    for state in range(1, size):
        found[:, state] = np.einsum("rj,rj->r", found[:, :state], rates[:, :state, state])
    return np.asarray(found / found.sum(axis=1, keepdims=True))
