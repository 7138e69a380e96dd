"""Long curves as few points."""

import numpy as np

from leaderboards.board import Array

#: Points of one curve, at most.
POINTS = 200


def kept_places(length: int, points: int = POINTS) -> "np.typing.NDArray[np.intp]":
    """Places in a long curve that are drawn: half evenly spread, half dense at the beginning."""
    if length <= points:
        return np.arange(length)
    even = np.linspace(0, length - 1, points // 2).round()
    early = np.geomspace(1, length, points - points // 2).round() - 1
    return np.unique(np.concatenate([even, early])).astype(np.intp)


def block_means(values: Array, points: int = POINTS) -> Array:
    """(..., P) means of equal stretches of the last axis, which noise asks for; at most `points`.

    The last stretch may be shorter.
    """
    length = values.shape[-1]
    size = -(-length // points)
    starts = np.arange(0, length, size)
    sums = np.add.reduceat(values, starts, axis=-1)
    return np.asarray(sums / np.diff(starts, append=length))
