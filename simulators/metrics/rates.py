"""Fitted convergence rates of a finished run."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NEAR, _ROUNDING = 1e-4, 1e-24


def fitted_multiplier(squared_distance: Array) -> float:
    """The factor per iteration by which a run approaches its equilibrium, from its tail.

    Fits a line to the logarithm of the squared distance sum_y pi*(y) (log pi_t - log pi*)^2,
    which behaves like twice the KL divergence but does not cancel below 1e-16, over the
    iterations where it is between 1e-24 and 1e-4: close enough for the local theory, above
    rounding.

    Args:
        squared_distance: (T + 1,).

    Returns:
        exp(slope / 2), or NaN: with fewer than 10 such iterations, when the squared distance
        falls by less than a factor of 100 over them, or when it levels off (the slope of their
        second half is less than half that of the first).
    """
    inside = np.flatnonzero((squared_distance < _NEAR) & (squared_distance > _ROUNDING))
    if len(inside) < 10:
        return float("nan")
    logs = np.log(squared_distance[inside])
    half = len(inside) // 2
    early, late = (
        np.polyfit(inside[part], logs[part], 1)[0] for part in (slice(half), slice(half, None))
    )
    slope = np.polyfit(inside, logs, 1)[0]
    fall = slope * (inside[-1] - inside[0])
    if fall > -np.log(100) or late > 0.5 * early:
        return float("nan")
    return float(np.exp(slope / 2))
