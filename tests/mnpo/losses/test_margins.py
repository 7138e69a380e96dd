"""Log-ratios and margins: shapes, weights, and what is refused."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnpo.errors import InvalidSetting
from mnpo.losses import anchor_log_probs, length_normalized, log_ratio, margin

finite = st.floats(-500.0, 0.0, allow_nan=False)


@given(st.integers(1, 4), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 10**6))
def test_anchor_is_the_weighted_sum(anchors: int, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    logs = -100 * rng.random((anchors, *shape))
    weights = rng.normal(size=anchors)
    expected = sum(w * x for w, x in zip(weights, logs, strict=True))
    for given_weights in (torch.tensor(weights), list(weights)):
        got = anchor_log_probs(torch.tensor(logs), given_weights)
        assert got.shape == shape
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_weights_may_differ_by_response() -> None:
    logs = torch.tensor([[-1.0, -2.0], [-3.0, -4.0]])
    weights = torch.tensor([[1.0, 0.5], [0.0, 0.5]])
    assert anchor_log_probs(logs, weights).tolist() == [-1.0, -3.0]
    assert anchor_log_probs(logs, torch.tensor([[1.0], [2.0]])).tolist() == [-7.0, -10.0]


def test_an_anchor_of_weight_zero_is_left_out() -> None:
    logs = torch.tensor([[-1.0, -2.0], [-torch.inf, -3.0]], requires_grad=True)
    got = anchor_log_probs(logs, [1.0, 0.0])
    assert got.tolist() == [-1.0, -2.0]
    got.sum().backward()
    assert logs.grad is not None
    assert logs.grad.tolist() == [[1.0, 1.0], [0.0, 0.0]]


@given(finite, finite, finite, finite)
def test_margin_is_antisymmetric_and_ignores_constants(
    a: float, b: float, c: float, d: float
) -> None:
    policy = torch.tensor([a, b], dtype=torch.float64)
    anchor = torch.tensor([c, d], dtype=torch.float64)
    f = log_ratio(policy, anchor)
    assert margin(f[0], f[1]) == -margin(f[1], f[0])
    shifted = log_ratio(policy + 7.0, anchor - 3.0)
    torch.testing.assert_close(
        margin(shifted[0], shifted[1]), margin(f[0], f[1]), rtol=1e-9, atol=1e-9
    )


def test_all_margins_of_a_table_by_broadcasting() -> None:
    f = torch.tensor([0.0, 1.0, 3.0])
    assert margin(f[:, None], f[None, :]).tolist() == [[0, -1, -3], [1, 0, -2], [3, 2, 0]]


def test_length_normalized() -> None:
    logs = torch.tensor([-10.0, -6.0])
    assert length_normalized(logs, torch.tensor([5, 2])).tolist() == [-2.0, -3.0]
    assert length_normalized(logs, 2).tolist() == [-5.0, -3.0]
    assert length_normalized(logs.bfloat16(), 2).dtype == torch.float32


@pytest.mark.parametrize("lengths", [0, -1, torch.tensor([3, 0]), float("nan")])
def test_an_empty_response_has_no_average(lengths: float | torch.Tensor) -> None:
    with pytest.raises(InvalidSetting, match=r"length_normalized: lengths must be above 0"):
        length_normalized(torch.tensor([-1.0, 0.0]), lengths)


@pytest.mark.parametrize(
    ("logs", "weights", "message"),
    [
        (torch.zeros(2, 3), [1.0], "1 weights for 2 anchors; give one weight per anchor"),
        (torch.zeros(()), [1.0], "log_probs needs a leading axis"),
        (torch.zeros(2, 3), torch.ones(2, 4), "weights of shape (2, 4) do not broadcast to"),
        (torch.zeros(2, 3), torch.ones(5, 2, 3), "do not broadcast to log_probs of shape (2, 3)"),
        (torch.zeros(2, 3), [1.0, float("inf")], "weights must be finite, got inf"),
        (torch.tensor([[0.0], [-torch.inf]]), [0.5, 0.5], "holds 1 of 2 values that are NaN or"),
    ],
)
def test_anchors_refused(logs: torch.Tensor, weights: list[float], message: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(message)):
        anchor_log_probs(logs, weights)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["policy_log_probs", "anchor_log_probs"])
def test_responses_of_probability_zero_are_refused(bad: float, name: str) -> None:
    arguments = {"policy_log_probs": torch.zeros(3), "anchor_log_probs": torch.zeros(3)}
    arguments[name] = torch.tensor([0.0, bad, -1.0])
    with pytest.raises(InvalidSetting, match=f"log_ratio: {name} holds 1 of 3"):
        log_ratio(**arguments)
