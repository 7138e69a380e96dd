"""Equilibria against other people's solvers; skipped where they are not installed."""

import numpy as np
import pytest

from simulators.equilibria import nash_equilibrium, regularized_equilibrium

pytestmark = pytest.mark.peers


def random_game(actions: int, seed: int) -> np.ndarray:
    A = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (actions, actions)), 1)
    return 0.5 + A - A.T


@pytest.mark.parametrize("actions", [3, 5, 7])
def test_nashpy_vertex_enumeration(actions: int) -> None:
    nashpy = pytest.importorskip("nashpy")
    A = random_game(actions, actions) - 0.5
    theirs = list(nashpy.Game(A).vertex_enumeration())
    ours = nash_equilibrium(A + 0.5)
    assert ours.unique == (len(theirs) == 1)
    np.testing.assert_allclose(ours.policy, theirs[0][0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("actions", [10, 40])
def test_nashpy_linear_program(actions: int) -> None:
    nashpy = pytest.importorskip("nashpy")
    A = random_game(actions, actions) - 0.5
    row, _ = nashpy.Game(A).linear_program()
    np.testing.assert_allclose(nash_equilibrium(A + 0.5).policy, row, rtol=0, atol=1e-8)


@pytest.mark.parametrize("tau", [0.1, 0.5])
def test_openspiel_magnetic_mirror_descent_ends_at_the_regularised_equilibrium(
    tau: float,
) -> None:
    pyspiel = pytest.importorskip("pyspiel")
    mmd = pytest.importorskip("open_spiel.python.algorithms.mmd_dilated")
    A = random_game(6, 1) - 0.5
    game = pyspiel.convert_to_turn_based(pyspiel.create_matrix_game(A, -A))
    solver = mmd.MMDDilatedEnt(game, alpha=tau, stepsize=tau)
    for _ in range(3000):
        solver.update_sequences()
        if solver.get_gap() < 1e-15:
            break
    theirs = np.asarray(solver.get_policies().action_probability_array)[0]
    np.testing.assert_allclose(regularized_equilibrium(A + 0.5, tau), theirs, rtol=0, atol=1e-7)


def test_openspiel_nash_averaging_chooses_the_same_equilibrium() -> None:
    pytest.importorskip("cvxpy")
    averaging = pytest.importorskip("open_spiel.python.algorithms.nash_averaging")
    pyspiel = pytest.importorskip("pyspiel")
    A = np.array([[0, 0, -1, 1], [0, 0, -1, 1], [1, 1, 0, 0], [-1, -1, 0, 0]]) / 2
    game = pyspiel.create_matrix_game(A, A.T)
    theirs, _ = averaging.nash_averaging(game)
    np.testing.assert_allclose(nash_equilibrium(A + 0.5).policy, theirs.ravel(), atol=1e-4)
