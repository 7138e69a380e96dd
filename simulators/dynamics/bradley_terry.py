"""The Bradley-Terry projection of a preference matrix: DPO's population minimiser."""

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import NoMinimiser

Array = NDArray[np.float64]

_MAX_STEPS = 1000
#: Newton steps are cut to this many nats of score, so that a far start cannot overshoot.
_TRUST = 4.0
#: Scores further apart than this have logistic slopes below the range of floats.
_RANGE = 600.0
#: Below this smallest probability of a pair the plain solver loses digits.
_WELL_SCALED = 1e-4


def bradley_terry_projection(
    preferences: Array, log_pairs: Array, tolerance: float = 1e-13
) -> Array:
    """argmax_f sum_ij mu_i mu_j P_ij log sigma(f_i - f_j), mean zero, by damped Newton.

    The stationarity condition divided by mu_i, sum_j mu_j (P_ij - sigma(f_i - f_j)) = 0, is
    solved, so that actions of tiny probability are as well determined as the others.

    Args:
        preferences: (K, K) shared, or (B, K, K).
        log_pairs: (K, B) log-probabilities of the pair sampler mu.
        tolerance: on the last Newton step, relative to the scores.

    Returns:
        (K, B) scores f in nats.

    Raises:
        NoMinimiser: when the scores leave the range of floats or the iteration does not settle.
    """
    size, columns = log_pairs.shape
    P = np.broadcast_to(preferences, (columns, size, size))
    mu = np.exp(log_pairs.T)  # (B, K)
    f = np.zeros((columns, size))
    active = np.arange(columns)
    for _ in range(_MAX_STEPS):
        residual, rates = _system(P[active], mu[active], f[active])
        step = solve_laplacian(rates, residual, mu[active])
        largest = np.abs(step).max(axis=1)
        f[active] += step * np.minimum(1.0, _TRUST / np.maximum(largest, _TRUST))[:, None]
        f[active] -= f[active].mean(axis=1, keepdims=True)
        reach = np.abs(f[active]).max(axis=1)
        if not (np.isfinite(reach).all() and (reach < _RANGE).all()):
            raise NoMinimiser(
                f"the Bradley-Terry scores exceed {_RANGE:g} nats: the pairs have all but "
                "vanished from some actions; a label_noise above 0 bounds the scores"
            )
        active = active[largest > tolerance * np.maximum(1.0, reach)]
        if not len(active):
            return np.ascontiguousarray(f.T)
    raise NoMinimiser(
        f"the Bradley-Terry fit did not settle in {_MAX_STEPS} Newton steps (largest score "
        f"{np.abs(f[active]).max():.3g} nats); a label_noise above 0 bounds the scores"
    )


def _system(P: Array, mu: Array, f: Array) -> tuple[Array, Array]:
    """Residual (B, K) and rates (B, K, K) of the Newton system L step = residual.

    rates[i, j] = mu_j sigma'(f_i - f_j) off the diagonal, L = diag(row sums) - rates.
    """
    gaps = f[:, :, None] - f[:, None, :]
    winning, losing = _sigmoid(gaps), _sigmoid(-gaps)
    # P - sigma = P sigma(-d) - (1 - P) sigma(d): no cancellation where sigma is within rounding
    # of one, which is where iterative methods go on cyclic games.
    residual = np.einsum("bj,bij->bi", mu, P * losing - (1 - P) * winning)
    rates = mu[:, None, :] * winning * losing
    index = np.arange(P.shape[-1])
    rates[:, index, index] = 0
    return residual, rates


def solve_laplacian(rates: Array, residual: Array, mu: Array) -> Array:
    """Solve for x with sum_j rates_ij (x_i - x_j) = residual_i, up to a constant.

    Rates that span many orders of magnitude (a policy near a vertex) are eliminated in the order
    of mu, rarest action first, without a subtraction (Grassmann, Taksar and Heyman), so that
    every entry keeps its relative accuracy; well-scaled systems take the library's solver.

    Args:
        rates: (B, K, K) >= 0, zero diagonal, with mu_i rates_ij symmetric.
        residual: (B, K) with sum_i mu_i residual_i = 0.
        mu: (B, K).
    """
    size = rates.shape[-1]
    if mu.min() > _WELL_SCALED and rates[:, ~np.eye(size, dtype=bool)].min() > _WELL_SCALED**2:
        laplacian = -rates
        index = np.arange(size)
        laplacian[:, index, index] = rates.sum(axis=2)
        # The constant direction is filled in; it multiplies a component that is zero anyway.
        laplacian += laplacian[:, index, index].mean(axis=1)[:, None, None] / size
        return np.asarray(np.linalg.solve(laplacian, residual[..., None])[..., 0])
    order = np.argsort(mu, axis=1)
    q = np.take_along_axis(rates, order[:, :, None], axis=1)
    q = np.take_along_axis(q, order[:, None, :], axis=2)
    r = np.take_along_axis(residual, order, axis=1)
    out = np.empty((len(q), size))
    for k in range(size - 1):
        rest = slice(k + 1, None)
        out[:, k] = q[:, k, rest].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            # An action without rates is out of range; the caller sees it is not finite.
            share = q[:, rest, k] / out[:, k, None]
        q[:, rest, rest] += share[:, :, None] * q[:, k, None, rest]
        r[:, rest] += share * r[:, k, None]
    x = np.zeros_like(r)
    for k in range(size - 2, -1, -1):
        rest = slice(k + 1, None)
        with np.errstate(divide="ignore", invalid="ignore"):
            x[:, k] = (r[:, k] + (q[:, k, rest] * x[:, rest]).sum(axis=1)) / out[:, k]
    result = np.empty_like(x)
    np.put_along_axis(result, order, x, axis=1)
    return result


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


def require_finite_fit(preferences: Array) -> None:
    """Refuse preferences without a finite Bradley-Terry fit (Ford's condition).

    A fit exists iff every partition of the actions into two has wins across it both ways, i.e.
    the graph of P[i, j] > 0 is strongly connected.

    Args:
        preferences: (K, K) or (B, K, K).

    Raises:
        NoMinimiser: names the actions that never lose to the rest.
    """
    from scipy.sparse.csgraph import connected_components

    for matrix in preferences.reshape(-1, *preferences.shape[-2:]):
        if (matrix[~np.eye(len(matrix), dtype=bool)] > 0).all():
            continue
        count, component = connected_components(matrix > 0, directed=True, connection="strong")
        if count > 1:
            top = next(
                np.flatnonzero(component == c)
                for c in range(count)
                if not (matrix[component != c][:, component == c] > 0).any()
            )
            names = ", ".join(str(i) for i in top[:5]) + (", ..." if len(top) > 5 else "")
            raise NoMinimiser(
                f"no finite Bradley-Terry fit: actions {names} always beat all the others, so "
                "the scores diverge; a label_noise above 0 makes them finite"
            )
