"""nashpy: support enumeration, vertex enumeration and linear programs find our equilibria."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.dynamics.simulation import simulate
from simulators.equilibria import nash_equilibrium
from simulators.games import make_game

nashpy = pytest.importorskip("nashpy", reason="needs nashpy (extra `peers`)")

Array = NDArray[np.float64]

pytestmark = pytest.mark.peers

UNIQUE = [
    make_game("cyclic"),
    make_game("cyclic", actions=5),
    make_game("biased-rps"),
    make_game("biased-rps", a=0.7, b=0.95, c=0.6),
    make_game("condorcet"),
    make_game("bradley-terry", actions=4),
    make_game("knob", k=0.6),
    make_game("random-skew", actions=6, seed=1),
    make_game("random-skew", actions=7, recipe="sin"),
]


def as_nashpy(P: Array) -> Any:
    return nashpy.Game(P - 0.5)


@pytest.mark.parametrize("game", UNIQUE, ids=lambda g: f"{g.name}-{g.size}")
def test_unique_equilibria(game: Any) -> None:
    ours = nash_equilibrium(game.preferences)
    assert ours.unique
    theirs = as_nashpy(game.preferences)
    row, column = theirs.linear_program()
    assert np.abs(row - ours.policy).max() < 1e-7  # their program's tolerance
    assert np.abs(column - ours.policy).max() < 1e-7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate corners are announced
        found = [pair for pair in theirs.vertex_enumeration() if np.isfinite(pair).all()]
    assert any(
        np.abs(row - ours.policy).max() < 1e-10 and np.abs(column - ours.policy).max() < 1e-10
        for row, column in found
    )


@pytest.mark.parametrize("game", UNIQUE, ids=lambda g: f"{g.name}-{g.size}")
def test_support_enumeration(game: Any) -> None:
    ours = nash_equilibrium(game.preferences).policy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = list(as_nashpy(game.preferences).support_enumeration())
    assert pairs
    for row, column in pairs:
        assert np.abs(row - ours).max() < 1e-10
        assert np.abs(column - ours).max() < 1e-10


@pytest.mark.parametrize(
    ("name", "method"), [("clone", "vertex_enumeration"), ("tie", "support_enumeration")]
)
def test_equilibria_that_are_not_unique_lie_within_our_bounds(name: str, method: str) -> None:
    game = make_game(name)
    ours = nash_equilibrium(game.preferences)
    assert not ours.unique
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = list(getattr(as_nashpy(game.preferences), method)())
    assert pairs
    corners = np.array([policy for pair in pairs for policy in pair])
    assert np.all(corners >= ours.lower - 1e-7)
    assert np.all(corners <= ours.upper + 1e-7)
    assert corners.min(axis=0) == pytest.approx(ours.lower, abs=1e-7)
    assert corners.max(axis=0) == pytest.approx(ours.upper, abs=1e-7)


def test_multiplicative_weights_average_to_their_equilibrium() -> None:
    game = make_game("biased-rps")
    run = simulate(game, "mwu", step_size=0.05, iterations=4000)
    row, _ = as_nashpy(game.preferences).linear_program()
    assert np.abs(run.average - row).max() < 0.02


def test_replicator_dynamics_are_small_multiplicative_steps() -> None:
    """The step-size -> 0 limit of MWU on payoffs P is nashpy's replicator flow."""
    P = make_game("biased-rps").preferences
    start, time = np.array([0.5, 0.3, 0.2]), 4.0
    flow = as_nashpy(P).replicator_dynamics(y0=start, timepoints=np.linspace(0, time, 400))
    errors = []
    for steps in (200, 400):
        run = simulate(P, "mwu", step_size=time / steps, initial=start, iterations=steps)
        errors.append(np.abs(run.last - flow[-1]).max())
    assert errors[1] < 5e-3
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)  # first order in the step
