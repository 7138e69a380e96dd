"""What the methods' losses are really minimised by, with every pair and label enumerated.

The minimisers here come from least squares, Newton and BFGS on the losses as the papers print
them; the engine's closed forms are compared with those. Proposition 1 of the MNPO paper is shown
to hold and to fail.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from simulators.dynamics.pairs import PairData
from simulators.dynamics.sampled import least_squares_advantage
from simulators.dynamics.simulation import simulate
from simulators.equilibria import regularized_equilibrium
from simulators.games import make_game

Array = NDArray[np.float64]

ETA = 0.7  # not 1, where eta/2 and 1/(2 eta) cannot be told apart
P = make_game("random-skew", actions=5, recipe="sin").preferences
RNG = np.random.default_rng(11)
PI, *OTHERS = RNG.dirichlet(np.full(5, 3.0), size=4)
REF = RNG.dirichlet(np.full(5, 3.0))
MIXTURE = np.mean(OTHERS, axis=0)
GEOMETRIC = np.mean(np.log(OTHERS), axis=0)


def one_step(name: str, **parameters: Any) -> Array:
    last = simulate(P, name, **{"iterations": 1, "initial": PI} | parameters).last
    return last if last.ndim == 1 else last[0]


def eq10(players: list[Array], **parameters: Any) -> Array:
    settings = {"initial": players, "num_players": len(players), "step_size": ETA}
    return one_step("mnpo-eq10", **settings | parameters)


def fit(weights: Array, target: Callable[[int, int], float]) -> Array:
    """argmin_f sum_ij weights_ij (f_i - f_j - target(i, j))^2, one row a pair."""
    rows, values = [], []
    size = len(weights)
    for i in range(size):
        for j in range(size):
            root, row = np.sqrt(weights[i, j]), np.zeros(size)
            row[i] += root
            row[j] -= root
            rows.append(row)
            values.append(root * target(i, j))
    return np.asarray(np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0])


def fit_labels(pairs: Array, c: float) -> Array:
    """argmin_f E (f(winner) - f(loser) - c)^2: both labels of every pair are rows."""
    won = pairs * P + (pairs * (1 - P)).T
    return fit(won, lambda i, j: c)


def close(found: Array, wanted: Array, tolerance: float = 1e-10) -> bool:
    return bool(np.abs(found - wanted).max() < tolerance)


def error(anchor: Array, f: Array, wanted: Array) -> float:
    return float(np.abs(softmax(anchor + f) - wanted).max())


def test_eq14_is_eq10_for_any_pairs() -> None:
    gain = P @ MIXTURE
    for pairs in (np.outer(PI, PI), RNG.uniform(0.1, 1, (5, 5)), np.outer(REF, MIXTURE)):
        f = fit(pairs, lambda i, j: ETA * (gain[i] - gain[j]))
        assert close(softmax(GEOMETRIC + f), eq10([PI, *OTHERS]))


def test_eq15_is_eq10_only_with_the_right_target_and_pairs() -> None:
    wanted = eq10([PI, *OTHERS])

    def misses(pairs: Array, c: float) -> float:
        return error(GEOMETRIC, fit_labels(pairs, c), wanted)

    mixed = softmax(GEOMETRIC)
    same_opponent = np.mean([np.outer(o, o) for o in OTHERS], axis=0)
    assert misses(np.outer(MIXTURE, MIXTURE), ETA / 2) < 1e-12
    assert misses(np.outer(PI, PI), ETA / 2) > 3e-3
    assert misses(np.outer(mixed, mixed), ETA / 2) > 1e-4
    assert misses(np.outer(PI, MIXTURE), ETA / 2) > 1e-3
    assert misses(same_opponent, ETA / 2) > 3e-4
    assert misses(np.outer(MIXTURE, MIXTURE), 1 / (2 * ETA)) > 1e-2


def test_own_pairs_recover_the_advantage_against_oneself() -> None:
    f = fit_labels(np.outer(PI, PI), ETA / 2)
    recovered = softmax(GEOMETRIC + ETA * P @ PI)
    assert close(softmax(GEOMETRIC + f), recovered)
    assert close(eq10([PI, *OTHERS], target_form="own-pairs"), recovered)
    literal = fit_labels(np.outer(PI, PI), 1 / (2 * ETA))
    assert close(softmax(GEOMETRIC + literal), eq10([PI, *OTHERS], target_form="literal"))
    assert close(softmax(GEOMETRIC + literal), softmax(GEOMETRIC + P @ PI / ETA))


def eq14_loss(f: Array, pairs: Array) -> float:
    gain = ETA * P @ MIXTURE
    gaps = (f[:, None] - f[None, :]) - (gain[:, None] - gain[None, :])
    return float((pairs * gaps**2).sum())


def eq15_loss(f: Array, pairs: Array, c: float) -> float:
    gaps = f[:, None] - f[None, :]
    return float((pairs * (P * (gaps - c) ** 2 + (1 - P) * (-gaps - c) ** 2)).sum())


def test_proposition_1_holds_for_equal_opponents_and_fails_for_unequal_ones() -> None:
    """Eq. 15 minus Eq. 14 ought to be a constant."""
    candidates = [np.log(RNG.dirichlet(np.ones(5))) - GEOMETRIC for _ in range(20)]

    def spread(pairs: Array, c: float) -> tuple[float, float]:
        gaps = [eq15_loss(f, pairs, c) - eq14_loss(f, pairs) for f in candidates]
        return float(np.ptp(gaps)), float(np.mean(gaps))

    mixture = np.outer(MIXTURE, MIXTURE)  # what all pairs are when the opponents are equal
    width, constant = spread(mixture, ETA / 2)
    gain = P @ MIXTURE
    variance = MIXTURE @ gain**2 - (MIXTURE @ gain) ** 2
    assert width < 1e-14 * max(1.0, 1e3 * abs(constant))
    assert constant == pytest.approx((ETA / 2) ** 2 - 2 * ETA**2 * variance, abs=1e-13)
    assert spread(mixture, 1 / (2 * ETA))[0] > 0.1
    assert spread(np.outer(PI, PI), ETA / 2)[0] > 0.05


def test_equal_opponents_make_eq15_literal_mwu_with_the_inverse_step() -> None:
    literal = eq10([PI] * 4, target_form="literal")
    assert close(literal, one_step("mwu", step_size=1 / ETA), 1e-13)
    sound = eq10([PI] * 4)
    assert np.abs(literal - sound).max() > 5e-3
    assert close(eq10([PI] * 4, target_form="own-pairs"), sound, 1e-13)


def test_eq10_needs_the_mean_of_divergences_not_the_divergence_to_the_mean() -> None:
    gain = ETA * P @ MIXTURE

    def argmax(anchor: Array) -> Array:
        def loss(logits: Array) -> tuple[float, Array]:
            x = log_softmax(logits)
            pull = x - anchor - gain
            value = np.exp(x) @ pull
            return float(value), np.exp(x) * (pull - value)

        options = {"gtol": 1e-12}
        return softmax(minimize(loss, np.zeros(5), jac=True, method="BFGS", options=options).x)

    wanted = eq10([PI, *OTHERS])
    # mean_j KL(pi || pi_j) is KL to the geometric mean plus a constant.
    assert close(argmax(GEOMETRIC), wanted, 1e-8)
    arithmetic = argmax(np.log(MIXTURE))
    assert close(arithmetic, softmax(np.log(MIXTURE) + gain), 1e-8)
    assert np.abs(arithmetic - wanted).max() > 1e-3


def test_sppo_row_in_a_pair_loss_is_half_a_step() -> None:
    gain, pairs = P @ PI, np.outer(PI, PI)
    one_response = fit(pairs, lambda i, j: ETA * (gain[i] - 0.5))
    assert close(softmax(np.log(PI) + one_response), one_step("mwu", step_size=ETA / 2))
    both = fit(pairs, lambda i, j: ETA * (gain[i] - gain[j]))
    assert close(softmax(np.log(PI) + both), one_step("sppo", step_size=ETA))


def test_inpo_target_as_printed_has_another_equilibrium() -> None:
    """Table 1 prints 1/(2 tau); the sound target is 1/(2 eta)."""
    eta, tau = 4.0, 0.3
    w = tau / eta
    anchor = (1 - w) * np.log(PI) + w * np.log(REF)
    pairs = np.outer(PI, PI)
    sound = one_step("inpo", eta=eta, tau=tau, reference=REF)
    assert close(softmax(anchor + fit_labels(pairs, 1 / (2 * eta))), sound)
    printed = {"step_size": 1 / tau, "reference_weight": w, "num_players": 2, "reference": REF}
    assert close(softmax(anchor + fit_labels(pairs, 1 / (2 * tau))), one_step("mnpo", **printed))
    # Its fixed point is that of temperature tau^2 / eta = .0225, not .3 (unstable there).
    for temperature, step in ((0.3, 1 / eta), (tau**2 / eta, 1 / tau)):
        equilibrium = regularized_equilibrium(P, temperature, REF)
        start = {"initial": equilibrium, "num_players": 2, "reference": REF}
        stays = one_step("mnpo", step_size=step, reference_weight=w, **start)
        assert close(stays, equilibrium, 1e-12)


def test_ipo_regresses_on_one_over_two_tau() -> None:
    f = fit_labels(np.outer(REF, REF), 1 / (2 * 0.4))
    assert close(softmax(np.log(REF) + f), one_step("ipo", tau=0.4, reference=REF))
    online = fit_labels(np.outer(PI, PI), 1 / (2 * 0.4))
    assert close(softmax(np.log(REF) + online), one_step("ipo-online", tau=0.4, reference=REF))


def test_general_pair_weights_are_a_weighted_graph_problem() -> None:
    """Only products mu x mu collapse to P mu; any weights are HodgeRank."""
    weights = RNG.uniform(0.05, 1, (5, 5))
    weights /= weights.sum()
    f = fit_labels(weights, 0.5)
    found = least_squares_advantage(PairData(weights[None], P[None]))[:, 0]
    assert close(found - found.mean(), f - f.mean())
    symmetric = weights + weights.T
    laplacian = np.diag(symmetric.sum(axis=1)) - symmetric
    assert close(laplacian @ found, (symmetric * (P - 0.5)).sum(axis=1))
    product = least_squares_advantage(PairData(np.outer(PI, PI)[None], P[None]))[:, 0]
    gap = product - P @ PI
    assert np.ptp(gap) < 1e-12
    assert np.ptp(found - P @ PI) > 1e-2


@pytest.mark.parametrize("seed", [0, 1])
def test_dno_regression_is_mwu_for_any_pairs(seed: int) -> None:
    pairs = np.random.default_rng(seed).uniform(0.1, 1, (5, 5))
    gain = P @ PI
    labels = expit(gain[:, None] - gain[None, :])

    def loss(f: Array) -> tuple[float, Array]:
        margin = f[:, None] - f[None, :]
        value = -(pairs * (labels * margin - np.logaddexp(0, margin))).sum()
        slope = pairs * (expit(margin) - labels)
        return float(value), slope.sum(axis=1) - slope.sum(axis=0)

    best = minimize(loss, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-12}).x
    # f = eta log(pi / pi_t): the soft labels' scale is the inverse step.
    assert close(softmax(np.log(PI) + ETA * best), one_step("dno", eta=1 / ETA), 1e-8)


def test_spin_finds_the_logistic_minimiser() -> None:
    data, beta = REF, 1.7

    def loss(x: Array) -> tuple[float, Array]:
        h = beta * (x - np.log(PI))
        margin, pairs = h[:, None] - h[None, :], np.outer(data, PI)
        slope = -beta * pairs * expit(-margin)
        value = float((pairs * np.logaddexp(0, -margin)).sum())
        return value, slope.sum(axis=1) - slope.sum(axis=0)

    best = minimize(loss, np.log(PI), jac=True, method="BFGS", options={"gtol": 1e-12}).x
    found = one_step("spin", beta=beta, demonstrations=data)
    assert close(found, softmax(best), 1e-8)
    assert close(one_step("spin", lambda_=beta, demonstrations=data), found, 1e-15)


@pytest.mark.parametrize(
    ("eta", "low", "high"), [(0.1, 1e-8, 1e-6), (1, 1e-5, 1e-3), (5, 1e-3, 0.1)]
)
def test_practical_sppo_is_near_mwu(eta: float, low: float, high: float) -> None:
    practical = one_step("sppo-practical", step_size=eta)
    assert low < np.abs(practical - one_step("mwu", step_size=eta)).max() < high
