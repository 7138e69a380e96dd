"""The symmetric regularised equilibrium of the one-vs-many Plackett-Luce game.

F_n is monotone. With H(t) = sum_z h_z exp(-e^(t + u_z)) and sum h = 0, integration by parts of
the integral in :mod:`simulators.equilibria.plackett_luce` gives

    h . F_n'(pi) h = (n-1)(n-2)/2 * integral H^2 psi^(n-3) dpsi <= 0      (zero for n = 2),

psi falling in t; a mixture of annotators is a sum of such terms. Hence the equilibrium is unique
for every temperature > 0 and every n, and path following finds it.
"""

from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.errors import InvalidSetting
from simulators.equilibria.checks import as_log_reference, as_temperatures
from simulators.equilibria.path import Rows, follow, log_normalise, require_convergence, softmax
from simulators.equilibria.plackett_luce import PlackettLuceOracle
from simulators.equilibria.regularized import RegularizedEquilibrium

Array = NDArray[np.float64]


@overload
def plackett_luce_equilibrium(
    utilities: ArrayLike,
    players: int = 3,
    temperature: float = 0.1,
    reference: ArrayLike | None = None,
    annotator_weights: ArrayLike | None = None,
    *,
    return_info: Literal[False] = False,
) -> Array: ...


@overload
def plackett_luce_equilibrium(
    utilities: ArrayLike,
    players: int = 3,
    temperature: float = 0.1,
    reference: ArrayLike | None = None,
    annotator_weights: ArrayLike | None = None,
    *,
    return_info: Literal[True],
) -> tuple[Array, RegularizedEquilibrium]: ...


def plackett_luce_equilibrium(
    utilities: ArrayLike,
    players: int = 3,
    temperature: float = 0.1,
    reference: ArrayLike | None = None,
    annotator_weights: ArrayLike | None = None,
    *,
    return_info: bool = False,
) -> Array | tuple[Array, RegularizedEquilibrium]:
    """The symmetric KL-regularised equilibrium ``log pi = log ref + F_n(.; pi) / tau + const``.

    For n = 2 it is the pairwise regularised equilibrium. Payoffs scale as 1/n, so the same
    temperature regularises harder as n grows. As n grows and tau n falls to zero it tends to the
    policy of maximal Nash welfare, ``argmax sum_a w_a log E_pi e^(u_a)``. Temperature 0 is
    refused: the limit as tau falls exists (F is monotone) but is no regularised equilibrium;
    come near it with a small temperature, down to about ``1e-9``.

    Args:
        utilities: (K,) or (A, K), one row an annotator.
        players: n >= 2.
        temperature: tau > 0.
        reference: (K,) with full support; None is uniform.
        annotator_weights: (A,); None is equal shares.
        return_info: also return the log-policy and the certificate.

    Returns:
        (K,) policy, or the pair (policy, info).

    Raises:
        InvalidGame: utilities or weights of the wrong shape.
        InvalidPolicy: a reference that is no distribution with full support.
        InvalidSetting: players < 2, temperature <= 0 or too small for double precision.
    """
    oracle = PlackettLuceOracle.create(utilities, players, annotator_weights)
    tau = np.atleast_1d(as_temperatures(temperature))
    log_ref = np.atleast_2d(as_log_reference(reference, oracle.actions))
    if tau.shape != (1,) or log_ref.shape[0] != 1:
        raise InvalidSetting("temperature, reference: give one temperature and one (K,) policy")
    solution = follow(_OneVersusManyPayoffs(oracle), log_ref, tau)
    require_convergence(solution, tau)
    info = RegularizedEquilibrium(
        log_policy=log_normalise(solution.x[0]),
        residual=solution.residual[0],
        iterations=solution.iterations[0],
        homotopy_steps=solution.homotopy_steps[0],
    )
    return (info.policy, info) if return_info else info.policy


@dataclass(frozen=True, eq=False)
class _OneVersusManyPayoffs:
    """F_n of the symmetric profile, as the path follower wants it."""

    oracle: PlackettLuceOracle
    scale: float = 1.0

    def value(self, x: Array, rows: Rows) -> Array:
        # Centred (pi . F = 1/n), so that F / tau stays small on the support as tau falls.
        return self.oracle.win_rates(softmax(x)) - 1.0 / self.oracle.players

    def jacobian(self, x: Array, rows: Rows) -> Array:
        pi = softmax(x)
        slope = self.oracle.gradient(pi)
        mean = np.matmul(slope, pi[:, :, None])
        slope -= mean
        slope *= pi[:, None, :]
        return slope
