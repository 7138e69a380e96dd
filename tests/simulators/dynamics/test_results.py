"""What a run records and returns, against loops over its own policies."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.equilibria import regularized_equilibrium
from simulators.games import make_game
from simulators.metrics.gaps import duality_gap

Array = NDArray[np.float64]

TAU, T = 0.2, 12
RUNS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "one player": ("random-skew", {"actions": 4}, {"algorithm": "inpo"}),
    "unregularised": ("cyclic", {"actions": 5}, {"algorithm": "mwu"}),
    "three players": ("condorcet", {}, {"algorithm": "mnpo-eq10", "initial": "random"}),
    "own oracles": ("condorcet", {"kind": "utilities"}, {"algorithm": "ht-mnpo"}),
    "contexts": ("contextual", {"contexts": 4, "actions": 3}, {"algorithm": "egpo"}),
}


def run(label: str) -> Any:
    game, parameters, settings = RUNS[label]
    built = make_game(game, **parameters)
    weights = np.arange(1.0, built.size + 1)
    batched = Settings(
        step_size=[0.4, 1.1],
        temperature=TAU,
        iterations=T,
        reference=weights / weights.sum(),
        seeds=(1, 2),
        **settings,
    )
    return simulate_batch(built, batched, keep_policies=True)


@pytest.mark.parametrize("label", RUNS)
def test_series_are_those_of_the_policies(label: str) -> None:
    batch = run(label)
    game, players, contexts = batch.game(0), batch.batch.players, batch.batch.contexts
    ref = np.arange(1.0, game.size + 1) / np.arange(1.0, game.size + 1).sum()
    matrices = game.preferences.reshape(-1, game.size, game.size)
    kept = batch.recorder.trajectory.reshape(T + 1, players, game.size, 2, contexts)
    for r in range(2):
        for t in range(T + 1):
            gaps, regularized, averages, kls = [], [], [], []
            for c, P in enumerate(matrices):
                now = kept[t, :, :, r, c]
                gaps.append(max(duality_gap(P, pi) for pi in now))
                regularized.append(max(duality_gap(P, pi, TAU, ref) for pi in now))
                played = kept[: max(t, 1), :, :, r, c].mean(axis=(0, 1))
                averages.append([duality_gap(P, played), duality_gap(P, played, TAU, ref)])
                star = regularized_equilibrium(P, TAU, ref)
                kls.append(np.mean([star @ np.log(star / pi) for pi in now]))
            wanted = {
                "gap": np.mean(gaps),
                "regularized_gap": np.mean(regularized),
                "average_gap": np.mean(averages, axis=0)[0],
                "average_regularized_gap": np.mean(averages, axis=0)[1],
                "kl": np.mean(kls),
            }
            for name, value in wanted.items():
                assert batch.series(name)[t, r] == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("label", RUNS)
def test_movement_spread_and_leader(label: str) -> None:
    batch = run(label)
    players, contexts = batch.batch.players, batch.batch.contexts
    kept = batch.recorder.trajectory.reshape(T + 1, players, -1, 2, contexts)
    log = np.log(kept)
    for r in range(2):
        moved = np.abs(np.diff(log[:, :, :, r], axis=0)).max(axis=(1, 2, 3))
        assert batch.series("movement")[1:, r] == pytest.approx(moved, abs=1e-12)
        assert batch.series("movement")[0, r] == 0
        spread = np.ptp(log[:, :, :, r], axis=2).max(axis=(1, 2))
        assert batch.series("spread")[:, r] == pytest.approx(spread, abs=1e-12)
        assert np.array_equal(batch.series("leader")[:, r], kept[:, 0, :, r, 0].argmax(axis=1))


@pytest.mark.parametrize("actions", [5, 40])
def test_the_first_of_equally_likely_actions_leads(actions: int) -> None:
    """However many actions are scanned."""
    result = simulate(make_game("tie", actions=actions), "inpo", iterations=2)
    assert np.array_equal(result.batch.series("leader")[:, 0], np.zeros(3))


@pytest.mark.parametrize("label", RUNS)
def test_policies_of_a_run(label: str) -> None:
    batch = run(label)
    players, contexts, size = batch.batch.players, batch.batch.contexts, batch.game(0).size
    kept = batch.recorder.trajectory.reshape(T + 1, players, size, 2, contexts)
    for r in range(2):
        last, average = batch.last_policies(r), batch.average_policy(r)
        assert last.shape == (players, contexts, size)
        assert average.shape == (contexts, size)
        assert np.array_equal(last, np.swapaxes(kept[-1, :, :, r], 1, 2))
        played = kept[:-1, :, :, r].mean(axis=(0, 1)).T
        assert np.abs(average - played).max() < 1e-14


@pytest.mark.parametrize(
    ("game", "name", "shape"),
    [
        (make_game("cyclic"), "inpo", (T + 1, 3)),
        (make_game("cyclic"), "mnpo-eq10", (T + 1, 3, 3)),
        (make_game("contextual", contexts=4, actions=5), "inpo", (T + 1, 4, 5)),
        (make_game("contextual", contexts=4, actions=5), "mnpo-eq10", (T + 1, 3, 4, 5)),
    ],
)
def test_shapes(game: Any, name: str, shape: tuple[int, ...]) -> None:
    result = simulate(game, name, iterations=T)
    assert result.policies.shape == shape
    assert result.last.shape == shape[1:]
    assert np.array_equal(result.last, result.policies[-1])
    assert np.abs(result.average - result.policies[:-1].mean(axis=0)).max() < 1e-15
    assert result.gap().shape == shape[:-1]
    assert result.gap(TAU).shape == shape[:-1]
    worst = result.gap().reshape(T + 1, -1, game.contexts).max(axis=1).mean(axis=1)
    assert result.batch.series("gap")[:, 0] == pytest.approx(worst, abs=1e-13)


def test_summary_columns() -> None:
    row = simulate(make_game("cyclic"), "inpo", iterations=T, seed=4).summary()
    promised = (
        "game algorithm mode seed step_size temperature iterations gap_last gap_average "
        "regularized_gap_last kl_to_regularized_equilibrium external_regret verdict "
        "preference_queries gradient_steps"
    )
    assert set(promised.split()) <= set(row)
    assert row["game"] == "cyclic"
    assert (row["algorithm"], row["mode"], row["seed"]) == ("inpo", "exact", 4)
    assert all(isinstance(value, str | int | float) for value in row.values())
    assert not any(isinstance(value, np.generic) for value in row.values())
    # What a method does not read is not a setting of its run.
    assert np.isnan(simulate(make_game("cyclic"), "ipo", iterations=T).summary()["step_size"])


def test_temperature_zero_has_no_regularised_game() -> None:
    result = simulate(make_game("cyclic"), "mwu", temperature=0.0, iterations=T)
    row = result.summary()
    for name in ("regularized_gap_last", "kl_to_regularized_equilibrium", "fitted_multiplier"):
        assert np.isnan(row[name])
    assert np.isfinite(row["gap_last"])
    assert result.batch.batch.log_equilibrium is None


def test_policies_are_kept_on_request_only() -> None:
    seen: list[int] = []
    settings = Settings("inpo", step_size=[0.1, 0.2], iterations=T)
    batch = simulate_batch(make_game("cyclic"), settings, progress=seen.append)
    assert batch.recorder.trajectory is None
    assert np.isnan(batch.summary(1)["swap_regret"])
    assert seen == list(range(T + 1))
    kept = simulate_batch(make_game("cyclic"), settings, keep_policies=True)
    assert np.isfinite(kept.summary(1)["swap_regret"])
    assert np.array_equal(kept.series("gap"), batch.series("gap"))


def test_each_run_can_have_its_own_game() -> None:
    games = [make_game("random-skew", actions=4, seed=s) for s in range(3)]
    batch = simulate_batch(games, Settings("egpo", iterations=T), keep_policies=True)
    for r, game in enumerate(games):
        alone = simulate(game, "egpo", iterations=T)
        row, single = batch.summary(r), alone.summary()
        assert np.abs(batch.last_policies(r)[0, 0] - alone.last).max() < 1e-13
        for key in ("gap_last", "kl_to_regularized_equilibrium", "swap_regret", "gap_average"):
            assert row[key] == pytest.approx(single[key], abs=1e-12)
        assert row["predicted_multiplier"] == pytest.approx(single["predicted_multiplier"])


def test_memory_is_batch_times_actions_and_iterations_times_batch() -> None:
    """Never their product, unless the policies are asked for."""
    actions, columns, iterations = 30, 4, 40
    settings = Settings("inpo", step_size=np.linspace(0.1, 1, columns), iterations=iterations)
    recorder = simulate_batch(make_game("random-skew", actions=actions), settings).recorder
    held = [value for value in vars(recorder).values() if isinstance(value, np.ndarray)]
    assert len(held) > 8
    assert max(value.size for value in held) <= max(iterations + 1, actions) * columns
    assert sum(value.size for value in held) < 12 * (iterations + 1 + actions) * columns
