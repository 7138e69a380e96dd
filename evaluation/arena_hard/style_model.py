"""Style control: each model's strength against the baseline beside the effect of style.

P(model m wins on a question) = sigmoid(d_m + gamma . z), z being the standardised difference of
the two answers' styles. The score is sigmoid(d_m): the win rate at the average difference of all
battles that were fitted together. v0.1 is fitted with scikit-learn's default ridge, v2.0 without.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.arena_hard.table import Array, Counts

#: A step of Newton's method below this is the last: the next would be about its square.
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class StyleFit:
    """A fitted model.

    Attributes:
        strengths: (M,) log-odds against the baseline where styles differ as on average; infinite
            for a model that won or lost everything, where nothing penalises that.
        effects: (4,) of a standard deviation of each feature, log-odds; 0 where it never varies.
        converged: whether the likelihood has a maximum that was reached.
    """

    strengths: Array
    effects: Array
    converged: bool

    @property
    def win_rates(self) -> Array:
        """(M,) shares."""
        return sigmoid(self.strengths)


def standardised(differences: Array, weights: Array | Counts, *, sample: bool) -> Array:
    """Differences with mean 0 and standard deviation 1 over all battles.

    Args:
        differences: (M, Q, 4).
        weights: (M, Q) battles.
        sample: divide the variance by n - 1 (v2.0) instead of n (v0.1).

    Returns:
        (M, Q, 4); a feature that never varies is 0 (the official code fails on it).
    """
    total = float(weights.sum())
    mean = np.einsum("mq,mqk->k", weights, differences) / total
    centred = differences - mean
    variance = np.einsum("mq,mqk->k", weights, centred**2) / (
        max(total - 1, 1.0) if sample else total
    )
    deviation = np.sqrt(variance)
    constant = deviation <= 1e-12
    result: Array = np.where(constant, 0.0, centred / np.where(constant, 1.0, deviation))
    return result


def ridge_v01(models: int) -> Array:
    """(M + 4, M + 4) quadratic penalty of the official v0.1 fit on strengths and effects.

    `fit_bt` penalises half the squared length of its coefficients. Those of the models are
    d / log(10), the baseline's own among them, and all of them may shift together; the best shift
    leaves |d|^2 - (sum d)^2 / (M + 1). The official code counts every battle twice in the
    likelihood; so does `fit_style` when it is given this, by halving the penalty.
    """
    penalty = np.eye(models + 4)
    penalty[:models, :models] -= 1.0 / (models + 1)
    penalty[:models, :models] /= math.log(10) ** 2
    result: Array = penalty / 2
    return result


def fit_style(
    count: Array | Counts,
    won: Array,
    z: Array,
    penalty: Array | None = None,
    start: StyleFit | None = None,
) -> StyleFit:
    """Maximum of the (penalised) likelihood, by Newton's method.

    Args:
        count: (M, Q) battles.
        won: (M, Q) of them won, a tie being half.
        z: (M, Q, 4) standardised differences of style.
        penalty: matrix K of the penalty x'Kx / 2 on the parameters; None for none.
        start: an earlier fit nearby.
    """
    count = np.asarray(count, dtype=np.float64)
    size = len(count)
    strengths = (
        np.zeros(size)
        if start is None
        else np.where(np.isfinite(start.strengths), start.strengths, 0.0)
    )
    effects = np.zeros(4) if start is None else start.effects.copy()
    ends: Array | None = None
    if penalty is None:
        # A model that won (or lost) everything has no finite strength and, at that limit, says
        # nothing of the effects of style.
        total, points = count.sum(axis=1), won.sum(axis=1)
        ends = np.where(points == 0, -np.inf, np.where(points == total, np.inf, np.nan))
        inner = np.isnan(ends)
        count, won = count * inner[:, None], won * inner[:, None]
        strengths = np.where(inner, strengths, 0.0)
    x = np.concatenate([strengths, effects])
    free = np.concatenate([count.any(axis=1), (z * (count > 0)[:, :, None]).any(axis=(0, 1))])
    x = np.where(free, x, 0.0)
    x, converged = _newton(x, count, won, z, penalty, free)
    found = x[:size] if ends is None else np.where(np.isnan(ends), x[:size], ends)
    return StyleFit(found, x[size:], converged)


def _newton(
    x: Array, count: Array, won: Array, z: Array, penalty: Array | None, free: NDArray[np.bool_]
) -> tuple[Array, bool]:
    size = len(count)
    flat = np.ascontiguousarray(z).reshape(-1, 4)
    likelihood = _Likelihood(count, won, flat, penalty)
    value, p = likelihood(x)
    for _ in range(60):
        residual = won - count * p
        weight = count * p * (1 - p)
        gradient = np.concatenate([residual.sum(axis=1), residual.ravel() @ flat])
        weighted = weight.reshape(-1, 1) * flat
        cross = weighted.reshape(z.shape).sum(axis=1)
        hessian = np.zeros((size + 4, size + 4))
        hessian[np.arange(size), np.arange(size)] = weight.sum(axis=1)
        hessian[:size, size:], hessian[size:, :size] = cross, cross.T
        hessian[size:, size:] = weighted.T @ flat
        if penalty is not None:
            gradient -= penalty @ x
            hessian += penalty
        step = np.zeros_like(x)
        step[free] = _solve(hessian[np.ix_(free, free)], gradient[free])
        length = float(np.abs(step).max(initial=0.0))
        scale = min(1.0, 5.0 / length) if length > 0 else 1.0
        while True:
            found, p = likelihood(x + scale * step)
            if found >= value - 1e-12 * max(abs(value), 1.0):
                break
            scale /= 2
            if scale < 1e-8:
                return x, False
        x, value = x + scale * step, found
        if length < _TOLERANCE:
            return x, True
        if float(np.abs(x).max()) > 50:  # the styles tell wins from losses without an error
            return x, False
    return x, False


def _solve(hessian: Array, gradient: Array) -> Array:
    """The Newton step; the shortest one where features are collinear."""
    try:
        step = np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
        if float(np.abs(hessian @ step - gradient).max(initial=0.0)) < 1e-6:
            return step
    except np.linalg.LinAlgError:
        pass
    shortest = np.linalg.lstsq(hessian, gradient, rcond=1e-12)[0]
    return np.asarray(shortest, dtype=np.float64)


class _Likelihood:
    """Penalised log-likelihood and win probabilities at given parameters."""

    def __init__(self, count: Array, won: Array, flat: Array, penalty: Array | None) -> None:
        self._count, self._won, self._flat, self._penalty = count, won, flat, penalty

    def __call__(self, x: Array) -> tuple[float, Array]:
        size = len(self._count)
        eta = x[:size, None] + (self._flat @ x[size:]).reshape(self._count.shape)
        small = np.exp(-np.abs(eta))  # never overflows
        value = float((self._won * eta).sum())
        value -= float((self._count * (np.maximum(eta, 0.0) + np.log1p(small))).sum())
        if self._penalty is not None:
            value -= 0.5 * float(x @ self._penalty @ x)
        p: Array = np.where(eta >= 0, 1.0, small) / (1.0 + small)
        return value, p


def sigmoid(eta: Array) -> Array:
    """The logistic function; 0 and 1 at the infinities."""
    with np.errstate(over="ignore"):
        result: Array = 1.0 / (1.0 + np.exp(-eta))
    return result
