"""Many tests at once."""

from collections.abc import Sequence

import numpy as np

from mnpo.errors import InvalidSetting


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the order given (Holm 1979).

    Rejecting those at or below a level keeps the probability of any false rejection below it,
    whatever the dependence between the tests.

    Raises:
        InvalidSetting: a value outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():  # NaN fails both
        raise InvalidSetting(f"p-values must be in [0, 1], got {list(p_values)}")
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1.0)
    return tuple(float(x) for x in result)


def holm_known(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """`holm` over the tests that have a p-value; the others stay None and do not count.

    Raises:
        InvalidSetting: a value outside [0, 1].
    """
    adjusted = iter(holm([p for p in p_values if p is not None]))
    return tuple(None if p is None else next(adjusted) for p in p_values)
