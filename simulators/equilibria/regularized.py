"""The KL-regularised symmetric Nash equilibrium of a preference game.

The policy pi with ``log pi = log ref + P pi / tau + const``: the symmetric equilibrium of the
game in which each player maximises its win probability minus ``tau KL(pi || ref)`` (Munos et
al., Nash Learning from Human Feedback, arXiv 2312.00886, section 5; the point every method of
the family with a fixed reference aims at). It exists and is unique for every tau > 0.
"""

from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidPolicy, InvalidSetting
from simulators.equilibria.checks import as_log_reference, as_preferences, as_temperatures
from simulators.equilibria.path import Rows, follow, log_normalise, require_convergence, softmax

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegularizedEquilibrium:
    """A regularised equilibrium and its certificate; leading shape (...) is that of the batch.

    Attributes:
        log_policy: (..., K), normalised; exact to rounding where probabilities underflow.
        residual: (...) ``max |log pi - log BR_tau(pi)|``, in nats.
        iterations: (...) Newton steps spent.
        homotopy_steps: (...) temperatures visited; 1 means Newton went straight to the target.
    """

    log_policy: Array
    residual: Array
    iterations: NDArray[np.intp]
    homotopy_steps: NDArray[np.intp]

    @property
    def policy(self) -> Array:
        """(..., K) probabilities, zero where they underflow."""
        return np.asarray(np.exp(self.log_policy))


@overload
def regularized_equilibrium(
    P: ArrayLike,
    temperature: ArrayLike,
    reference: ArrayLike | None = None,
    *,
    return_info: Literal[False] = False,
) -> Array: ...


@overload
def regularized_equilibrium(
    P: ArrayLike,
    temperature: ArrayLike,
    reference: ArrayLike | None = None,
    *,
    return_info: Literal[True],
) -> tuple[Array, RegularizedEquilibrium]: ...


def regularized_equilibrium(
    P: ArrayLike,
    temperature: ArrayLike,
    reference: ArrayLike | None = None,
    *,
    return_info: bool = False,
) -> Array | tuple[Array, RegularizedEquilibrium]:
    """The KL-regularised equilibrium, to rounding: about ``1e-16 / temperature``.

    Leading shapes broadcast, so one call solves a game, one game at many temperatures and from
    many references, or many games.

    Args:
        P: (..., K, K) win probabilities, row beats column.
        temperature: tau > 0, a number or (...).
        reference: (..., K) policy with full support; None is uniform.
        return_info: also return the log-policy and the certificate.

    Returns:
        (..., K) policy, or the pair (policy, info).

    Raises:
        InvalidGame: P is no preference matrix.
        InvalidPolicy: the reference is no distribution with full support over the K actions.
        InvalidSetting: temperature <= 0, or too small for double precision.
    """
    P = as_preferences(P)
    info = regularized_log_equilibrium(P, temperature, as_log_reference(reference, P.shape[-1]))
    return (info.policy, info) if return_info else info.policy


def regularized_equilibria(
    P: ArrayLike, temperatures: ArrayLike, references: ArrayLike | None = None
) -> Array:
    """Equilibria of one game at every pair of a temperature and a reference.

    Args:
        P: (K, K) win probabilities.
        temperatures: (T,).
        references: (R, K), each with full support; None is the uniform policy alone.

    Returns:
        (T, R, K).

    Raises:
        UserError: as :func:`regularized_equilibrium`.
    """
    P = as_preferences(P)
    log_references = np.atleast_2d(as_log_reference(references, P.shape[-1]))
    tau = np.atleast_1d(as_temperatures(temperatures))
    return regularized_log_equilibrium(P, tau[:, None], log_references[None, :, :]).policy


def regularized_log_equilibrium(
    P: ArrayLike, temperature: ArrayLike, log_reference: ArrayLike | None = None
) -> RegularizedEquilibrium:
    """The same in the log domain on both sides, for references beyond the range of floats.

    Args:
        P: (..., K, K) win probabilities, row beats column.
        temperature: tau > 0, a number or (...).
        log_reference: (..., K) finite log-probabilities, up to a constant; None is uniform.

    Raises:
        UserError: as :func:`regularized_equilibrium`.
    """
    P = as_preferences(P)
    actions = P.shape[-1]
    tau = as_temperatures(temperature)
    if log_reference is None:
        log_ref = as_log_reference(None, actions)
    else:
        log_ref = np.asarray(log_reference, dtype=np.float64)
        if log_ref.shape[-1:] != (actions,) or not np.isfinite(log_ref).all():
            raise InvalidPolicy(
                f"log_reference: shape {log_ref.shape}; give finite numbers, one for each of the"
                f" {actions} actions"
            )
    try:
        lead = np.broadcast_shapes(P.shape[:-2], tau.shape, log_ref.shape[:-1])
    except ValueError as cause:
        raise InvalidSetting(
            f"the batch shapes of the games {P.shape[:-2]}, temperatures {tau.shape} and"
            f" references {log_ref.shape[:-1]} do not broadcast"
        ) from cause
    games = P - 0.5
    if P.ndim > 2:
        games = np.broadcast_to(games, (*lead, actions, actions)).reshape(-1, actions, actions)
    flat_ref = np.broadcast_to(log_ref, (*lead, actions)).reshape(-1, actions)
    flat_tau = np.broadcast_to(tau, lead).reshape(-1)
    solution = follow(_PairwisePayoffs(games), flat_ref, flat_tau)
    require_convergence(solution, flat_tau)
    log_policy = log_normalise(solution.x)
    return RegularizedEquilibrium(
        log_policy=log_policy.reshape(*lead, actions),
        residual=solution.residual.reshape(lead),
        iterations=solution.iterations.reshape(lead),
        homotopy_steps=solution.homotopy_steps.reshape(lead),
    )


class _PairwisePayoffs:
    """F(pi) = A pi, A = P - 1/2: one (K, K) matrix shared by the batch, or (B, K, K)."""

    def __init__(self, games: Array) -> None:
        self._games = games
        # The response is Lipschitz with max|A| / tau from log-policies to log-policies.
        self.scale = float(np.abs(games).max(initial=1e-3))

    def value(self, x: Array, rows: Rows) -> Array:
        return self._apply(softmax(x), rows)

    def jacobian(self, x: Array, rows: Rows) -> Array:
        pi = softmax(x)
        A = self._games if self._games.ndim == 2 else self._games[rows]
        J = A * pi[:, None, :]
        J -= self._apply(pi, rows)[:, :, None] * pi[:, None, :]
        return J

    def _apply(self, pi: Array, rows: Rows) -> Array:
        if self._games.ndim == 2:
            return np.asarray(pi @ self._games.T)
        return np.asarray(np.matmul(self._games[rows], pi[:, :, None])[:, :, 0])
