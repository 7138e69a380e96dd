"""A win matrix as measured, with what chance might have shown in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
#: (row, column, level) -> ends of the interval of P(row beats column); None without one.
PairEnds: TypeAlias = Callable[[int, int, float], tuple[float, float] | None]


@dataclass(frozen=True, eq=False)
class PoolSample:
    """What the intervals of a pool's game are computed from.

    Attributes:
        mean: (N, N) complete, P + P.T = 1.
        drawn: (R, N, N) of a bootstrap; R may be 0: then there are no intervals.
        ends: intervals of single pairs.
        units: independent prompts, or games, behind the matrix.
        clones: (N,) policies of the same number are known to be one and the same.
    """

    mean: Array
    drawn: Array
    ends: PairEnds
    units: int
    clones: NDArray[np.intp]
