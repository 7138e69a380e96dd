"""The theory's local rate: how fast a method contracts near its equilibrium."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnpo.algorithms import Algorithm, Distance, Update
from mnpo.algorithms.sources import (
    Geometric,
    History,
    Intermediate,
    Reference,
    Solution,
    Source,
)
from mnpo.algorithms.update import Weighted

Array = NDArray[np.float64]

#: Polynomials whose coefficients differ by more have no root that means anything.
_OVERFLOW = 1e100

#: A Laurent polynomial in z, {power: coefficient}: how a source's log-policy deviates when the
#: current one deviates by one. Lag j is z^-j.
Series = dict[int, complex]


def rotation_frequencies(P: ArrayLike, policy: ArrayLike) -> Array:
    """All omega >= 0 with i omega an eigenvalue of P D(pi), D = diag(pi) - pi pi^T; descending.

    The spectrum is purely imaginary, as P - 1/2 is skew; one frequency a conjugate pair. The
    largest says how fast play rotates around the equilibrium.

    Args:
        P: (K, K).
        policy: (K,).
    """
    A = np.asarray(P, dtype=np.float64) - 0.5
    pi = np.asarray(policy, dtype=np.float64)
    # D^1/2 A D^1/2 is skew and has the same spectrum; i times it is Hermitian.
    root = np.linalg.eigh(np.diag(pi) - np.outer(pi, pi))
    half = root.eigenvectors * np.sqrt(np.maximum(root.eigenvalues, 0)) @ root.eigenvectors.T
    values = np.linalg.eigvalsh(1j * (half @ A @ half))
    return np.sort(values[values >= 0])[::-1]


def local_multiplier(algorithm: Algorithm, P: ArrayLike, equilibrium: ArrayLike) -> float | None:
    """|z|, the factor by which a small deviation shrinks per iteration, in the worst direction.

    The deviation of log pi in an eigendirection of P D(pi*) with eigenvalue e = i omega obeys the
    recurrence that the algorithm's own anchors and opponents spell out: a lag j anchor
    contributes its weight times z^-j, an opponent its coefficient times alpha e z^-j, the
    reference nothing. INPO: z = 1 - w + alpha e. The largest root over all e is returned; below
    one the method converges locally, and log KL falls by 2 log|z| an iteration.

    Args:
        algorithm: the value, with scalar hyper-parameters.
        P: (K, K).
        equilibrium: (K,) the fixed point to linearise at.

    Returns:
        The multiplier, or None where this linear theory does not apply (several players, moving
        magnets or averages, logistic projections, decaying steps).
    """
    if not _applies(algorithm):
        return None
    updates = algorithm.updates(2)
    turning = [omega for omega in rotation_frequencies(P, equilibrium) if omega > 1e-12]
    # One direction is the gauge (a constant added to log pi); any further one does not rotate.
    if len(np.asarray(equilibrium)) - 1 > 2 * len(turning):
        turning.append(0.0)
    return max(_largest_root(updates, 1j * omega) for omega in turning)


def aims_at_regularized_equilibrium(algorithm: Algorithm) -> bool:
    """Whether the method's fixed point is the regularised equilibrium at its own temperature.

    At rest, (1 - sum lambda) log pi = w log ref + alpha P pi: that is the equilibrium at
    temperature (1 - sum lambda) / alpha around the reference itself only if w = 1 - sum lambda and
    w = alpha tau. Not so for Nash-MD at a constant step, whose opponent is a mixture with the
    reference, or for MNPO with another reference weight.
    """
    if algorithm.target != "regularized" or not _applies(algorithm):
        return False
    tau = np.asarray(algorithm.temperature, dtype=np.float64)
    for update in algorithm.updates(2):
        if any(isinstance(source, Geometric | Reference) for source, _ in update.opponents):
            return False
        history = sum(
            np.asarray(weight)
            for source, weight in update.anchors
            if not isinstance(source, Reference)
        )
        pull = sum(
            np.asarray(weight) for source, weight in update.anchors if isinstance(source, Reference)
        )
        wanted = np.asarray(update.step_size) * tau
        if not (np.allclose(pull, 1 - history) and np.allclose(pull, wanted)):
            return False
    return True


def stability_bound(algorithm: Algorithm, P: ArrayLike, equilibrium: ArrayLike) -> float | None:
    """The largest step size at which the method is locally stable at this equilibrium.

    For INPO it is 2 tau / (omega^2 + tau^2); for the others it is found by bisection on the
    multiplier, from a ten-thousandth of INPO's. None where the theory does not apply, where the
    method has no step size, or where it is not stable there (unregularised methods); inf where
    every step is.

    Args:
        algorithm: the value; its step size is varied.
        P: (K, K).
        equilibrium: (K,).
    """
    if "step_size" not in algorithm.reads or not _applies(algorithm):
        return None
    omega = float(rotation_frequencies(P, equilibrium).max(initial=0.0))
    tau = float(np.asarray(algorithm.temperature))
    if algorithm.slug == "inpo":
        return 2 * tau / (omega**2 + tau**2) if tau > 0 else None

    def multiplier(step_size: float) -> float:
        value = local_multiplier(replace(algorithm, step_size=step_size), P, equilibrium)
        assert value is not None
        return value

    # Around INPO's bound, over the range in which 1 - w is not rounded to one.
    scale = 2 * tau / (omega**2 + tau**2) if tau > 0 else 1.0
    low = high = 1e-4 * scale
    if multiplier(low) >= 1:
        return None
    while multiplier(high) < 1:
        low, high = high, high * 2
        if high > 1e9 * scale:
            return float("inf")
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if multiplier(middle) < 1 else (low, middle)
    return low


def _applies(algorithm: Algorithm) -> bool:
    if algorithm.players != 1 or algorithm.magnet_period or algorithm.schedule != "constant":
        return False
    known = (History, Reference, Intermediate, Solution, Geometric)
    for update in algorithm.updates(2):
        weighted = (*update.anchors, *update.opponents)
        if not all(isinstance(source, known) for source, _ in weighted):
            return False
        if update.advantage != "preference" or update.winners is not None:
            return False
        if update.distance not in (Distance.SQUARED, Distance.SOFT_LOGISTIC):
            return False
    return True


def _largest_root(updates: tuple[Update, ...], eigenvalue: complex) -> float:
    intermediate: Series = {}
    implicit: complex = 0
    result: Series = {}
    for update in updates:
        result = defaultdict(complex)
        implicit = 0
        _add(result, update.anchors, 1, intermediate)
        alpha = complex(np.asarray(update.step_size))
        for source, coefficient in update.opponents:
            if isinstance(source, Solution):
                implicit += alpha * eigenvalue * complex(np.asarray(coefficient))
            else:
                _add(result, ((source, coefficient),), alpha * eigenvalue, intermediate)
        intermediate = dict(result)
    # z (1 - implicit) = sum_j c_j z^-j: multiply by z^depth and read off the polynomial.
    depth = max((-power for power in result), default=0)
    polynomial = np.zeros(depth + 2, dtype=complex)
    polynomial[0] = 1 - implicit
    for power, value in result.items():
        polynomial[1 - power] -= value
    if not np.abs(polynomial).max() < _OVERFLOW * np.abs(polynomial[0]):
        return float("inf")
    roots = np.roots(polynomial)
    return float(np.abs(roots).max(initial=0.0))


def _add(
    series: Series, weighted: tuple[Weighted, ...], scale: complex, intermediate: Series
) -> None:
    for source, weight in weighted:
        for power, share in _deviation(source, intermediate).items():
            series[power] += scale * complex(np.asarray(weight)) * share


def _deviation(source: Source, intermediate: Series) -> Series:
    match source:
        case History(lag):
            return {-lag: 1}
        case Intermediate():
            return intermediate
        case Geometric(parts):
            mixed: Series = defaultdict(complex)
            _add(mixed, parts, 1, intermediate)
            return dict(mixed)
        case _:
            return {}
