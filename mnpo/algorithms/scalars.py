"""Hyper-parameters that may be batched."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: A number, or an array with one value per column of a batch of runs (a sweep's settings).
Scalar: TypeAlias = float | NDArray[np.float64]


def describe(value: Any) -> Any:
    """A JSON-ready form of a parameter value (arrays become lists)."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [describe(item) for item in value]
    return value
