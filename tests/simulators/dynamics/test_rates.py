"""Observed rates of whole runs against the local theory and the papers' bounds (section 6)."""

from typing import Any

import numpy as np
import pytest
from conftest import policies, preference_matrices
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnpo.algorithms import get_algorithm
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.equilibria import nash_equilibrium, regularized_equilibrium
from simulators.games import Game, make_game
from simulators.metrics.local_rate import local_multiplier, rotation_frequencies
from simulators.metrics.rates import fitted_multiplier

Array = NDArray[np.float64]

TAU = 0.1
GAMES: dict[str, tuple[Game, Array | None]] = {
    "rps": (make_game("cyclic"), np.array([0.6, 0.3, 0.1])),
    "comal": (make_game("biased-rps"), np.array([0.4, 0.4, 0.2])),
    "condorcet": (make_game("condorcet"), np.array([0.2, 0.3, 0.5])),
    "rpsls": (make_game("cyclic", actions=5), np.array([0.4, 0.2, 0.2, 0.1, 0.1])),
    "circle": (make_game("cyclic", actions=7), np.arange(7.0, 0, -1) / 28),
    "bradley-terry": (make_game("bradley-terry"), None),
    "knob": (make_game("knob", k=0.8), None),
    "random": (make_game("random-skew", recipe="sin"), None),
}


def half_bound(game: Game, ref: Array | None) -> tuple[float, float]:
    """Half of INPO's stability bound, and the fastest frequency."""
    equilibrium = regularized_equilibrium(game.preferences, TAU, ref)
    omega = rotation_frequencies(game.preferences, equilibrium).max()
    return TAU / (omega**2 + TAU**2), float(omega)


@pytest.mark.parametrize("name", ["inpo", "mmd", "egpo"])
@pytest.mark.parametrize("game", GAMES)
def test_observed_rate_is_the_predicted_one(game: str, name: str) -> None:
    matrix, ref = GAMES[game]
    step, _ = half_bound(matrix, ref)
    run = simulate(matrix, name, step_size=step, temperature=TAU, reference=ref, iterations=600)
    row = run.summary()
    if not np.isfinite(row["fitted_multiplier"]):  # too fast to fit ten steps
        assert row["predicted_multiplier"] < 0.5
        return
    observed, predicted = np.log(row["fitted_multiplier"]), np.log(row["predicted_multiplier"])
    assert observed == pytest.approx(predicted, rel=0.03)


def test_the_tables_rock_paper_scissors_row() -> None:
    matrix, ref = GAMES["rps"]
    step, omega = half_bound(matrix, ref)
    assert omega == pytest.approx(0.2772, abs=5e-5)
    slopes = {"inpo": -0.1223, "mmd": -0.1209, "egpo": -0.3669}
    for name, slope in slopes.items():
        run = simulate(matrix, name, step_size=step, temperature=TAU, reference=ref, iterations=400)
        row = run.summary()
        assert 2 * np.log(row["predicted_multiplier"]) == pytest.approx(slope, abs=6e-5)
        assert 2 * np.log(row["fitted_multiplier"]) == pytest.approx(slope, abs=2e-4)
    floor = simulate(
        matrix, "nash-md", step_size=step, temperature=TAU, reference=ref, iterations=1500
    )
    assert floor.summary()["kl_to_regularized_equilibrium"] == pytest.approx(2.9e-3, rel=0.02)


def slope_in_t(game: Game, name: str, ref: Array | None) -> float:
    run = simulate(game, name, temperature=TAU, reference=ref, schedule="decaying", iterations=3000)
    kl = run.batch.series("squared_distance")[:, 0]
    tail = np.arange(1000, 3001)
    return float(np.polyfit(np.log(tail), np.log(kl[tail]), 1)[0])


@pytest.mark.parametrize("game", ["rps", "comal", "condorcet"])
def test_decaying_steps_beat_their_bounds(game: str) -> None:
    """The papers promise KL <= 8 / (tau^2 (T + 1)); the slopes in T are -4 and -2."""
    matrix, ref = GAMES[game]
    assert slope_in_t(matrix, "inpo", ref) == pytest.approx(-4.0, abs=0.1)
    assert slope_in_t(matrix, "nash-md", ref) == pytest.approx(-2.0, abs=0.1)
    for name in ("inpo", "nash-md"):
        run = simulate(
            matrix, name, temperature=TAU, reference=ref, schedule="decaying", iterations=300
        )
        kl = run.batch.series("kl")[:, 0]
        bound = 8 / (TAU**2 * (np.arange(301) + 1))
        assert np.all(kl[1:] <= 1e-2 * bound[1:])


@settings(max_examples=25)
@given(preference_matrices(), st.data(), st.sampled_from([0.1, 0.3, 1.0]))
def test_step_inequalities(P: Array, data: Any, step: float) -> None:
    ref, start = data.draw(policies(len(P))), data.draw(policies(len(P)))
    both = {"step_size": step, "temperature": TAU, "reference": ref, "initial": start}

    def kl(name: str) -> Array:
        return simulate(P, name, iterations=30, **both).batch.series("kl")[:, 0]

    rounds, w = np.arange(31), step * TAU
    assert np.all(kl("egpo") <= (1 - w) ** rounds * kl("egpo")[0] + 1e-12)
    assert np.all(kl("mmd") <= (1 + w) ** -rounds.astype(float) * kl("mmd")[0] + 1e-12)
    nash_md = kl("nash-md")
    assert np.all(nash_md[1:] <= (1 - w) * nash_md[:-1] + 2 * step**2 + 1e-12)


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("step", [0.1, 0.3, 1.0])
def test_inpo_contracts_inside_its_bound(game: str, step: float) -> None:
    matrix, ref = GAMES[game]
    assert step < 2 * half_bound(matrix, ref)[0]
    run = simulate(matrix, "inpo", step_size=step, temperature=TAU, reference=ref, iterations=60)
    kl = run.batch.series("kl")[:, 0]
    assert np.all(kl <= (1 - step * TAU / 2) ** np.arange(61) * kl[0] + 1e-12)


@pytest.mark.parametrize(
    ("game", "rate", "gap"),
    [
        ("rps", -1.117, 1e-10),
        ("comal", -0.840, 2e-8),
        ("condorcet", -0.280, 1e-3),
        ("rpsls", -0.212, 3e-4),
    ],
)
def test_proximal_point_rates_of_the_table(game: str, rate: float, gap: float) -> None:
    """COMAL at tau = .1: gap after 20 outer steps, and log |z|."""
    matrix, ref = GAMES[game]
    nash = nash_equilibrium(matrix.preferences).policy
    predicted = local_multiplier(get_algorithm("comal", temperature=TAU), matrix.preferences, nash)
    assert predicted is not None
    assert np.log(predicted) == pytest.approx(rate, abs=1e-3)
    run = simulate(matrix, "comal", temperature=TAU, reference=ref, iterations=60)
    gaps = run.gap()
    assert gap / 30 < gaps[20] < gap * 30
    last = min(60, int(20 / -rate))
    window = np.arange(last // 2, last)
    # The gap turns with the phase of the rotation; the distance falls evenly.
    log = np.log(run.policies[window]) - np.log(nash)
    distance = np.sqrt((nash * (log - (log @ nash)[:, None]) ** 2).sum(axis=1))
    slope = np.polyfit(window, np.log(distance), 1)[0]
    assert slope == pytest.approx(rate, abs=0.01)


def test_fitted_multiplier_of_made_up_series() -> None:
    rounds = np.arange(200)
    clean = 3.0 * 0.9 ** (2 * rounds)
    assert fitted_multiplier(clean) == pytest.approx(0.9, rel=1e-12)
    with_floor = np.maximum(clean, 1e-27)  # rounding
    assert fitted_multiplier(with_floor) == pytest.approx(0.9, rel=1e-9)
    assert np.isnan(fitted_multiplier(np.ones(100)))
    assert np.isnan(fitted_multiplier(1e-3 * 1e-3 ** rounds[:20]))  # too few to tell
    assert np.isnan(fitted_multiplier(np.full(100, np.nan)))


def test_predictions_in_a_batch_are_each_runs_own() -> None:
    matrix, ref = GAMES["rps"]
    settings_ = Settings(
        "inpo", step_size=[0.3, 1.0], temperature=[0.1, 0.2], reference=ref, iterations=5
    )
    batch = simulate_batch(matrix, settings_)
    for b, (step, tau) in enumerate(((0.3, 0.1), (1.0, 0.2))):
        alone = simulate(
            matrix, "inpo", step_size=step, temperature=tau, reference=ref, iterations=5
        )
        row, single = batch.summary(b), alone.summary()
        assert row["predicted_multiplier"] == pytest.approx(single["predicted_multiplier"])
        assert row["step_size"] == step
        assert row["temperature"] == tau
