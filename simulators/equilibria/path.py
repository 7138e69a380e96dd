"""Newton's method with path following for KL-regularised equilibria, over batches of games.

A KL-regularised equilibrium is a fixed point of the regularised best response,

    x = log ref + F(softmax(x)) / tau + const,    pi = softmax(x),

where F(pi) are the expected payoffs of the actions. With the constant set to zero (payoffs fix
it), ``G(x) = x - log ref - F(softmax(x)) / tau`` has the Jacobian ``J = I - F'(pi) D(pi) / tau``,
D(pi) = diag(pi) - pi pi^T. When F is monotone (``h . F'(pi) h <= 0`` for every h that sums to
zero: all zero-sum preference games, and the one-vs-many Plackett-Luce games) the eigenvalues of
``F' D`` have real part <= 0, so J is never singular, the equilibrium is unique for every
tau > 0, and x is a smooth function of 1/tau that starts at log ref. Newton therefore always has
a direction, and following the path from high to low temperature always arrives.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mnpo.errors import InvalidSetting

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_CHUNK_ENTRIES = 2**21  # of Jacobians solved at once: 16 MiB, about a core's share of cache
_MAX_ITERATIONS = 40  # of one Newton run; the quadratic phase needs about six
_SMALLEST_STEP = 2.0**-6  # shorter ones cost more than a step along the path
_SMALLEST_LOG_STEP = 1e-4
_WORST_CERTIFICATE = 1e-3  # nats; rounding over tau passes it below about tau = 1e-13


class Payoffs(Protocol):
    """The payoffs of a batch of games, as functions of unnormalised log-policies (B, N)."""

    @property
    def scale(self) -> float:
        """Largest absolute slope of a payoff in a policy; sets where the path starts."""

    def value(self, x: Array, rows: Rows) -> Array:
        """F(softmax(x)), shape (B, N), of the games ``rows`` (B,) of the batch."""

    def jacobian(self, x: Array, rows: Rows) -> Array:
        """dF(softmax(x))/dx, shape (B, N, N), a fresh array that the caller may overwrite."""


@dataclass(frozen=True, eq=False)
class Solution:
    """Fixed points of a batch: x (B, N) and what finding them took (each of shape (B,))."""

    x: Array
    residual: Array
    iterations: NDArray[np.intp]
    homotopy_steps: NDArray[np.intp]
    converged: NDArray[np.bool_]


def follow(
    payoffs: Payoffs, log_reference: Array, temperatures: Array, initial: Array | None = None
) -> Solution:
    """Solve ``x = log_reference + F(softmax(x)) / tau`` for every row of a batch.

    Newton from ``initial`` (default: the reference) is tried at the wanted temperature; games on
    which it stalls follow the path from a temperature at which the best response contracts.

    Args:
        payoffs: the games.
        log_reference: (B, N).
        temperatures: (B,) positive.
        initial: (B, N) starting point of the direct attempt.
    """
    batch, size = log_reference.shape
    chunk = max(1, _CHUNK_ENTRIES // (size * size))
    parts = []
    for start in range(0, batch, chunk):
        rows = np.arange(start, min(start + chunk, batch))
        first = None if initial is None else initial[rows]
        parts.append(_follow_chunk(payoffs, rows, log_reference[rows], temperatures[rows], first))
    return Solution(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("x", "residual", "iterations", "homotopy_steps", "converged")
        )
    )


def require_convergence(solution: Solution, temperatures: Array) -> None:
    """Refuse a batch in which rounding kept a game from its certificate.

    Raises:
        InvalidSetting: the temperature is too small for double precision on that game.
    """
    good = solution.converged & (solution.residual < _WORST_CERTIFICATE)
    if good.all():
        return
    worst = int(np.argmax(np.where(good, -np.inf, solution.residual)))
    raise InvalidSetting(
        f"temperature: {temperatures[worst]:g} is too small for this game in double precision"
        f" (residual {solution.residual[worst]:.1e} in log-probability); raise it"
    )


def _follow_chunk(
    payoffs: Payoffs, rows: Rows, log_reference: Array, tau: Array, initial: Array | None
) -> Solution:
    start = log_reference if initial is None else initial
    x, residual, iterations, done = _newton(payoffs, rows, start, log_reference, tau)
    steps = np.ones(len(rows), dtype=np.intp)
    todo = np.flatnonzero(~done)
    if todo.size:
        found = _homotopy(payoffs, rows[todo], log_reference[todo], tau[todo])
        x[todo], residual[todo], done[todo] = found.x, found.residual, found.converged
        iterations[todo] += found.iterations
        steps[todo] += found.homotopy_steps
    return Solution(x, residual, iterations, steps, done)


def _homotopy(payoffs: Payoffs, rows: Rows, log_reference: Array, tau: Array) -> Solution:
    """Lower log tau step by step, doubling the step on success and halving it on failure."""
    batch = len(rows)
    goal = np.log(tau)
    # At tau >= 2 scale the best response is a contraction with factor 1/2: Newton cannot fail.
    here = np.maximum(goal, np.log(2.0 * payoffs.scale))
    x, residual, iterations, done = _newton(
        payoffs, rows, log_reference, log_reference, np.exp(here)
    )
    steps = np.ones(batch, dtype=np.intp)
    stride = np.full(batch, 1.0)
    while True:
        active = np.flatnonzero(done & (here > goal))
        if not active.size:
            return Solution(x, residual, iterations, steps, done & (here <= goal))
        trial = np.maximum(goal[active], here[active] - stride[active])
        trial_tau = np.where(trial <= goal[active], tau[active], np.exp(trial))
        found, error, spent, good = _newton(
            payoffs, rows[active], x[active], log_reference[active], trial_tau
        )
        iterations[active] += spent
        steps[active] += 1
        moved = active[good]
        x[moved], residual[moved], here[moved] = found[good], error[good], trial[good]
        stride[moved] *= 2.0
        stuck = active[~good]
        stride[stuck] /= 4.0
        lost = stuck[stride[stuck] < _SMALLEST_LOG_STEP]
        residual[lost] = error[~good][stride[stuck] < _SMALLEST_LOG_STEP]
        done[lost] = False


def _newton(
    payoffs: Payoffs, rows: Rows, start: Array, log_reference: Array, tau: Array
) -> tuple[Array, Array, NDArray[np.intp], NDArray[np.bool_]]:
    """Damped Newton; returns x, the residual max|G|, iterations and whether it converged."""
    batch, size = start.shape
    x = start.copy()
    G = _defect(payoffs, rows, x, log_reference, tau)
    residual = np.abs(G).max(axis=1)
    iterations = np.zeros(batch, dtype=np.intp)
    done = np.zeros(batch, dtype=bool)
    active = np.arange(batch)
    diagonal = np.arange(size)
    for _ in range(_MAX_ITERATIONS):
        J = payoffs.jacobian(x[active], rows[active])
        J /= -tau[active, None, None]
        J[:, diagonal, diagonal] += 1.0
        try:
            direction = np.asarray(-np.linalg.solve(J, G[active][:, :, None])[:, :, 0], np.float64)
        except np.linalg.LinAlgError:  # 1/tau beyond double precision: I is lost in I - F'D/tau
            break
        del J  # the largest array by far; the line search needs room of its own
        iterations[active] += 1
        # The step that starts inside the tolerance is the extra one that takes x from there to
        # the rounding floor; whether it lowers the residual further is then chance.
        last = residual[active] <= _rounding_floor(x[active], tau[active], payoffs.scale)
        moved = _line_search(
            payoffs, rows, x, G, residual, active, direction, log_reference, tau, last
        )
        done[active[last]] = True
        active = active[moved & ~last]
        if not active.size:
            break
    return x, residual, iterations, done


def _line_search(
    payoffs: Payoffs,
    rows: Rows,
    x: Array,
    G: Array,
    residual: Array,
    active: NDArray[np.intp],
    direction: Array,
    log_reference: Array,
    tau: Array,
    last: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Halve each game's step until its residual falls; update x, G, residual in place."""
    moved = np.zeros(active.size, dtype=bool)
    pending = np.arange(active.size)
    step = 1.0
    while pending.size and step >= _SMALLEST_STEP:
        games = active[pending]
        trial = x[games] + step * direction[pending]
        defect = _defect(payoffs, rows[games], trial, log_reference[games], tau[games])
        size = np.abs(defect).max(axis=1)
        better = size < (1.0 - 1e-4 * step) * residual[games]
        chosen = games[better]
        x[chosen], G[chosen], residual[chosen] = trial[better], defect[better], size[better]
        moved[pending[better]] = True
        pending = pending[~better & ~last[pending]]
        step /= 2.0
    return moved


def _defect(payoffs: Payoffs, rows: Rows, x: Array, log_reference: Array, tau: Array) -> Array:
    return np.asarray(x - log_reference - payoffs.value(x, rows) / tau[:, None])


def _rounding_floor(x: Array, tau: Array, scale: float) -> Array:
    """A residual that rounding alone explains: of x itself, and of the payoffs over tau.

    pi inherits the absolute rounding of x as a relative one, which the payoffs pass on.
    """
    size = np.abs(x)
    error = 1e-13 + 4e-16 * (softmax(x) * size).sum(axis=1)
    return np.asarray(error * np.maximum(1.0, scale / tau) + 4e-16 * size.max(axis=1))


def softmax(x: Array) -> Array:
    """Policies of unnormalised log-policies (..., N)."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def log_normalise(x: Array) -> Array:
    """Normalised log-policies of unnormalised ones (..., N)."""
    shifted = x - x.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
