"""Gradient mode: descent on the training losses ends where the closed forms say."""

from typing import Any

import numpy as np
import pytest

from mnpo.algorithms import list_algorithms
from mnpo.errors import NoMinimiser
from simulators.dynamics.modes import Mode
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.games import make_game

REF = [0.4, 0.4, 0.2]
EXTRA: dict[str, dict[str, Any]] = {
    "spin": {"demonstrations": [0.2, 0.3, 0.5]},
    "eo-mnpo": {
        "externals": [[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]],
        "external_weights": (1.0, 2.0),
        "advantage": "externals",
    },
    "comal": {"inner": 3},
}
NAMES = [entry.name for entry in list_algorithms() if entry.name != "ht-mnpo"]


def settings(name: str) -> dict[str, Any]:
    beta = 3.0 if name.startswith("dpo") else 0.3
    both = {"step_size": 0.6, "temperature": beta, "reference": REF, "iterations": 5}
    return both | EXTRA.get(name, {})


@pytest.mark.parametrize("name", NAMES)
def test_descent_to_the_minimum_is_the_exact_run(name: str) -> None:
    game = make_game("biased-rps")
    exact = simulate(game, name, **settings(name))
    descended = simulate(game, name, mode="gradient", **settings(name))
    assert np.abs(descended.policies - exact.policies).max() < 2e-8
    assert descended.ledger.gradient_steps >= 5
    assert descended.ledger.preference_queries == 0
    if name != "spin":
        assert descended.ledger.oracle_rounds == exact.ledger.oracle_rounds


def test_rewards_and_heterogeneous_players() -> None:
    game = make_game("condorcet", kind="utilities")
    for name, extra in (
        ("ht-mnpo", {}),
        ("ht-mnpo", {"reading": "intended"}),
        ("mnpo", {"advantage": "reward"}),
        ("mnpo", {"advantage": "average"}),
    ):
        exact = simulate(game, name, reference=REF, iterations=4, **extra)
        descended = simulate(game, name, reference=REF, iterations=4, mode="gradient", **extra)
        assert np.abs(descended.policies - exact.policies).max() < 2e-8


@pytest.mark.parametrize("name", ["inpo", "egpo", "onpo", "dpo-online", "dno"])
def test_a_batch_with_contexts_descends_to_each_ones_minimum(name: str) -> None:
    game = make_game("contextual", contexts=3, actions=3)
    temperature = [2.0, 3.0] if name.startswith("dpo") else [0.1, 0.3]
    batched = Settings(name, step_size=[0.3, 0.9], temperature=temperature, iterations=3)
    exact = simulate_batch(game, batched, keep_policies=True).recorder.trajectory
    mode = Mode("gradient")
    descended = simulate_batch(
        game,
        Settings(name, [0.3, 0.9], temperature, iterations=3, mode=mode),
        keep_policies=True,
    ).recorder.trajectory
    assert exact is not None
    assert descended is not None
    assert np.abs(descended - exact).max() < 1e-6


@pytest.mark.parametrize("actions", [3, 5, 8])
@pytest.mark.parametrize("tau", [0.05, 0.4])
def test_one_plain_step_with_uniform_pairs_is_inpo(actions: int, tau: float) -> None:
    """w = 4 lr / K and alpha = w / tau: what EGPO's exact simulation rests on."""
    game = make_game("random-skew", actions=actions, seed=actions)
    ref = np.arange(1.0, actions + 1) / np.arange(1.0, actions + 1).sum()
    rate = 0.03
    descended = simulate(
        game,
        "ipo-online",
        temperature=tau,
        reference=ref,
        iterations=12,
        mode="gradient",
        optimizer="sgd",
        gradient_steps=1,
        pair_weights="uniform",
        learning_rate=rate,
    )
    w = 4 * rate / actions
    inpo = simulate(game, "inpo", step_size=w / tau, temperature=tau, reference=ref, iterations=12)
    assert np.abs(descended.policies - inpo.policies).max() < 1e-11
    assert descended.ledger.gradient_steps == 12


def test_on_policy_pairs_stall_where_the_policy_is_small() -> None:
    """The gradient under pi x pi weights is 4 pi (f - E_pi f): not the natural one."""
    game = make_game("bradley-terry", actions=3)
    start = np.array([0.998, 0.001, 0.001])
    sgd = {"mode": "gradient", "optimizer": "sgd", "gradient_steps": 1, "learning_rate": 0.05}
    both = {"temperature": 0.3, "initial": start, "iterations": 100}
    sampler = simulate(game, "ipo-online", **sgd, **both).last
    uniform = simulate(game, "ipo-online", pair_weights="uniform", **sgd, **both).last
    assert sampler[0] > 0.95
    assert uniform[0] < 0.5


def test_adam_gets_there_too() -> None:
    game = make_game("cyclic")
    exact = simulate(game, "inpo", reference=REF, iterations=3)
    adam = simulate(
        game,
        "inpo",
        reference=REF,
        iterations=3,
        mode="gradient",
        optimizer="adam",
        gradient_steps=400,
        learning_rate=0.02,
    )
    assert np.abs(adam.policies - exact.policies).max() < 1e-3
    assert adam.ledger.gradient_steps == 1200


def test_sampled_preferences_in_gradient_mode_are_counted_and_converge() -> None:
    game = make_game("biased-rps")
    errors = []
    for queries in (100, 10_000):
        run = simulate(
            game, "inpo", reference=REF, iterations=4, mode="gradient", queries=queries, seed=3
        )
        assert run.ledger.preference_queries == 4 * queries
        exact = simulate(game, "inpo", reference=REF, iterations=4)
        errors.append(np.abs(run.policies - exact.policies).max())
    assert errors[1] < errors[0] / 3
    assert errors[1] < 0.02


def test_label_noise_is_the_noisy_matrix() -> None:
    game = make_game("biased-rps")
    noisy = simulate(game, "dno", iterations=3, mode="gradient", label_noise=0.2)
    exact = simulate(game, "dno", iterations=3, label_noise=0.2)
    assert np.abs(noisy.policies - exact.policies).max() < 1e-8
    clean = simulate(game, "dno", reference=REF, iterations=3)
    assert np.abs(clean.policies[1:] - exact.policies[1:]).max() > 1e-3


def test_a_loss_that_overflows_is_named() -> None:
    with pytest.raises(NoMinimiser, match=r"the loss became .* under sgd; lower learning_rate"):
        simulate(
            make_game("cyclic"),
            "inpo",
            reference=REF,
            iterations=1,
            mode="gradient",
            optimizer="sgd",
            learning_rate=1e6,
            gradient_steps=200,
        )


FEATURED = {"contexts": 12, "actions": 3, "features": 3, "seed": 1}


def neural(name: str = "inpo", **changes: Any) -> Any:
    game = make_game("contextual", **FEATURED)
    return simulate(
        game,
        name,
        **{"mode": "neural", "temperature": 0.2, "iterations": 25, "step_size": 1.0} | changes,
    )


def test_a_network_learns_a_contextual_game() -> None:
    run = neural(gradient_steps=60)
    gap = run.batch.series("regularized_gap")[:, 0]
    assert gap[-1] < 0.1 * gap[0]
    # Towards the table of equilibria, which it cannot represent exactly.
    exact = neural(mode="exact", iterations=200)
    before = np.abs(run.policies[0] - exact.last).max(axis=1).mean()
    after = np.abs(run.last - exact.last).max(axis=1).mean()
    assert after < 0.4 * before
    assert run.ledger.gradient_steps == 25 * 60


def test_networks_start_at_the_initial_policy_and_repeat() -> None:
    first, again, other = (neural(iterations=3, gradient_steps=10, seed=s) for s in (4, 4, 5))
    assert np.abs(first.policies[0] - 1 / 3).max() < 1e-15
    assert np.array_equal(first.policies, again.policies)
    assert np.abs(first.last - other.last).max() > 1e-6


def test_runs_of_a_batch_have_networks_of_their_own() -> None:
    game, mode = make_game("contextual", **FEATURED), Mode("neural", gradient_steps=15)
    together = simulate_batch(
        game, Settings("inpo", seeds=(4, 5), iterations=3, mode=mode), keep_policies=True
    )
    for run, seed in enumerate((4, 5)):
        alone = simulate_batch(game, Settings("inpo", seeds=(seed,), iterations=3, mode=mode))
        assert np.abs(together.last_policies(run) - alone.last_policies(0)).max() < 1e-9
