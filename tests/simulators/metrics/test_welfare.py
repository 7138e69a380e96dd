"""What annotators who disagree get from a policy."""

import numpy as np
import pytest

from simulators.dynamics.simulation import simulate
from simulators.games import make_game
from simulators.metrics.welfare import annotator_win_rates, nash_welfare, worst_annotator_win_rate

GAME = make_game("condorcet")
POLICY = np.array([0.5, 0.2, 0.3])
OPPONENT = np.array([0.1, 0.6, 0.3])


def test_win_rates_by_enumeration() -> None:
    assert GAME.annotators is not None
    rates = annotator_win_rates(GAME.annotators, POLICY, OPPONENT)
    for a, matrix in enumerate(GAME.annotators):
        total = 0.0
        for i in range(3):
            for j in range(3):
                total += POLICY[i] * OPPONENT[j] * matrix[i, j]
        assert rates[a] == pytest.approx(total)
    assert worst_annotator_win_rate(GAME.annotators, POLICY, OPPONENT) == rates.min()
    uniform = annotator_win_rates(GAME.annotators, POLICY)
    assert uniform == pytest.approx(annotator_win_rates(GAME.annotators, POLICY, np.full(3, 1 / 3)))
    # Against oneself every annotator is indifferent.
    assert annotator_win_rates(GAME.annotators, POLICY, POLICY) == pytest.approx(np.full(3, 0.5))


def test_nash_welfare_is_a_weighted_geometric_mean() -> None:
    assert GAME.annotators is not None
    weights = np.array([0.4, 0.35, 0.25])
    rates = annotator_win_rates(GAME.annotators, POLICY, OPPONENT)
    assert nash_welfare(GAME.annotators, POLICY, weights, OPPONENT) == pytest.approx(
        rates[0] ** 0.4 * rates[1] ** 0.35 * rates[2] ** 0.25
    )
    assert nash_welfare(GAME.annotators, POLICY, None, OPPONENT) == pytest.approx(
        np.prod(rates) ** (1 / 3)
    )
    never = np.array([[[0.5, 0.0], [1.0, 0.5]]])
    assert nash_welfare(never, [1.0, 0.0], None, [0.0, 1.0]) == 0.0


def test_rows_of_a_run() -> None:
    assert GAME.annotators is not None
    ref = [0.2, 0.3, 0.5]
    result = simulate(GAME, "inpo", reference=ref, iterations=30)
    row = result.summary()
    assert row["worst_annotator_win_rate"] == pytest.approx(
        worst_annotator_win_rate(GAME.annotators, result.last, ref)
    )
    assert row["nash_welfare"] == pytest.approx(
        nash_welfare(GAME.annotators, result.last, GAME.annotator_weights, ref)
    )
    alone = simulate(make_game("cyclic"), "inpo", iterations=5).summary()
    assert np.isnan(alone["worst_annotator_win_rate"])
    assert np.isnan(alone["nash_welfare"])


def test_more_players_serve_the_worst_annotator_better() -> None:
    """One-vs-many comparisons move the equilibrium towards the largest Nash welfare."""
    utilities, weights = "4,2,0;0,4,2;2,0,4", "0.5,0.3,0.2"
    worst = []
    for players, temperature in ((2, 0.05), (3, 0.05), (8, 0.02)):
        game = make_game("plackett-luce", utilities=utilities, weights=weights, players=players)
        run = simulate(game, "inpo", step_size=2.0, temperature=temperature, iterations=1500)
        worst.append(run.summary()["worst_annotator_win_rate"])
    assert worst == sorted(worst)
    assert worst[2] > worst[0] + 0.05
