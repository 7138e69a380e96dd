"""Refuse, in one line, input that defines no game, no temperature or no policy."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidGame, InvalidPolicy, InvalidSetting

Array = NDArray[np.float64]

# Win probabilities written with nine decimals or more pass; a matrix of scores does not.
COMPLEMENT_TOLERANCE = 1e-8
NORMALISATION_TOLERANCE = 1e-6


def as_preferences(matrix: ArrayLike, what: str = "preference matrix") -> Array:
    """The matrix (or stack of matrices) as float64, checked.

    Args:
        matrix: (..., K, K) win probabilities, row beats column.
        what: how the message names the matrix.

    Raises:
        InvalidGame: not square, a value that is not a probability, or P + P.T != 1.
    """
    P = _as_float(matrix, what, InvalidGame)
    if P.ndim < 2 or P.shape[-1] != P.shape[-2] or P.shape[-1] == 0:
        raise InvalidGame(f"{what}: shape {P.shape} is not square; give (K, K) win probabilities")
    inside = (P >= 0.0) & (P <= 1.0)  # False for NaN too
    if not inside.all():
        at = _first(~inside)
        raise InvalidGame(
            f"{what}: entry {list(at)} is {P[at]}; every entry must be a win probability in [0, 1]"
        )
    error = np.abs(P + np.swapaxes(P, -1, -2) - 1.0)
    if error.max() > COMPLEMENT_TOLERANCE:
        at = np.unravel_index(int(error.argmax()), error.shape)
        raise InvalidGame(
            f"{what}: P[{at[-2]},{at[-1]}] + P[{at[-1]},{at[-2]}] is {1.0 + error[at]:.6g} or its"
            " mirror, not 1; rows must beat columns with complementary probabilities"
        )
    return P


def as_log_reference(reference: ArrayLike | None, actions: int) -> Array:
    """Log of a reference policy (..., K) with full support; None is the uniform policy.

    Raises:
        InvalidPolicy: wrong length, not a distribution, or an action of probability zero.
    """
    if reference is None:
        return np.full(actions, -np.log(actions))
    r = _as_float(reference, "reference", InvalidPolicy)
    if r.ndim == 0 or r.shape[-1] != actions:
        length = 1 if r.ndim == 0 else r.shape[-1]
        raise InvalidPolicy(f"reference: has {length} entries, the game has {actions} actions")
    positive = np.isfinite(r) & (r > 0.0)
    if not positive.all():
        at = _first(~positive)
        raise InvalidPolicy(
            f"reference: entry {list(at)} is {r[at]}; every action needs a positive probability"
        )
    total = r.sum(axis=-1)
    if np.abs(total - 1.0).max(initial=0.0) > NORMALISATION_TOLERANCE:
        raise InvalidPolicy(f"reference: sums to {_worst_sum(total):.6g}, not 1")
    return np.asarray(np.log(r) - np.log(total)[..., None])


def as_policies(policy: ArrayLike, actions: int, what: str) -> Array:
    """Distributions (..., K); zeros are allowed.

    Raises:
        InvalidPolicy: wrong length, a negative entry, or a sum other than one.
    """
    p = _as_float(policy, what, InvalidPolicy)
    if p.ndim == 0 or p.shape[-1] != actions:
        length = 1 if p.ndim == 0 else p.shape[-1]
        raise InvalidPolicy(f"{what}: has {length} entries, the game has {actions} actions")
    valid = np.isfinite(p) & (p >= 0.0)
    if not valid.all():
        at = _first(~valid)
        raise InvalidPolicy(f"{what}: entry {list(at)} is {p[at]}, not a probability")
    total = p.sum(axis=-1)
    if np.abs(total - 1.0).max(initial=0.0) > NORMALISATION_TOLERANCE:
        raise InvalidPolicy(f"{what}: sums to {_worst_sum(total):.6g}, not 1")
    return p


def as_temperatures(temperature: ArrayLike) -> Array:
    """Temperatures of any shape, each finite and positive.

    Raises:
        InvalidSetting: a temperature that is zero, negative or not finite.
    """
    tau = _as_float(temperature, "temperature", InvalidSetting)
    valid = np.isfinite(tau) & (tau > 0.0)
    if not valid.all():
        bad = float(tau[~valid].flat[0]) if tau.ndim else float(tau)
        raise InvalidSetting(
            f"temperature: {bad:g} is not a positive number; the unregularised equilibrium"
            " (temperature 0) is nash_equilibrium's"
        )
    return tau


def _as_float(value: ArrayLike, what: str, error: type[ValueError]) -> Array:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as cause:
        raise error(f"{what}: not an array of numbers ({cause})") from cause


def _worst_sum(total: Any) -> float:
    sums = np.ravel(total)
    return float(sums[np.abs(sums - 1.0).argmax()])


def _first(mask: NDArray[np.bool_]) -> tuple[Any, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0]) if mask.ndim else ()
