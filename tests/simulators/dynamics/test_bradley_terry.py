"""DPO's population minimiser: the Bradley-Terry projection, where it exists and where not."""

from typing import Any

import mpmath
import numpy as np
import pytest
from conftest import golden_params, policies, preference_matrices
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, log_softmax

from mnpo.errors import NoMinimiser
from simulators.dynamics.bradley_terry import bradley_terry_projection, require_finite_fit
from simulators.dynamics.settings import Settings
from simulators.dynamics.simulation import simulate, simulate_batch
from simulators.games import make_game
from simulators.metrics.gaps import duality_gap
from simulators.metrics.verdict import Verdict

Array = NDArray[np.float64]

RPS = make_game("cyclic").preferences


def project(P: Array, log_mu: Array) -> Array:
    return bradley_terry_projection(P, log_mu[:, None])[:, 0]


@pytest.mark.parametrize("case", golden_params("bt_projection"))
def test_golden_projection(case: dict[str, Any]) -> None:
    P, mu = np.array(case["P"]), np.array(case["mu"])
    f = project(P, np.log(mu))
    assert np.abs(f - case["f_mean_zero"]).max() < 1e-12
    winner = np.eye(3)[f.argmax()]
    assert abs(duality_gap(P, winner) - case["gap0_bt_winner"]) < 1e-12
    # IPO's minimiser with target c = 1/2 on the same pairs: linear, so another winner's margin.
    squared = simulate(P, "ipo", temperature=1.0, reference=mu, iterations=1).last
    f_squared = np.log(squared / mu)
    assert np.abs(f_squared - f_squared.mean() - case["ipo_f_c_half"]).max() < 1e-12


def test_what_dpo_makes_of_a_cycle_depends_on_the_pairs() -> None:
    assert np.abs(project(RPS, np.log(np.full(3, 1 / 3)))).max() < 1e-12
    ref = [0.6, 0.3, 0.1]
    uniform = simulate(RPS, "dpo", temperature=0.4, iterations=1).last
    assert np.abs(uniform - 1 / 3).max() < 1e-12
    # The same game, pairs from another policy: paper gets 98 %.
    f = project(RPS, np.log(ref))
    assert np.exp(log_softmax(f / 0.4))[1] == pytest.approx(0.98, abs=0.005)
    assert simulate(RPS, "dpo", temperature=0.4, reference=ref, iterations=1).last.argmax() == 1


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=6), st.data())
def test_a_bradley_terry_oracle_is_recovered_from_any_pairs(r: list[float], data: Any) -> None:
    scores = np.array(r)
    P = expit(scores[:, None] - scores[None, :])
    mu = data.draw(policies(len(r), floor=1e-6))
    f = project(P, np.log(mu))
    assert np.abs(f - (scores - scores.mean())).max() < 1e-9


@given(preference_matrices(margin=0.02), st.data())
def test_stationary_on_any_game(P: Array, data: Any) -> None:
    mu = data.draw(policies(len(P), floor=1e-4))
    f = project(P, np.log(mu))
    residual = (P - expit(f[:, None] - f[None, :])) @ mu
    assert np.abs(residual).max() < 1e-12
    assert abs(f.mean()) < 1e-12


def exact_projection(P: Array, mu: list[Any]) -> Array:
    """The same in 60 digits, by Newton on the stationarity condition."""
    size = len(P)

    def residual(weights: list[Any], f: list[Any]) -> list[Any]:
        return [
            sum(
                weights[j] * (mpmath.mpf(P[i, j]) - 1 / (1 + mpmath.exp(f[j] - f[i])))
                for j in range(size)
            )
            for i in range(1, size)
        ]

    with mpmath.workdps(60):
        free = [mpmath.mpf(0)] * (size - 1)
        for sharpness in (4, 2, 1):  # from nearly uniform pairs to the ones asked for
            softened = [m ** (mpmath.mpf(1) / sharpness) for m in mu]
            free = list(
                mpmath.findroot(
                    lambda *f, w=softened: residual(w, [mpmath.mpf(0), *f]),
                    free,
                    tol=1e-40,
                    maxsteps=200,
                )
            )
    f = np.array([0.0, *map(float, free)])
    return f - f.mean()


@pytest.mark.parametrize("smallest", [1e-3, 1e-8, 1e-20, 1e-60])
def test_near_a_vertex_against_60_digits(smallest: float) -> None:
    P = make_game("biased-rps", a=0.95, b=0.7, c=0.8).preferences
    mu = [mpmath.mpf(1) - 2 * mpmath.mpf(smallest), mpmath.mpf(smallest), mpmath.mpf(smallest)]
    log_mu = np.array([float(mpmath.log(m)) for m in mu])
    f = project(P, log_mu)
    wanted = exact_projection(P, mu)
    assert np.abs(f - wanted).max() < 1e-11 * max(1.0, np.abs(wanted).max())


def test_batch_of_projections_is_one_at_a_time() -> None:
    rng = np.random.default_rng(4)
    games = np.stack([make_game("random-skew", actions=5, seed=s).preferences for s in range(4)])
    mu = rng.dirichlet(np.full(5, 0.3), size=4)
    together = bradley_terry_projection(games, np.log(mu).T)
    for b in range(4):
        assert np.abs(together[:, b] - project(games[b], np.log(mu[b]))).max() < 1e-11


CHAIN = np.array([[0.5, 1.0, 1.0], [0.0, 0.5, 0.7], [0.0, 0.3, 0.5]])


@pytest.mark.parametrize("name", ["dpo", "dpo-online", "dpo-iterative"])
def test_an_action_that_always_wins_has_no_finite_score(name: str) -> None:
    with pytest.raises(NoMinimiser, match=r"actions 0 always beat all the others.*label_noise"):
        simulate(CHAIN, name, iterations=3)
    finite = simulate(CHAIN, name, iterations=3, label_noise=0.01, temperature=2.0)
    assert finite.last[0] > 0.8


def test_groups_that_never_lose_are_named() -> None:
    two = np.array([[0.5, 0.6, 1, 1], [0.4, 0.5, 1, 1], [0, 0, 0.5, 0.2], [0, 0, 0.8, 0.5]])
    with pytest.raises(NoMinimiser, match="actions 0, 1 always beat"):
        require_finite_fit(two)
    require_finite_fit(RPS)  # deterministic, but every action loses to some other


def test_a_run_that_loses_its_minimiser_ends_there_and_diverges() -> None:
    result = simulate(
        RPS, "dpo-iterative", temperature=0.4, reference=[0.6, 0.3, 0.1], iterations=50
    )
    row = result.summary()
    assert result.batch.stopped is not None
    assert result.batch.stopped.startswith(f"stopped after iteration {row['iterations']}: ")
    assert row["note"] == result.batch.stopped
    assert 0 < row["iterations"] < 50
    assert len(result.policies) == len(result.gap()) == row["iterations"] + 1
    assert result.batch.series("gap").shape == (row["iterations"] + 1, 1)
    assert result.verdict is Verdict.DIVERGES
    assert row["gap_last"] == pytest.approx(1.0)
    # What was reached before is what a shorter run reaches.
    short = simulate(
        RPS,
        "dpo-iterative",
        temperature=0.4,
        reference=[0.6, 0.3, 0.1],
        iterations=row["iterations"],
    )
    assert short.batch.stopped is None
    assert np.array_equal(short.policies, result.policies)


def test_a_batch_does_not_hide_one_lost_run_in_the_others() -> None:
    settings = Settings(
        "dpo-iterative", temperature=[0.4, 30.0], reference=[0.6, 0.3, 0.1], iterations=50
    )
    with pytest.raises(NoMinimiser, match="600 nats"):
        simulate_batch(make_game("cyclic"), settings)


def test_condorcet_winner_of_the_scores_is_no_equilibrium() -> None:
    game = make_game("condorcet")
    last = simulate(game, "dpo", temperature=0.01, iterations=1).last
    assert last.argmax() == 1
    assert duality_gap(game.preferences, last) == pytest.approx(0.30, abs=0.01)


def test_iterative_dpo_cycles_on_a_noisy_cycle() -> None:
    result = simulate(
        make_game("biased-rps"),
        "dpo-iterative",
        temperature=1.0,
        reference=[0.4, 0.4, 0.2],
        iterations=800,
    )
    assert result.verdict is Verdict.CYCLES
    assert result.gap()[-200:].min() > 0.2
    assert set(result.policies[-200:].argmax(axis=1)) == {0, 1, 2}
    average = result.summary()["gap_average"]
    assert 1e-3 < average < 5e-2  # near the equilibrium, and no nearer with time
