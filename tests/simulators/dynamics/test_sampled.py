"""Sampled mode: finite, noisy, counted preference queries."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.dynamics.modes import Mode
from simulators.dynamics.settings import Settings
from simulators.dynamics.setup import Extras
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.games import Game, make_game

Array = NDArray[np.float64]

REF = [0.4, 0.35, 0.25]
GAME = make_game("biased-rps")
EXTERNALS = [[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]


def mean_error(name: str, queries: int, seeds: int = 48, **parameters: Any) -> float:
    """Mean over seeds of the largest deviation from the exact run, after 3 iterations."""
    both = {
        "step_size": 0.6,
        "temperature": 3.0 if name.startswith("dpo") else 0.3,
        "iterations": 3,
        "reference": REF,
        "parameters": tuple(parameters.items()),
        "extras": Extras(externals=EXTERNALS),
    }
    exact = simulate_batch(GAME, Settings(name, **both)).last_policies(0)
    mode = Mode("sampled", queries=queries)
    batch = simulate_batch(GAME, Settings(name, seeds=range(seeds), mode=mode, **both))
    return float(np.mean([np.abs(batch.last_policies(r) - exact).max() for r in range(seeds)]))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("inpo", {}),
        ("mnpo", {"num_players": 4}),
        ("mnpo", {"advantage": "average"}),
        ("mnpo-eq10", {}),
        ("mnpo-eq15", {}),
        ("eo-mnpo", {"external_weights": (1.0, 1.0), "advantage": "externals"}),
        ("sppo", {}),
        ("sppo-practical", {}),
        ("dpo", {}),
        ("dpo-online", {}),
        ("dpo-iterative", {}),
        ("ipo", {}),
        ("ipo-online", {}),
        ("dno", {}),
        ("nash-md", {}),
        ("nash-ema", {}),
        ("onpo", {}),
        ("egpo", {}),
        ("mmd", {}),
        ("mpo", {}),
        ("comal", {"inner": 2}),
        ("mwu", {}),
    ],
)
def test_error_falls_with_the_square_root_of_the_queries(
    name: str, parameters: dict[str, Any]
) -> None:
    """Seeds 0 ... 47; a slope of -1/2 in log-log, give or take the noise of 48 seeds."""
    asked = [400, 4000, 40_000]
    errors = [mean_error(name, queries, **parameters) for queries in asked]
    slope = np.polyfit(np.log(asked), np.log(errors), 1)[0]
    assert -0.6 < slope < -0.4
    assert errors[-1] < 0.03


def spent(name: str, iterations: int = 5, **parameters: Any) -> tuple[int, int]:
    run = simulate(
        parameters.pop("game", GAME),
        name,
        reference=parameters.pop("reference", REF),
        iterations=iterations,
        mode="sampled",
        queries=30,
        temperature=0.5,
        **parameters,
    )
    row = run.summary()
    assert row["preference_queries"] == run.ledger.preference_queries
    assert row["gradient_steps"] == 0
    return run.ledger.preference_queries, run.ledger.oracle_rounds


def test_queries_are_counted() -> None:
    once = {"inpo", "mmd", "sppo", "dno", "nash-md", "nash-ema", "mwu", "mpo", "mnpo", "dpo"}
    for name in once | {"dpo-online", "ipo", "ipo-online", "sppo-practical", "onpo"}:
        assert spent(name) == (5 * 30, 5), name
    assert spent("egpo") == (2 * 5 * 30, 2 * 5)  # two oracle rounds a step
    assert spent("mnpo-eq10", num_players=4) == (4 * 5 * 30, 4 * 5)  # every player asks
    assert spent("spin", demonstrations=REF) == (0, 0)
    rewards = {"externals": EXTERNALS[:1], "rewards": [1.0, 2.0, 3.0]}
    assert spent("eo-mnpo", **rewards) == (0, 0)
    game = make_game("contextual", contexts=7, actions=3)
    assert spent("inpo", game=game)[0] == 7 * 5 * 30
    assert spent("inpo", iterations=0) == (0, 0)


@pytest.mark.parametrize("count", [1, 2])
def test_external_opponents_are_an_offline_data_set_that_grows(count: int) -> None:
    externals = {"externals": EXTERNALS[:count], "external_weights": (1.0,) * count}
    assert spent("eo-mnpo", advantage="externals", **externals) == (5 * 30, 5)


@pytest.mark.parametrize("name", ["ipo", "dpo"])
def test_offline_comparisons_accumulate(name: str) -> None:
    """After 25 rounds of 40 questions the estimate is that of 1,000: a fifth of the error."""

    def error(iterations: int, queries: int) -> float:
        temperature = 3.0 if name == "dpo" else 1.0
        exact = simulate(GAME, name, reference=REF, temperature=temperature, iterations=1).last
        settings = Settings(
            name,
            temperature=temperature,
            seeds=range(200),
            iterations=iterations,
            mode=Mode("sampled", queries=queries),
            reference=REF,
        )
        batch = simulate_batch(GAME, settings)
        return float(
            np.mean([np.abs(batch.last_policies(r)[0, 0] - exact).max() for r in range(200)])
        )

    first, grown, at_once = error(1, 40), error(25, 40), error(1, 1000)
    assert grown == pytest.approx(at_once, rel=0.15)
    assert grown == pytest.approx(first / 5, rel=0.2)


@pytest.mark.parametrize("name", ["inpo", "egpo", "dpo-online", "sppo", "mnpo-eq10", "onpo"])
def test_a_seeds_numbers_do_not_depend_on_its_batch(name: str) -> None:
    mode = Mode("sampled", queries=50)
    settings: dict[str, Any] = {"iterations": 6, "mode": mode, "reference": REF}
    if name.startswith("dpo"):
        settings["temperature"] = 2.0
    batch = simulate_batch(GAME, Settings(name, seeds=(3, 9, 4), **settings))
    for run, seed in enumerate((3, 9, 4)):
        alone = simulate_batch(GAME, Settings(name, seeds=(seed,), **settings))
        assert np.abs(batch.last_policies(run) - alone.last_policies(0)).max() < 1e-12
    again = simulate_batch(GAME, Settings(name, seeds=(3, 9, 4), **settings))
    for run in range(3):
        assert np.array_equal(batch.last_policies(run), again.last_policies(run))
    assert np.abs(batch.last_policies(0) - batch.last_policies(1)).max() > 1e-4


def test_contexts_have_streams_of_their_own() -> None:
    P = make_game("biased-rps").preferences
    twice = Game("twice", np.stack([P, P]), ("a", "b", "c"))
    run = simulate(twice, "inpo", mode="sampled", queries=40, iterations=3)
    assert np.abs(run.last[0] - run.last[1]).max() > 1e-4


def test_label_noise_flips_answers() -> None:
    exact = simulate(GAME, "inpo", reference=REF, iterations=3, label_noise=0.3).last
    clean = simulate(GAME, "inpo", reference=REF, iterations=3).last
    noisy = simulate(
        GAME,
        "inpo",
        reference=REF,
        iterations=3,
        label_noise=0.3,
        mode="sampled",
        queries=1_000_000,
    )
    assert np.abs(noisy.last - exact).max() < 3e-3
    assert np.abs(noisy.last - clean).max() > 0.02
    # It is judged in the true game all the same.
    judged = noisy.batch.batch.truth.matrices()
    assert np.array_equal(judged, GAME.preferences)


def test_annotator_sampling_keeps_the_mean_and_adds_noise() -> None:
    game = make_game("condorcet")

    def ends(annotators: str) -> Array:
        mode = Mode("sampled", queries=2000, annotator_sampling=annotators)
        settings = Settings("inpo", 0.1, 0.3, seeds=range(64), iterations=40, mode=mode)
        batch = simulate_batch(game, settings)
        return np.array([batch.last_policies(r)[0, 0] for r in range(64)])

    exact = simulate(game, "inpo", step_size=0.1, temperature=0.3, iterations=40).last
    each, iteration = ends("each"), ends("iteration")
    assert np.abs(each.mean(axis=0) - exact).max() < 2e-3
    assert np.abs(iteration.mean(axis=0) - exact).max() < 2e-2
    assert iteration.std(axis=0).max() > 5 * each.std(axis=0).max()
