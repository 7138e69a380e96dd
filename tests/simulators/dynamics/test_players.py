"""Several players side by side, against a plain loop over the players."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp

from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.games import make_game

Array = NDArray[np.float64]
Step = Callable[..., Array]

T = 6


def norm(x: Array) -> Array:
    return x - logsumexp(x)


def players_twin(
    Ps: list[Array], starts: Array, ref: Array, a: float, tau: float, step: Step
) -> Array:
    """(T + 1, players, K): every player's step from the others' policies."""
    xs, r = list(np.log(starts)), np.log(ref)
    out = [np.exp(xs)]
    for _ in range(T):
        following = []
        for i, P in enumerate(Ps):
            others = [x for j, x in enumerate(xs) if j != i]
            geometric = sum(others) / len(others)
            mixture = sum(np.exp(x) for x in others) / len(others)
            following.append(norm(step(P, xs[i], geometric, mixture, r, a, a * tau)))
        xs = following
        out.append(np.exp(xs))
    return np.array(out)


PLAYERS: dict[str, tuple[str, dict[str, Any], Step]] = {
    "eq10": ("mnpo-eq10", {}, lambda P, x, g, m, r, a, w: g + a * P @ m),
    "eq10-own-pairs": (
        "mnpo-eq10",
        {"target_form": "own-pairs"},
        lambda P, x, g, m, r, a, w: g + a * P @ np.exp(x),
    ),
    "eq15": ("mnpo-eq15", {}, lambda P, x, g, m, r, a, w: g + P @ np.exp(x) / a),
    "ht-alg2": (
        "ht-mnpo",
        {},
        lambda P, x, g, m, r, a, w: (1 - w) * g + w * r + a * P @ np.exp(x),
    ),
    "ht-intended": (
        "ht-mnpo",
        {"reading": "intended"},
        lambda P, x, g, m, r, a, w: (1 - w) * g + w * r + a * P @ m,
    ),
    "ht-own-prox": (
        "ht-mnpo",
        {"self_weight": 0.4},
        lambda P, x, g, m, r, a, w: (1 - w) * (0.6 * g + 0.4 * x) + w * r + a * P @ np.exp(x),
    ),
}


@pytest.mark.parametrize("method", PLAYERS)
def test_several_players(method: str) -> None:
    name, parameters, step = PLAYERS[method]
    game = make_game("condorcet", kind="utilities")
    assert game.annotators is not None
    rng = np.random.default_rng(5)
    starts, ref = rng.dirichlet(np.ones(3), size=3), rng.dirichlet(np.ones(3))
    matrices = list(game.annotators) if name == "ht-mnpo" else [game.preferences] * 3
    for a, tau in ((0.3, 0.2), (1.2, 0.1)):
        found = simulate(
            game,
            name,
            step_size=a,
            temperature=tau,
            reference=ref,
            initial=starts,
            iterations=T,
            **parameters,
        )
        want = players_twin(matrices, starts, ref, a, tau, step)
        assert np.abs(found.policies - want).max() < 1e-12


@pytest.mark.parametrize("method", PLAYERS)
def test_players_and_settings_in_one_batch(method: str) -> None:
    name, parameters, _ = PLAYERS[method]
    games = [
        make_game("condorcet", kind="utilities", weights=weights)
        for weights in ("0.4,0.35,0.25", "0.2,0.3,0.5")
    ]
    starts = np.random.default_rng(6).dirichlet(np.ones(3), size=3)
    steps, temperatures = np.array([0.4, 0.9]), np.array([0.1, 0.3])
    batch = simulate_batch(
        games,
        Settings(
            name,
            step_size=steps,
            temperature=temperatures,
            iterations=T,
            initial=starts,
            parameters=tuple(parameters.items()),
        ),
        keep_policies=True,
    )
    for b, game in enumerate(games):
        alone = simulate(
            game,
            name,
            step_size=steps[b],
            temperature=temperatures[b],
            initial=starts,
            iterations=T,
            **parameters,
        )
        assert batch.recorder.trajectory is not None
        assert np.abs(batch.recorder.trajectory[..., b] - alone.policies).max() < 1e-13
        together, single = batch.summary(b), alone.summary()
        for key in ("gap_last", "gap_average", "regularized_gap_last", "multiplayer_gap_last"):
            assert abs(together[key] - single[key]) < 1e-13
