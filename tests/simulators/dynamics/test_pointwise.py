"""SPPO's practical minimiser against a constrained optimiser and its stationarity condition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from simulators.dynamics.pointwise import pointwise_minimiser

Array = NDArray[np.float64]


def centred(log_anchor: Array, gain: Array) -> Array:
    """Win rates against the anchor average 1/2 under it: what SPPO's gains look like."""
    return gain - np.exp(log_anchor) @ gain


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_against_a_constrained_optimiser(scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchor = np.log(rng.dirichlet(np.ones(4)))
    gain = centred(anchor, scale * rng.uniform(-0.5, 0.5, 4))

    def loss(logits: Array) -> float:
        f = log_softmax(logits) - anchor
        return float(np.exp(anchor) @ (f - gain) ** 2)

    best = minimize(loss, anchor, method="BFGS", options={"gtol": 1e-10})
    found = pointwise_minimiser(anchor[:, None], gain[:, None])[:, 0]
    assert abs(np.exp(found).sum() - 1) < 1e-13
    assert np.abs(np.exp(found) - softmax(best.x)).max() < 1e-6
    assert loss(found) <= best.fun + 1e-12


@given(
    st.lists(st.floats(-30, 0), min_size=2, max_size=6),
    st.lists(st.floats(-50, 50), min_size=6, max_size=6),
)
def test_stationary_on_the_simplex(logits: list[float], gains: list[float]) -> None:
    """w (log pi - x - g) is proportional to pi: one multiplier for every action."""
    x = log_softmax(np.array(logits))
    gain = centred(x, np.array(gains[: len(x)]))
    log_pi = pointwise_minimiser(x[:, None], gain[:, None])[:, 0]
    assert abs(np.exp(log_pi).sum() - 1) < 1e-12
    # W(nu/2 e^g) in logs: log u + u = log(nu/2) + g for u = x + g - log pi > 0.
    u = x + gain - log_pi
    assert u.min() >= 0
    clear = u > 1e-5  # below, rounding of x + g - log pi shows
    level = np.log(u[clear]) + u[clear] - gain[clear]
    assert not clear.any() or np.ptp(level) < 1e-7


def test_no_gain_keeps_the_anchor() -> None:
    anchor = np.log([[0.2], [0.5], [0.3]])
    assert np.abs(pointwise_minimiser(anchor, np.zeros((3, 1))) - anchor).max() < 1e-12


def test_columns_do_not_disturb_each_other() -> None:
    rng = np.random.default_rng(3)
    anchors = np.log(rng.dirichlet(np.ones(5), size=6).T)
    gains = rng.uniform(-1, 1, (5, 6)) * np.array([0.01, 0.1, 1, 4, 10, 30])
    gains -= (np.exp(anchors) * gains).sum(axis=0)
    together = pointwise_minimiser(anchors, gains)
    for b in range(6):
        alone = pointwise_minimiser(anchors[:, [b]], gains[:, [b]])
        assert np.abs(together[:, b] - alone[:, 0]).max() < 1e-12


def test_gains_that_are_too_low_leave_the_rest_to_the_normalisation() -> None:
    """An estimate may average below 1/2; multiplicative weights are what remains."""
    anchor = np.log([[0.2], [0.5], [0.3]])
    gain = np.array([[0.1], [-0.6], [-0.4]])
    found = pointwise_minimiser(anchor, gain)
    assert np.ptp(found - anchor - gain) < 1e-12
