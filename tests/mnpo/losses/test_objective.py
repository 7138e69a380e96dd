"""From an update's distance to a loss: against sums over pairs written out by hand."""

import numpy as np
import pytest
import torch

from mnpo.algorithms import Distance
from mnpo.losses.objective import (
    demonstration_objective,
    preference_objective,
    regression_objective,
    win_rates,
)

RNG = np.random.default_rng(7)
K = 4
F = RNG.normal(size=K)
W = RNG.uniform(size=(K, K))
W /= W.sum()
P = RNG.uniform(size=(K, K))
ALPHA = 0.7


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def rates() -> np.ndarray:
    won = [(W[i] * P[i]).sum() + (W[:, i] * (1 - P[:, i])).sum() for i in range(K)]
    return np.array([won[i] / (W[i].sum() + W[:, i].sum()) for i in range(K)])


def by_hand(distance: Distance) -> float:
    total, rate, c = 0.0, rates(), ALPHA / 2
    for i in range(K):
        if distance is Distance.POINTWISE:
            total += W[i].sum() * (F[i] - ALPHA * (rate[i] - 0.5)) ** 2
            continue
        for j in range(K):
            d = F[i] - F[j]
            label = sigmoid(rate[i] - rate[j]) if distance is Distance.SOFT_LOGISTIC else P[i, j]
            if distance is Distance.SQUARED:
                pair = label * (d - c) ** 2 + (1 - label) * (d + c) ** 2
            else:
                s = sigmoid(d / ALPHA)
                pair = -label * np.log(s) - (1 - label) * np.log(1 - s)
            total += W[i, j] * pair
    return total


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.tensor(array) for array in arrays]


@pytest.mark.parametrize("distance", list(Distance))
def test_each_distance(distance: Distance) -> None:
    f, w, p = tensors(F, W, P)
    loss = preference_objective(f, distance=distance, step_size=ALPHA, weights=w, preferences=p)
    assert loss.shape == ()
    assert float(loss) == pytest.approx(by_hand(distance), abs=1e-14)


@pytest.mark.parametrize("distance", list(Distance))
def test_leading_shapes_and_step_sizes_of_their_own(distance: Distance) -> None:
    f, w, p = (t.expand(3, *t.shape) for t in tensors(F, W, P))
    steps = torch.tensor([0.3, ALPHA, 2.0], dtype=torch.float64)
    loss = preference_objective(f, distance=distance, step_size=steps, weights=w, preferences=p)
    assert loss.shape == (3,)
    assert float(loss[1]) == pytest.approx(by_hand(distance), abs=1e-14)
    assert len({round(float(x), 9) for x in loss}) == 3


def test_regression_on_known_values() -> None:
    values = RNG.normal(size=K)
    f, w, v = tensors(F, W, values)
    loss = regression_objective(f, step_size=ALPHA, weights=w, values=v)
    expected = sum(
        W[i, j] * (F[i] - F[j] - ALPHA * (values[i] - values[j])) ** 2
        for i in range(K)
        for j in range(K)
    )
    assert float(loss) == pytest.approx(expected, abs=1e-14)
    zero = regression_objective(ALPHA * v + 3, step_size=ALPHA, weights=w, values=v)
    assert float(zero) == pytest.approx(0, abs=1e-28)


def test_demonstrations() -> None:
    f, w = tensors(F, W)
    loss = demonstration_objective(f, step_size=ALPHA, weights=w)
    expected = -sum(
        W[i, j] * np.log(sigmoid((F[i] - F[j]) / ALPHA)) for i in range(K) for j in range(K)
    )
    assert float(loss) == pytest.approx(expected, abs=1e-14)


def test_win_rates_of_what_was_never_compared() -> None:
    w, p = torch.zeros(3, 3, dtype=torch.float64), torch.full((3, 3), 0.9, dtype=torch.float64)
    w[0, 1] = 1.0
    torch.testing.assert_close(win_rates(w, p), torch.tensor([0.9, 0.1, 0.5], dtype=torch.float64))
