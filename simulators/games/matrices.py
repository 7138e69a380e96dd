"""The few ways a preference matrix is made: from advantages, log-odds and cycles."""

from collections.abc import Iterable, Sequence

import numpy as np

from simulators.games.game import Array


def symmetrised(matrix: Array) -> Array:
    """``(P - P.T + 1) / 2``, with ``P + P.T == 1`` in floating point; (..., K, K)."""
    upper = (matrix - np.swapaxes(matrix, -1, -2) + 1.0) / 2.0
    # Values that already sum to one keep their last bit.
    exact = matrix + np.swapaxes(matrix, -1, -2) == 1.0
    return complement(np.where(exact, matrix, upper))


def complement(matrix: Array) -> Array:
    """Keep the smaller side of each pair and set the other to one minus it; diagonal one half.

    Subtracting the smaller side loses nothing, so ``result + result.T == 1`` holds to the bit.
    """
    flipped = np.swapaxes(matrix, -1, -2)
    size = matrix.shape[-1]
    lower = np.tri(size, k=-1, dtype=bool)
    smaller = (matrix < flipped) | ((matrix == flipped) & lower)
    result: Array = np.where(smaller, matrix, 1.0 - flipped)
    result[..., np.arange(size), np.arange(size)] = 0.5
    return result


def from_advantage(A: Array) -> Array:
    """``P = 1/2 + A`` from the upper triangle of a skew ``A`` in [-1/2, 1/2]; (..., K, K)."""
    upper = np.triu(A, k=1)
    return complement(0.5 + (upper - np.swapaxes(upper, -1, -2)))


def from_log_odds(X: Array) -> Array:
    """``P = sigmoid(X)`` for skew log-odds ``X``; the smaller side keeps its precision."""
    small = np.exp(-np.abs(X))
    small = small / (1.0 + small)
    return complement(np.where(X > 0, 1.0 - small, small))


def bradley_terry(utilities: Array) -> Array:
    """``P[i, j] = sigmoid(u_i - u_j)``; utilities (..., K), result (..., K, K)."""
    return from_log_odds(utilities[..., :, None] - utilities[..., None, :])


def circulant(size: int) -> Array:
    """Skew signs of the generalised cycle, (K, K) in {-1, 0, 1}: each action beats the *previous*.

    Action i beats the ``(K - 1) // 2`` actions before it and loses to as many after it, modulo K;
    for even K the opposite action ties. K = 3 is rock, paper, scissors in that order.
    """
    ahead = (np.arange(size)[:, None] - np.arange(size)[None, :]) % size
    reach = (size - 1) // 2
    behind = (ahead >= 1) & (ahead <= reach)
    return behind.astype(np.float64) - behind.T


def labels(size: int, prefix: str = "a") -> tuple[str, ...]:
    """``a0, a1, ...``: labels of actions that have no name."""
    return tuple(f"{prefix}{i}" for i in range(size))


def uniform(seed: int, shape: Sequence[int]) -> Array:
    """Numbers in [0, 1) that the seed fixes for every numpy release.

    PCG64 seeded through SeedSequence, the top 53 bits of each raw 64-bit word times 2^-53: numpy
    keeps the bit stream stable, but not the methods that draw distributions from it.
    """
    words = np.random.PCG64(seed).random_raw(int(np.prod(shape)))
    return (words >> np.uint64(11)).astype(np.float64).reshape(tuple(shape)) * 2.0**-53


def duplicates(names: Iterable[str]) -> list[str]:
    """Names that occur more than once, in order of their second appearance."""
    seen: set[str] = set()
    again: list[str] = []
    for name in names:
        if name in seen and name not in again:
            again.append(name)
        seen.add(name)
    return again
