"""Identities between losses: soft labels, limits of the divergences, equal rows."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnpo import losses

margins = st.floats(-30.0, 30.0, allow_nan=False)
probabilities = st.floats(0.0, 1.0, allow_nan=False)
positive = st.floats(0.05, 10.0, allow_nan=False)


def scalar(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


@given(margins, probabilities, positive, st.floats(-5, 5))
def test_a_soft_label_is_the_mean_over_hard_labels(
    f: float, p: float, scale: float, target: float
) -> None:
    for loss in (
        lambda m, p: losses.squared_pair_loss(m, step_size=scale, preference=p),
        lambda m, p: losses.logistic_pair_loss(m, scale=scale, preference=p),
        lambda m, p: losses.backward_kl_pair_loss(m, target=target, scale=scale, preference=p),
        lambda m, p: losses.forward_kl_pair_loss(m, target=target, scale=scale, preference=p),
    ):
        mean = p * loss(scalar(f), 1.0) + (1 - p) * loss(scalar(-f), 1.0)
        assert loss(scalar(f), p).item() == pytest.approx(mean.item(), rel=1e-12, abs=1e-12)


@given(st.integers(0, 10**6), probabilities)
def test_swapping_the_pair_is_flipping_the_label(seed: int, p: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = (torch.tensor(x) for x in -20 * rng.random((2, 4)) - 1)
    m, n = torch.tensor(rng.integers(2, 30, size=(2, 4)))
    gap = torch.tensor(rng.normal(size=4))
    for loss in (
        lambda a, b, m, n, g, p: losses.simpo_loss(
            a,
            b,
            chosen_lengths=m,
            rejected_lengths=n,
            scale=2.0,
            target_margin=0.7,
            preference=p,
        ),
        lambda a, b, m, n, g, p: losses.ipo_loss(
            a, b, temperature=0.3, preference=p, chosen_lengths=m, rejected_lengths=n
        ),
        lambda a, b, m, n, g, p: losses.f_dpo_loss(
            a, b, scale=0.5, divergence="jensen-shannon", preference=p
        ),
        lambda a, b, m, n, g, p: losses.r_dpo_loss(
            a - b,
            scale=0.5,
            length_penalty=0.02,
            chosen_lengths=m,
            rejected_lengths=n,
            preference=p,
        ),
        lambda a, b, m, n, g, p: losses.gshf_loss(
            a - b, scale=0.5, uncertainty_gap=g, preference=p
        ),
    ):
        torch.testing.assert_close(
            loss(a, b, m, n, gap, p), loss(b, a, n, m, -gap, 1 - p), rtol=1e-11, atol=1e-12
        )


@given(margins, positive)
def test_squared_loss_of_an_undecided_label_ignores_the_target(f: float, alpha: float) -> None:
    got = losses.squared_pair_loss(scalar(f), step_size=alpha, preference=0.5)
    assert got.item() == pytest.approx(f * f + alpha * alpha / 4, rel=1e-12)


@given(margins, positive)
def test_ipo_and_inpo_are_one_row(f: float, inverse_step: float) -> None:
    """The same squared loss, target 1/(2 tau) or 1/(2 eta); the anchors make the method."""
    ipo = losses.ipo_loss(scalar(f), scalar(0.0), temperature=inverse_step)
    inpo = losses.squared_pair_loss(scalar(f), step_size=1 / inverse_step)
    assert ipo.item() == inpo.item()
    assert inpo.item() == pytest.approx((f - 1 / (2 * inverse_step)) ** 2, rel=1e-12, abs=1e-14)


@given(margins, positive)
def test_reverse_kl_f_dpo_is_dpo_and_spin_is_dpo_with_hard_labels(f: float, beta: float) -> None:
    dpo = losses.logistic_pair_loss(scalar(f), scale=beta)
    assert losses.f_dpo_loss(scalar(f + 2), scalar(2.0), scale=beta).item() == pytest.approx(
        dpo.item(), rel=1e-9, abs=1e-12
    )
    assert losses.spin_loss(scalar(f), scale=beta).item() == dpo.item()


@given(margins, st.floats(-20, 20), positive, probabilities)
def test_divergences_are_not_negative_and_vanish_at_their_target(
    f: float, target: float, scale: float, p: float
) -> None:
    for loss in (losses.backward_kl_pair_loss, losses.forward_kl_pair_loss):
        assert loss(scalar(f), target=target, scale=scale, preference=p) > -1e-14
        assert abs(loss(scalar(target / scale), target=target, scale=scale).item()) < 1e-12


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_the_two_divergences_are_each_other_with_roles_swapped(f: float, target: float) -> None:
    forward = losses.forward_kl_pair_loss(scalar(f), target=target)
    backward = losses.backward_kl_pair_loss(scalar(target), target=f)
    assert forward.item() == pytest.approx(backward.item(), rel=1e-12, abs=1e-15)


def test_backward_kl_tends_to_the_logistic_loss() -> None:
    f = torch.linspace(-2, 2, 41, dtype=torch.float64)
    dpo = losses.logistic_pair_loss(f, scale=1.0)
    worst = {}
    for target in (5.0, 20.0, 40.0):
        difference = dpo - losses.backward_kl_pair_loss(f, target=target)
        certain = 1 / (1 + math.exp(-target))
        entropy = -certain * math.log(certain) + (1 - certain) * (target - math.log(certain))
        torch.testing.assert_close(
            difference, entropy - f * math.exp(-target) * certain, rtol=0, atol=4e-15
        )
        worst[target] = difference.abs().max().item()
    assert 4e-2 < worst[5.0] < 6e-2
    assert 4e-8 < worst[20.0] < 6e-8
    assert worst[40.0] < 1e-15


@pytest.mark.parametrize("p", [1.0, 0.8, 0.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_backward_kl_at_an_infinite_target_is_the_logistic_loss(
    p: float, dtype: torch.dtype
) -> None:
    f = torch.tensor([-1e4, -30.0, -1.0, 0.0, 2.0, 50.0, 1e4], dtype=dtype, requires_grad=True)
    limit = losses.backward_kl_pair_loss(f, target=math.inf, scale=0.7, preference=p)
    tensor = losses.backward_kl_pair_loss(
        f, target=torch.full((7,), torch.inf), scale=0.7, preference=p
    )
    assert torch.equal(limit, losses.logistic_pair_loss(f, scale=0.7, preference=p))
    assert torch.equal(limit, tensor)
    limit.sum().backward()
    assert f.grad is not None
    assert f.grad.isfinite().all()
    opposite = losses.backward_kl_pair_loss(f, target=-math.inf, scale=0.7, preference=p)
    assert torch.equal(opposite, losses.logistic_pair_loss(f, scale=0.7, preference=1 - p))


def test_forward_kl_grows_with_its_target() -> None:
    f = scalar(0.4)
    values = [
        losses.forward_kl_pair_loss(f, target=b).item() / (b * torch.sigmoid(-f).item())
        for b in (50.0, 500.0, 5e4)
    ]
    assert values == pytest.approx([1.0, 1.0, 1.0], rel=4e-2)
    assert abs(values[2] - 1) < 1e-4


@given(st.lists(st.floats(-8, 8), min_size=3, max_size=3, unique=True), probabilities)
def test_convex_in_the_margin(points: list[float], p: float) -> None:
    low, middle, high = sorted(points)
    weight = (high - middle) / (high - low)
    for loss in (
        lambda f: losses.squared_pair_loss(f, step_size=1.0, preference=p),
        lambda f: losses.logistic_pair_loss(f, scale=0.7, preference=p),
        lambda f: losses.backward_kl_pair_loss(f, target=2.0, preference=p),
    ):
        ends = weight * loss(scalar(low)) + (1 - weight) * loss(scalar(high))
        assert loss(scalar(middle)) <= ends + 1e-12


def test_forward_kl_is_not_convex() -> None:
    f = torch.linspace(-12, 12, 49, dtype=torch.float64)
    values = losses.forward_kl_pair_loss(f, target=2.0)
    assert (values[2:] - 2 * values[1:-1] + values[:-2]).min() < -1e-3


def test_label_smoothing_is_a_preference() -> None:
    f = torch.linspace(-3, 3, 7, dtype=torch.float64)
    smoothed = -0.9 * torch.log(torch.sigmoid(0.3 * f)) - 0.1 * torch.log(torch.sigmoid(-0.3 * f))
    torch.testing.assert_close(losses.logistic_pair_loss(f, scale=0.3, preference=0.9), smoothed)


def test_slic_hf_takes_a_supervised_target() -> None:
    a, b, t = scalar(-5.0), scalar(-4.0), scalar(-7.0)
    got = losses.slic_hf_loss(a, b, target_margin=2.0, likelihood_weight=0.5, target_log_probs=t)
    assert got.item() == pytest.approx(3.0 + 3.5)
    satisfied = losses.slic_hf_loss(b, a, target_margin=0.5, likelihood_weight=0.0)
    assert satisfied.item() == 0.0


def test_simpo_without_lengths_or_margin_is_dpo_with_a_uniform_reference() -> None:
    a, b = torch.tensor([-5.0, -3.0]).double(), torch.tensor([-4.0, -9.0]).double()
    simpo = losses.simpo_loss(
        a, b, chosen_lengths=1, rejected_lengths=1, scale=0.3, target_margin=0.0
    )
    cpo = losses.cpo_loss(a, b, scale=0.3, likelihood_weight=0.0)
    assert torch.equal(simpo, cpo)
    assert torch.equal(cpo, losses.logistic_pair_loss(a - b, scale=0.3))
