"""The local theory: frequencies, multipliers and stability bounds, against closed forms."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import policies, preference_matrices
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from mnpo.algorithms import Algorithm, Update, get_algorithm
from mnpo.algorithms.egpo import EGPO
from mnpo.algorithms.mnpo import MNPO
from mnpo.algorithms.sources import REFERENCE
from simulators.dynamics.simulation import simulate
from simulators.equilibria import nash_equilibrium, regularized_equilibrium
from simulators.games import make_game
from simulators.metrics.local_rate import local_multiplier, rotation_frequencies, stability_bound

Array = NDArray[np.float64]

RPS = make_game("cyclic").preferences
UNIFORM = np.full(3, 1 / 3)
OMEGA = 1 / np.sqrt(12)  # of rock-paper-scissors at its equilibrium
TAU = 0.1


@given(preference_matrices(), st.data())
def test_frequencies_are_the_spectrum_of_the_linearised_game(P: Array, data: Any) -> None:
    pi = data.draw(policies(len(P)))
    values = np.linalg.eigvals(P @ (np.diag(pi) - np.outer(pi, pi)))
    assert np.abs(values.real).max() < 1e-7
    found = rotation_frequencies(P, pi)
    wanted = np.sort(values.imag[values.imag > 1e-9])[::-1]
    assert np.abs(found[: len(wanted)] - wanted).max(initial=0) < 1e-7
    assert np.all(found[len(wanted) :] < 1e-7)
    assert np.all(np.diff(found) <= 0)


def test_frequency_of_rock_paper_scissors() -> None:
    assert rotation_frequencies(RPS, UNIFORM) == pytest.approx([OMEGA], abs=1e-14)
    assert rotation_frequencies(np.full((3, 3), 0.5), UNIFORM).max(initial=0) < 1e-15
    assert rotation_frequencies(RPS, [0.0, 1.0, 0.0]).max(initial=0) < 1e-12


def roots(*polynomial: complex) -> float:
    return float(np.abs(np.roots(polynomial)).max())


def closed_form(name: str, a: float, tau: float, e: complex) -> float:
    """|z| of theory section 6, for an eigenvalue e = i omega."""
    w = a * tau
    half = (1 - w) / 2
    forms: dict[str, Any] = {
        "inpo": lambda: abs(1 - w + a * e),
        "mmd": lambda: abs((1 + a * e) / (1 + w)),
        "egpo": lambda: abs(1 - w + a * e * (1 - w + a * e)),
        "ipo-online": lambda: abs(e / tau),
        "mwu": lambda: abs(1 + a * e),
        "onpo": lambda: roots(1, -(1 + 2 * a * e), a * e),
        "comal": lambda: abs(1 / (1 - e / tau)),
        "mnpo": lambda: roots(1, -(half + a * e), -half),
        "mnpo-average": lambda: roots(1, -(half + a * half * e), -(half + a * half * e)),
    }
    return float(forms[name]())


@pytest.mark.parametrize(
    "name", ["inpo", "mmd", "egpo", "ipo-online", "mwu", "onpo", "comal", "mnpo", "mnpo-average"]
)
@pytest.mark.parametrize("a", [0.2, 1.0, 3.0])
def test_multipliers_in_closed_form(name: str, a: float) -> None:
    P = make_game("random-skew", actions=4, seed=3).preferences
    equilibrium = regularized_equilibrium(P, TAU)
    extra = {"advantage": "average"} if name == "mnpo-average" else {}
    value = get_algorithm(name.removesuffix("-average"), step_size=a, temperature=TAU, **extra)
    frequencies = [*rotation_frequencies(P, equilibrium), 0.0]  # three directions, one pair
    wanted = max(closed_form(name, a, TAU, 1j * omega) for omega in frequencies)
    found = local_multiplier(value, P, equilibrium)
    assert found == pytest.approx(wanted, abs=1e-7 if "o" in name else 1e-12)


def test_multiplier_is_the_jacobians_spectral_radius() -> None:
    """By finite differences of the update itself."""
    P = make_game("random-skew", actions=5, seed=5).preferences
    equilibrium = regularized_equilibrium(P, TAU)
    for name in ("inpo", "mmd", "egpo", "ipo-online"):
        jacobian = np.empty((5, 5))
        for j in range(5):
            step = np.zeros(5)
            step[j] = 1e-5
            moved = []
            for sign in (1, -1):
                start = equilibrium * np.exp(sign * step)
                run = simulate(
                    P,
                    name,
                    step_size=0.8,
                    temperature=TAU,
                    initial=start / start.sum(),
                    reference=np.full(5, 0.2),
                    iterations=1,
                )
                log = np.log(run.last)
                moved.append(log - log.mean())
            jacobian[:, j] = (moved[0] - moved[1]) / 2e-5
        value = get_algorithm(name, step_size=0.8, temperature=TAU)
        wanted = np.sort(np.abs(np.linalg.eigvals(jacobian)))[-1]
        assert local_multiplier(value, P, equilibrium) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("game", ["cyclic", "biased-rps", "condorcet", "knob", "random-skew"])
@pytest.mark.parametrize("tau", [0.02, 0.1, 0.4])
def test_inpo_bound_is_the_formula(game: str, tau: float) -> None:
    P = make_game(game).preferences
    equilibrium = regularized_equilibrium(P, tau)
    omega = rotation_frequencies(P, equilibrium).max()
    bound = stability_bound(get_algorithm("inpo", temperature=tau), P, equilibrium)
    assert bound == pytest.approx(2 * tau / (omega**2 + tau**2), rel=1e-9)
    best = get_algorithm("inpo", step_size=tau / (omega**2 + tau**2), temperature=tau)
    if len(P) == 3:
        assert local_multiplier(best, P, equilibrium) == pytest.approx(
            omega / np.hypot(omega, tau), rel=1e-9
        )


def test_bounds_of_other_methods() -> None:
    def bound(name: str, tau: float, **extra: Any) -> float | None:
        return stability_bound(get_algorithm(name, temperature=tau, **extra), RPS, UNIFORM)

    # MMD: |1 + a e| < 1 + a tau: any step once tau exceeds omega.
    assert bound("mmd", 0.1) == pytest.approx(2 * 0.1 / (OMEGA**2 - 0.01), rel=1e-9)
    assert bound("mmd", 0.3) == float("inf")
    assert bound("mwu", 0.1) is None  # no step is stable
    assert bound("mnpo", 0.1, reference_weight=0.0) is None
    assert bound("ipo-online", 0.1) is None  # has no step
    assert bound("nash-ema", 0.1) is None  # beyond this theory
    egpo = bound("egpo", 0.1)
    assert egpo is not None
    assert closed_form("egpo", egpo, 0.1, 1j * OMEGA) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("nash-ema", {}),
        ("mpo", {}),
        ("comal", {"inner": 5}),
        ("dpo", {}),
        ("spin", {}),
        ("mnpo-eq10", {}),
        ("inpo", {"schedule": "decaying"}),
        ("mnpo", {"advantage": "reward"}),
        ("sppo-practical", {}),
    ],
)
def test_where_the_theory_does_not_apply(name: str, parameters: dict[str, Any]) -> None:
    assert local_multiplier(get_algorithm(name, **parameters), RPS, UNIFORM) is None


class AveragedOverThePast(MNPO):
    """The advantage against the same past policies that anchor the step, weighted alike."""

    def updates(self, iteration: int) -> tuple[Update, ...]:
        (update,) = super().updates(iteration)
        past = [(source, weight) for source, weight in update.anchors if source != REFERENCE]
        total = sum(weight for _, weight in past)
        return (replace(update, opponents=tuple((s, weight / total) for s, weight in past)),)


def best_contraction(kind: Callable[..., Algorithm], **parameters: Any) -> float:
    """log |z| at the best step, on rock-paper-scissors with tau = .1 from ref (.6, .3, .1)."""
    equilibrium = regularized_equilibrium(RPS, TAU, [0.6, 0.3, 0.1])

    def rate(log_step: float) -> float:
        value = kind(step_size=float(np.exp(log_step)), temperature=TAU, **parameters)
        multiplier = local_multiplier(value, RPS, equilibrium)
        assert multiplier is not None
        return float(np.log(multiplier))

    grid = np.linspace(np.log(0.02), np.log(9.5), 120)
    start = grid[np.argmin([rate(x) for x in grid])]
    return float(minimize_scalar(rate, bounds=(start - 0.1, start + 0.1), method="bounded").fun)


@pytest.mark.parametrize(
    ("kind", "weights", "wanted"),
    [
        (MNPO, (1.0,), -0.061),  # INPO
        (MNPO, (1.0, 1.0), -0.143),
        (MNPO, (1.0, 1.0, 1.0), -0.254),
        (MNPO, (0.0, 1.0), -0.353),
        (AveragedOverThePast, (1.0, 1.0), -0.045),
        (AveragedOverThePast, (1.0, 1.0, 1.0), -0.036),
        (AveragedOverThePast, (0.8, 0.1, 0.1), -0.062),
    ],
)
def test_best_contractions_with_a_reference(
    kind: type[MNPO], weights: tuple[float, ...], wanted: float
) -> None:
    """Theory section 7: history helps when pairs come from pi_t, and hurts when averaged."""
    assert best_contraction(kind, history_weights=weights) == pytest.approx(wanted, abs=1e-3)


def test_best_contraction_of_extragradient() -> None:
    assert best_contraction(EGPO) == pytest.approx(-0.560, abs=1e-3)


def test_onpo_rates_of_the_table() -> None:
    """2 log |z| at eta = 1/8: real, and far too slow to assert a fixed T."""
    for game, wanted in (("cyclic", -0.00130), ("biased-rps", -0.00068)):
        P = make_game(game).preferences
        value = get_algorithm("onpo", step_size=0.125)
        multiplier = local_multiplier(value, P, nash_equilibrium(P).policy)
        assert multiplier is not None
        assert 2 * np.log(multiplier) == pytest.approx(wanted, abs=1e-5)
