"""The claims' numbers against values from elsewhere: checked cases, closed forms, naive twins."""

import math
from typing import Any

import numpy as np
import pytest
from conftest import golden_cases

from leaderboards.claims.annotators import consensus_distances
from leaderboards.claims.decide import conclude, exact, total_variation
from leaderboards.claims.games import blend, has_winner, known_games, population
from leaderboards.claims.history import history_run
from leaderboards.claims.last_iterate import inpo_rates
from leaderboards.claims.minimise import labelled, minimise, product
from leaderboards.claims.opponents import bias_of_known_games, rps_pools
from leaderboards.claims.pair_losses import Situation, loss15, printed
from leaderboards.claims.players import annotated_equilibrium
from leaderboards.claims.regret import fixed_opponent_regret
from simulators.games import make_game


@pytest.mark.parametrize(
    ("weights", "advantage", "expected"),
    [
        ((1 / 3,) * 3, "current", 0.017),
        ((0.25,) * 4, "current", 9.6e-4),
        ((0.5, 0.5), "average", 3.7),
    ],
)
def test_history_without_regularisation(
    weights: tuple[float, ...], advantage: str, expected: float
) -> None:
    distance = history_run(weights, advantage, 0.3, 5000)
    assert distance[-1] == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(("rounds", "mwu"), [(200, 0.0205), (2000, 0.0020)])
def test_regret_against_a_fixed_opponent(rounds: int, mwu: float) -> None:
    assert fixed_opponent_regret("eq10", rounds) == pytest.approx(0.147, abs=5e-4)
    assert fixed_opponent_regret("mwu", rounds) == pytest.approx(mwu, rel=0.03)


@pytest.mark.parametrize(
    ("game", "slope"),
    [
        (make_game("cyclic"), -0.1223),
        (known_games()["Bradley-Terry, 10 actions"], None),
    ],
    ids=["rock-paper-scissors", "bradley-terry"],
)
def test_inpo_rates(game: Any, slope: float | None) -> None:
    observed, predicted, arrived = inpo_rates(game, 1500)
    assert observed == pytest.approx(predicted, rel=1e-3)
    if slope is not None:
        assert predicted == pytest.approx(slope, abs=5e-5)
    assert arrived == [True, True, False]


@pytest.mark.parametrize(
    ("players", "worst", "policy"),
    [
        (2, 0.212, (1, 0, 0)),
        (3, 0.295, (0.763, 0.049, 0.188)),
        (8, 0.416, (0.600, 0.309, 0.091)),
        (1024, 0.438, (0.5315, 0.3157, 0.1528)),
    ],
)
def test_equilibria_of_many_players(players: int, worst: float, policy: tuple[float, ...]) -> None:
    found, at = annotated_equilibrium(players)
    assert found == pytest.approx(worst, abs=1e-3)
    assert at == pytest.approx(policy, abs=1e-3)


def test_many_players_maximise_nash_welfare() -> None:
    """n = infinity: argmax of sum_a w_a log E e^u_a, found here by a grid."""
    _, at = annotated_equilibrium(1024)
    odds = np.exp(2.0 * np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]]))
    first, second = np.meshgrid(np.linspace(0, 1, 401), np.linspace(0, 1, 401), indexing="ij")
    inside = first + second <= 1
    grid = np.stack([first[inside], second[inside], 1 - first[inside] - second[inside]], axis=1)
    welfare = np.log(np.maximum(grid @ odds.T, 1e-300)) @ np.array([0.5, 0.3, 0.2])
    assert total_variation(at, grid[welfare.argmax()]) < 5e-3


@pytest.mark.shared_data
def test_limit_of_ht_mnpo() -> None:
    (case,) = golden_cases("ht_trajectory")
    golden = total_variation(case["limit"], case["avg_oracle_reg_ne"]).max()
    # The case has equal shares, as the game does by default.
    assert consensus_distances((case["alpha"],))[case["alpha"]] == pytest.approx(golden, abs=1e-5)


def test_offline_bias_of_known_games() -> None:
    bias = bias_of_known_games()
    assert bias["rock-paper-scissors"] == pytest.approx((1.0, 0.055), abs=5e-3)
    for cyclic in ("seven-cycle", "Condorcet cycle", "knob 0.8"):
        assert bias[cyclic][0] > bias[cyclic][1] + 0.1
    for transitive in ("knob 0.2", "Bradley-Terry"):
        assert abs(bias[transitive][0] - bias[transitive][1]) < 0.03


def test_pools_of_rock_paper_scissors_shrink_the_gap() -> None:
    gaps = [interval.value for interval in rps_pools(200, 0).values()]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == pytest.approx(0.72, abs=0.05)
    assert gaps[-1] == pytest.approx(0.125, abs=0.02)


def test_the_minimiser_has_the_closed_form() -> None:
    """f = 2 c P mu + const, whatever the game."""
    from mnpo.losses import squared_pair_loss

    P = make_game("random-skew", actions=4, seed=3).preferences
    mu = np.array([0.4, 0.3, 0.2, 0.1])
    found = minimise(labelled(squared_pair_loss, product(mu), P, step_size=0.7), 4)
    closed = 0.7 * P @ mu
    assert found == pytest.approx(closed - closed.mean(), abs=1e-13)


def test_a_loss_without_minimiser_is_told() -> None:
    from mnpo.losses import logistic_pair_loss

    certain = np.array([[0.5, 1.0], [0.0, 0.5]])
    loss = labelled(logistic_pair_loss, product(np.array([0.5, 0.5])), certain, scale=1.0)
    assert np.isnan(minimise(loss, 2)).all()


def test_eq15_by_hand() -> None:
    """The loss against a double loop over pairs and labels."""
    import torch

    P = make_game("random-skew", actions=3, seed=1).preferences
    mu = np.array([0.5, 0.3, 0.2])
    at = Situation(P, mu, np.stack([mu, mu]), eta=0.7)
    f = np.array([0.3, -0.1, 0.4])
    c = 1 / (2 * 0.7)
    by_hand = sum(
        mu[i] * mu[j] * (P[i, j] * (f[i] - f[j] - c) ** 2 + P[j, i] * (f[j] - f[i] - c) ** 2)
        for i in range(3)
        for j in range(3)
    )
    assert float(loss15(at, printed, mu)(torch.tensor(f))) == pytest.approx(by_hand)


def test_families_are_what_they_are_called() -> None:
    for seed in range(5):
        assert has_winner(blend(0.0, seed))
        assert not has_winner(population(1.0, seed))
        assert has_winner(population(0.0, seed))
        game = population(0.5, seed)
        assert game.annotators is not None
        assert np.allclose(
            game.preferences,
            np.einsum("a,aij->ij", game.annotator_weights, game.annotators),
        )
        assert game.annotator_weights.max() < 0.5


def test_verdicts_of_cases() -> None:
    def told(**cases: bool) -> tuple[str, str]:
        found = conclude(
            cases, quantity="q", number=exact(1.0), instead={"true": True, "untrue": False}
        )
        return str(found.verdict), found.condition

    assert told(a=True, b=True) == ("holds", "")
    assert told(a=True, b=False) == ("holds when", "a; not when b; true")
    assert told(a=False, b=False) == ("fails", "true")
    assert math.isclose(exact(2.0, 3).value, 2.0)
