"""TD-MNPO's history: when unregularised runs converge, and how fast (theory section 7)."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnpo.algorithms import get_algorithm
from simulators.dynamics import loop
from simulators.dynamics.exact import ExactMinimiser
from simulators.dynamics.oracles import SharedMatrix
from simulators.dynamics.policies import Policies
from simulators.dynamics.problem import Problem
from simulators.games import make_game
from simulators.metrics.local_rate import local_multiplier

Array = NDArray[np.float64]

RPS = make_game("cyclic").preferences
UNIFORM = np.full(3, 1 / 3)
OMEGA = 1 / np.sqrt(12)

# lambda -> log |z| per step at alpha = .1 and .5, advantage against pi_t
TABLE: list[tuple[tuple[float, ...], float, float]] = [
    ((1.0,), 4.16e-4, 1.03e-2),
    ((0.5, 0.5), 6.2e-5, 1.55e-3),
    ((1 / 3,) * 3, -3.5e-5, -8.7e-4),
    ((0.0, 1.0), 0.0, 0.0),
    ((0.25,) * 4, -6.7e-5, -1.7e-3),
    ((0.1,) * 10, -6.9e-5, -1.7e-3),
]


def value(weights: tuple[float, ...], step: float, advantage: str = "current") -> Any:
    return get_algorithm(
        "mnpo",
        history_weights=weights,
        step_size=step,
        reference_weight=0.0,
        temperature=0.0,
        advantage=advantage,
    )


def distances(algorithm: Any, start: Array, iterations: int) -> Array:
    """(T + 1,) distance of the log-policy from uniform, without any other metric."""
    problem = Problem(
        oracles=(SharedMatrix(RPS),),
        log_reference=np.log(UNIFORM)[:, None],
        log_initial=np.log(start)[:, None],
        columns=1,
    )
    found = np.empty(iterations + 1)

    def observe(t: int, policies: list[Policies]) -> None:
        log = policies[0].log[:, 0]
        found[t] = np.sqrt(((log - log.mean()) ** 2).sum())

    loop.run(algorithm, problem, ExactMinimiser(problem), iterations=iterations, observe=observe)
    return found


def observed(algorithm: Any) -> float:
    """Slope of the log distance near the equilibrium, the transient left out."""
    near = UNIFORM * np.exp([1e-8, -2e-8, 1e-8])
    path = np.log(distances(algorithm, near / near.sum(), 1200))
    return float(np.polyfit(np.arange(400, 1201), path[400:], 1)[0])


@pytest.mark.parametrize(("weights", "slow", "fast"), TABLE)
def test_stability_table(weights: tuple[float, ...], slow: float, fast: float) -> None:
    for step, wanted in ((0.1, slow), (0.5, fast)):
        predicted = np.log(local_multiplier(value(weights, step), RPS, UNIFORM))
        assert predicted == pytest.approx(wanted, rel=0.03, abs=5e-7)
        assert observed(value(weights, step)) == pytest.approx(predicted, rel=2e-3, abs=1e-6)


@pytest.mark.parametrize(("weights", "slow", "fast"), TABLE[1:])
def test_averaged_advantage_never_converges(
    weights: tuple[float, ...], slow: float, fast: float
) -> None:
    for step in (0.1, 0.5):
        algorithm = value(weights, step, "average")
        multiplier = local_multiplier(algorithm, RPS, UNIFORM)
        assert multiplier is not None
        assert multiplier > 1
        assert observed(algorithm) > 0


@pytest.mark.parametrize(("weights", "slow", "fast"), TABLE)
def test_growth_to_second_order(weights: tuple[float, ...], slow: float, fast: float) -> None:
    """Re s = a^2 (1 - v) / (2 (1 + m)), plus a^2 m when the advantage is averaged as well."""
    lags = np.arange(len(weights))
    m, v = float(lags @ weights), float(lags**2 @ weights)
    step = 0.02
    a = step * OMEGA / (1 + m)
    current = a**2 * (1 - v) / (2 * (1 + m))
    averaged = a**2 * (m + (1 - v) / (2 * (1 + m)))
    found = np.log(local_multiplier(value(weights, step), RPS, UNIFORM))
    assert found == pytest.approx(current, rel=0.02, abs=2e-8)
    both = np.log(local_multiplier(value(weights, step, "average"), RPS, UNIFORM))
    assert both == pytest.approx(averaged, rel=0.02, abs=2e-8)


@pytest.mark.parametrize(
    ("weights", "advantage", "wanted"),
    [
        ((1.0,), "current", 5.1),
        ((0.5, 0.5), "current", 1.4),
        ((1 / 3,) * 3, "current", 0.017),
        ((0.25,) * 4, "current", 9.6e-4),
        ((0.5, 0.5), "average", 3.7),
        ((1 / 3,) * 3, "average", 2.9),
        ((0.25,) * 4, "average", 2.5),
    ],
)
def test_far_from_the_equilibrium(
    weights: tuple[float, ...], advantage: str, wanted: float
) -> None:
    """KL(NE || pi_5000) from (.6, .3, .1) at alpha = .3."""
    problem = Problem(
        oracles=(SharedMatrix(RPS),),
        log_reference=np.log(UNIFORM)[:, None],
        log_initial=np.log([[0.6], [0.3], [0.1]]),
        columns=1,
    )
    (last,) = loop.run(
        value(weights, 0.3, advantage), problem, ExactMinimiser(problem), iterations=5000
    )
    kl = float(UNIFORM @ (np.log(UNIFORM) - last.log[:, 0]))
    assert kl == pytest.approx(wanted, rel=0.04)
