"""Verdicts on runs whose fate theory knows."""

from typing import Any

import numpy as np
import pytest

from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.equilibria import nash_equilibrium, plackett_luce_equilibrium
from simulators.games import make_game
from simulators.metrics.verdict import Verdict

REF = [0.6, 0.3, 0.1]
LAST, AVERAGE, SETTLES = Verdict.CONVERGES, Verdict.AVERAGE, Verdict.SETTLES
CYCLES, DIVERGES = Verdict.CYCLES, Verdict.DIVERGES
TD = {"reference_weight": 0.0, "temperature": 0.0, "step_size": 0.3, "iterations": 2500}

KNOWN: list[tuple[str, str, dict[str, Any], Verdict]] = [
    # Regularised methods find the regularised equilibrium of a cycle, in the last iterate.
    *[("cyclic", name, {}, LAST) for name in ("inpo", "mnpo", "mmd", "egpo")],
    ("cyclic", "comal", {"iterations": 60}, LAST),
    ("cyclic", "mpo", {"inner": 50}, LAST),
    # Nash-MD does so under a decaying step only.
    ("cyclic", "nash-md", {}, SETTLES),
    ("cyclic", "nash-md", {"schedule": "decaying", "iterations": 3000}, LAST),
    # Unregularised no-regret learners orbit and spiral out; their averages converge.
    *[
        ("cyclic", name, {}, AVERAGE)
        for name in ("mwu", "sppo", "sppo-practical", "dno", "mnpo-eq10")
    ],
    ("cyclic", "mpo", {"inner": 1}, AVERAGE),
    ("cyclic", "onpo", {}, LAST),
    # A transitive game is easy for all of them.
    *[
        ("bradley-terry", name, {"reference": None}, LAST)
        for name in ("inpo", "mwu", "sppo", "dno", "onpo", "comal", "mpo", "ipo-online")
    ],
    # History without a reference: the last iterate converges iff sum j^2 lambda_j > 1.
    ("cyclic", "mnpo", {"history_weights": (1.0,), **TD}, AVERAGE),
    ("cyclic", "mnpo", {"history_weights": (1.0, 1.0), **TD}, AVERAGE),
    ("cyclic", "mnpo", {"history_weights": (1.0, 1.0, 1.0), **TD, "iterations": 12_000}, LAST),
    ("cyclic", "mnpo", {"history_weights": (1.0,) * 4, **TD, "iterations": 12_000}, LAST),
    ("cyclic", "mnpo", {"history_weights": (1.0,) * 3, "advantage": "average", **TD}, AVERAGE),
    # One fixed opponent, or none: no equilibrium of the game.
    ("cyclic", "ipo", {}, SETTLES),
    ("cyclic", "dpo", {}, SETTLES),
    ("cyclic", "spin", {"demonstrations": [0.2, 0.3, 0.5]}, SETTLES),
    ("cyclic", "spin", {"demonstrations": [0.2, 0.3, 0.5], "beta": 0.4}, DIVERGES),
    # Best responses that rotate faster than the temperature damps.
    ("cyclic", "ipo-online", {}, CYCLES),
    ("cyclic", "dpo-iterative", {}, DIVERGES),
    ("biased-rps", "dpo-iterative", {"temperature": 1.0}, CYCLES),
    # Too large a step.
    ("cyclic", "inpo", {"step_size": 30.0}, DIVERGES),
    ("cyclic", "inpo", {"step_size": 1e4}, DIVERGES),
]


@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
@pytest.mark.parametrize(("game", "name", "settings", "verdict"), KNOWN)
def test_verdict(game: str, name: str, settings: dict[str, Any], verdict: Verdict) -> None:
    result = simulate(make_game(game), name, **{"reference": REF, "iterations": 400} | settings)
    assert result.verdict is verdict
    row = result.summary()
    assert row["verdict"] == str(verdict)
    assert np.isfinite(row["gap_last"])
    assert np.isfinite(result.policies).all()


@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
def test_inpo_beyond_its_bound_never_closes_the_gap() -> None:
    inside, beyond = (
        simulate(make_game("cyclic"), "inpo", step_size=a, reference=REF, iterations=2000)
        for a in (2.0, 2.6)  # the bound is 2.302
    )
    assert inside.verdict is LAST
    assert inside.gap(0.1)[-1] < 1e-10
    assert beyond.verdict is not LAST
    assert beyond.gap(0.1)[-500:].min() > 0.05


def test_offline_ipo_is_biased_on_cycles_only() -> None:
    """Theory section 8, E5: tau = .03 from uniform or stated references."""
    cycle = simulate(make_game("cyclic"), "ipo", temperature=0.03, reference=REF, iterations=9)
    assert cycle.gap()[-1] == pytest.approx(1.0, abs=0.01)
    regularized = simulate(
        make_game("cyclic"), "egpo", temperature=0.03, reference=REF, iterations=1500
    )
    assert regularized.gap()[-1] == pytest.approx(0.055, abs=0.002)
    flat = simulate(make_game("bradley-terry"), "ipo", temperature=0.03, iterations=9)
    assert flat.gap()[-1] < 0.1


@pytest.mark.filterwarnings("ignore:.*beyond the local stability bound")
def test_released_hyper_parameters_leave_a_cycle_wide_open() -> None:
    """alpha = 133, tau = .0025 (theory section 8, E10): a vertex after every step."""
    released = {"eta": 0.0075, "target_form": "literal", "reference_weight": 1 / 3}
    run = simulate(make_game("cyclic"), "mnpo", reference=REF, iterations=300, **released)
    assert run.gap()[[1, 3, 200, 300]] == pytest.approx(np.ones(4), abs=1e-3)
    easy = simulate(make_game("bradley-terry"), "mnpo", iterations=300, **released)
    assert easy.gap()[-1] < 1e-3


def test_condorcet_average_finds_the_equilibrium() -> None:
    game = make_game("condorcet")
    run = simulate(game, "mwu", step_size=0.1, iterations=4000)
    assert run.verdict is AVERAGE
    nash = nash_equilibrium(game.preferences).policy
    assert nash == pytest.approx([0.5, 0.2, 0.3])
    assert np.abs(run.average - nash).max() < 0.02


@pytest.mark.parametrize("players", [3, 6])
@pytest.mark.parametrize("name", ["inpo", "egpo", "mnpo", "mmd"])
def test_one_vs_many_runs_find_the_plackett_luce_equilibrium(name: str, players: int) -> None:
    game = make_game("plackett-luce", players=players, weights="0.5,0.3,0.2")
    assert game.utilities is not None
    ref = [0.2, 0.3, 0.5]
    run = simulate(game, name, step_size=1.5, temperature=0.05, reference=ref, iterations=800)
    wanted = plackett_luce_equilibrium(
        game.utilities,
        players=players,
        temperature=0.05,
        reference=ref,
        annotator_weights=game.annotator_weights,
    )
    assert np.abs(run.last - wanted).max() < 1e-9
    assert run.verdict is LAST
    row = run.summary()
    assert row["kl_to_regularized_equilibrium"] < 1e-12
    assert row["regularized_gap_last"] < 1e-12
    assert run.gap(0.05)[-1] == row["regularized_gap_last"]
    assert np.isnan(row["predicted_multiplier"])


def test_verdicts_of_a_batch_are_those_of_its_runs() -> None:
    steps = [0.5, 2.0, 2.6]
    batch = simulate_batch(
        make_game("cyclic"), Settings("inpo", step_size=steps, reference=REF, iterations=400)
    )
    for b, step in enumerate(steps):
        alone = simulate_batch(
            make_game("cyclic"), Settings("inpo", step_size=step, reference=REF, iterations=400)
        )
        assert batch.verdicts[b] is alone.verdicts[0]
        assert batch.summary(b)["gap_last"] == pytest.approx(alone.summary()["gap_last"], abs=1e-12)
