"""OpenSpiel: NashConv is the duality gap, and its magnetic mirror descent is `mmd`."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.dynamics.simulation import simulate
from simulators.equilibria import regularized_equilibrium
from simulators.games import make_game
from simulators.metrics.gaps import duality_gap

pyspiel = pytest.importorskip("pyspiel", reason="needs OpenSpiel (extra `peers`)")
exploitability = pytest.importorskip("open_spiel.python.algorithms.exploitability")
mmd_dilated = pytest.importorskip("open_spiel.python.algorithms.mmd_dilated")
policy_module = pytest.importorskip("open_spiel.python.policy")

Array = NDArray[np.float64]

pytestmark = pytest.mark.peers

GAMES = [
    make_game("cyclic"),
    make_game("biased-rps"),
    make_game("condorcet"),
    make_game("cyclic", actions=5),
    make_game("random-skew", actions=6, recipe="sin"),
]


def as_spiel(P: Array, *, turns: bool) -> Any:
    """The zero-sum matrix game with payoffs P - 1/2."""
    game = pyspiel.create_matrix_game((P - 0.5).tolist(), (0.5 - P).tolist())
    return pyspiel.convert_to_turn_based(game) if turns else game


def tabular(game: Any, pi: Array) -> Any:
    policy = policy_module.TabularPolicy(game)
    for row in policy.action_probability_array:
        row[:] = pi
    return policy


@pytest.mark.parametrize("game", GAMES, ids=lambda g: f"{g.name}-{g.size}")
def test_nash_conv_is_the_duality_gap(game: Any) -> None:
    P = game.preferences
    simultaneous, sequential = as_spiel(P, turns=False), as_spiel(P, turns=True)
    rng = np.random.default_rng(0)
    for pi in [*rng.dirichlet(np.ones(game.size), size=5), np.eye(game.size)[0]]:
        gap = duality_gap(P, pi)
        found = exploitability.nash_conv(simultaneous, tabular(simultaneous, pi))
        assert found == pytest.approx(gap, abs=1e-13)
        # Its exploitability is the mean over players, half of NashConv.
        halved = exploitability.exploitability(sequential, tabular(sequential, pi))
        assert halved == pytest.approx(gap / 2, abs=1e-13)


@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
@pytest.mark.parametrize("game", GAMES, ids=lambda g: f"{g.name}-{g.size}")
@pytest.mark.parametrize(("step", "tau"), [(0.5, 0.1), (2.0, 0.05)])
def test_magnetic_mirror_descent_step_by_step(game: Any, step: float, tau: float) -> None:
    """Uniform magnet and start, both players in self-play."""
    solver = mmd_dilated.MMDDilatedEnt(as_spiel(game.preferences, turns=True), tau, step)
    run = simulate(game, "mmd", step_size=step, temperature=tau, iterations=60)
    for t in range(61):
        for sequence in solver.current_sequences():
            assert np.abs(sequence[1:] - run.policies[t]).max() < 1e-12, t
        solver.update_sequences()


def test_their_regularised_gap_closes_where_ours_does() -> None:
    game = make_game("biased-rps")
    solver = mmd_dilated.MMDDilatedEnt(as_spiel(game.preferences, turns=True), 0.1, 1.0)
    for _ in range(400):
        solver.update_sequences()
    assert abs(solver.get_gap()) < 1e-9
    equilibrium = regularized_equilibrium(game.preferences, 0.1)
    assert np.abs(solver.current_sequences()[0][1:] - equilibrium).max() < 1e-9


def test_their_gap_along_a_run_is_ours() -> None:
    game = make_game("condorcet")
    solver = mmd_dilated.MMDDilatedEnt(as_spiel(game.preferences, turns=True), 0.1, 0.7)
    run = simulate(game, "mmd", step_size=0.7, temperature=0.1, iterations=20)
    for t in range(21):
        assert solver.get_gap() == pytest.approx(run.gap(0.1)[t], abs=1e-12)
        solver.update_sequences()
