"""What every statistic checks before it computes: numbers, clusters, levels."""

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidSetting

Array: TypeAlias = NDArray[np.float64]
Index: TypeAlias = NDArray[np.intp]
Bounds: TypeAlias = tuple[float, float]


def checked(
    values: ArrayLike, clusters: Sequence[Hashable] | None, level: float
) -> tuple[Array, Index, int]:
    """(n,) finite numbers, (n,) number of each one's cluster, and how many clusters."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1:
        raise InvalidSetting(f"values must be a list of numbers, got shape {x.shape}")
    require_level(level)
    index, count = cluster_index(clusters, len(x))
    if not np.isfinite(x).all():
        bad = int(np.flatnonzero(~np.isfinite(x))[0])
        raise InvalidSetting(f"value {bad} is {x[bad]}; leave out what is missing before a mean")
    return x, index, count


def cluster_index(clusters: Sequence[Hashable] | None, size: int) -> tuple[Index, int]:
    """(n,) number of each value's cluster, and how many there are."""
    if size == 0:
        raise InvalidSetting("there are no values")
    if clusters is None:
        return np.arange(size), size
    if len(clusters) != size:
        raise InvalidSetting(f"{size} values need as many clusters, got {len(clusters)}")
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    return np.array(index, dtype=np.intp), len(numbers)


def require_level(level: float) -> None:
    """Refuse a level of confidence that is none."""
    if not 0 < level < 1:
        raise InvalidSetting(f"level must be between 0 and 1, got {level!r}")


def require_bounds(x: Array, bounds: Bounds | None) -> None:
    """Refuse values outside their bounds; NaN is let pass."""
    if bounds is None or not np.isfinite(x).any():
        return
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    if not bounds[0] <= low <= high <= bounds[1]:
        raise InvalidSetting(f"values from {low:g} to {high:g} are outside their bounds {bounds}")


def t_quantile(probability: float, freedom: float) -> float:
    """Of Student's t."""
    from scipy.special import stdtrit  # scipy.stats has the same and takes half a second to load

    return float(stdtrit(freedom, probability))
