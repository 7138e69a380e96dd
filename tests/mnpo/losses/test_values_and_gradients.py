"""Every loss against its numpy twin, its hand-derived gradient, and its own contract."""

from typing import Any

import numpy as np
import pytest
import torch

from mnpo import losses


def test_value_matches_the_twin(case: Any) -> None:
    tensors, settings = case.draw(seed=1, shape=(40,))
    got, _ = case.call(tensors, settings)
    expected = case.value(*tensors, **settings)
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=1e-11, atol=1e-12)


def test_gradient_matches_the_hand_derived_one(case: Any) -> None:
    tensors, settings = case.draw(seed=2, shape=(40,))
    got, leaves = case.call(tensors, settings)
    got.sum().backward()
    expected = case.gradient(*tensors, **settings)
    assert len(expected) == len(leaves)
    for leaf, wanted in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), wanted, rtol=1e-10, atol=1e-12)


def test_gradcheck(case: Any) -> None:
    tensors, settings = case.draw(seed=3, shape=(3, 2))
    leaves = [torch.tensor(t, requires_grad=True) for t in tensors]

    def function(*inputs: torch.Tensor) -> torch.Tensor:
        ready = {
            k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()
        }
        return case.function(*inputs, **ready)

    assert torch.autograd.gradcheck(function, leaves, atol=1e-6)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 3), (0,)])
def test_any_leading_shape_without_reduction(case: Any, shape: tuple[int, ...]) -> None:
    tensors, settings = case.draw(seed=4, shape=shape)
    got, _ = case.call(tensors, settings)
    assert got.shape == shape
    for index in np.ndindex(*shape):
        one, _ = case.call(
            [t[index] for t in tensors],
            {k: v[index] if isinstance(v, np.ndarray) else v for k, v in settings.items()},
        )
        assert one.item() == pytest.approx(got[index].item(), rel=1e-13, abs=1e-13)


def test_settings_broadcast_against_the_inputs(case: Any) -> None:
    tensors, settings = case.draw(seed=5, shape=(4, 1))
    wide = [np.broadcast_to(t, (4, 3)).copy() for t in tensors]
    got, _ = case.call(wide, settings)
    narrow, _ = case.call(tensors, settings)
    assert torch.equal(got, narrow.expand(4, 3))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(case: Any, dtype: torch.dtype) -> None:
    tensors, settings = case.draw(seed=6, shape=(20,))
    rounded = [torch.tensor(t).to(dtype).double().numpy() for t in tensors]
    settings = {
        k: torch.tensor(v).to(dtype).double().numpy()
        if isinstance(v, np.ndarray) and v.dtype == np.float64
        else v
        for k, v in settings.items()
    }
    got, leaves = case.call(rounded, settings, dtype=dtype)
    exact, _ = case.call(rounded, settings, dtype=torch.float32)
    assert got.dtype == torch.float32
    assert torch.equal(got, exact)
    got.sum().backward()
    assert all(leaf.grad.dtype == dtype and leaf.grad.isfinite().all() for leaf in leaves)


def test_log_ratio_subtracts_after_the_upcast() -> None:
    policy = torch.tensor([-301.0], dtype=torch.bfloat16)  # rounds to -300 or -302 in bfloat16
    anchor = torch.tensor([-300.5], dtype=torch.float32)
    ratio = losses.log_ratio(policy, anchor)
    assert ratio.dtype == torch.float32
    assert ratio.item() == policy.float().item() + 300.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_no_nan_at_extreme_arguments(case: Any, dtype: torch.dtype) -> None:
    levels = [-1e4, -1e3, -1.0, 0.0] if case.log_probs else [-1e4, -100.0, 0.0, 100.0, 1e4]
    grids = np.meshgrid(*[np.array(levels)] * case.inputs)
    tensors = [g.ravel() for g in grids]
    _, settings = case.draw(seed=7, shape=tensors[0].shape)
    got, leaves = case.call(tensors, settings, dtype=dtype)
    assert got.isfinite().all()
    got.sum().backward()
    for leaf in leaves:
        assert leaf.grad.isfinite().all()


def test_a_hopeless_winner_keeps_its_push(cases: list[Any]) -> None:
    """Far on the wrong side a hard label still pulls; the bounded KTO and forward KL let go."""
    hard = {"squared", "logistic", "dno", "spin", "ipo-sum", "mio"}
    for case in [c for c in cases if c.name in hard or c.name.startswith("f-dpo")]:
        tensors = [np.array([-200.0])] + [np.array([200.0])] * (case.inputs - 1)
        _, settings = case.draw(seed=8, shape=(1,))
        settings.pop("preference", None)
        got, leaves = case.call(tensors, settings)
        got.sum().backward()
        assert leaves[0].grad.item() < -1e-3, case.name
    far = torch.tensor([-200.0], dtype=torch.float64, requires_grad=True)
    losses.kto_loss(far, desirable=1.0, scale=1.0, z_ref=0.0).sum().backward()
    losses.forward_kl_pair_loss(far, target=3.0).sum().backward()
    assert far.grad is not None
    assert abs(far.grad.item()) < 1e-50


def test_vmap_of_the_gradient_is_the_batched_gradient(case: Any) -> None:
    tensors, settings = case.draw(seed=9, shape=(6,))
    got, leaves = case.call(tensors, settings)
    got.sum().backward()
    batched = {k: torch.tensor(v) for k, v in settings.items() if isinstance(v, np.ndarray)}
    fixed = {k: v for k, v in settings.items() if not isinstance(v, np.ndarray)}
    names = list(batched)

    def one(*arguments: torch.Tensor) -> torch.Tensor:
        inputs, rest = arguments[: case.inputs], arguments[case.inputs :]
        return case.function(*inputs, **dict(zip(names, rest, strict=True)), **fixed)

    gradient = torch.func.vmap(torch.func.grad(one, argnums=tuple(range(case.inputs))))
    per_example = gradient(*[torch.tensor(t) for t in tensors], *batched.values())
    for leaf, found in zip(leaves, per_example, strict=True):
        torch.testing.assert_close(leaf.grad, found, rtol=1e-12, atol=1e-12)


def test_labels_do_not_carry_gradient_into_ktos_reference_point() -> None:
    z_ref = torch.tensor(0.2, requires_grad=True)
    ratio = torch.tensor([0.5, -0.5], requires_grad=True)
    losses.kto_loss(ratio, desirable=1.0, scale=1.0, z_ref=z_ref).sum().backward()
    assert z_ref.grad is None
    assert ratio.grad is not None


def test_kto_reference_point() -> None:
    ratios = torch.tensor([0.5, 1.5, -0.5], dtype=torch.float64, requires_grad=True)
    point = losses.kto_reference_point(ratios)
    assert point.item() == pytest.approx(0.5)
    assert not point.requires_grad
    assert losses.kto_reference_point(-ratios).item() == 0.0


def test_log_odds_of_small_and_near_certain_probabilities() -> None:
    p = np.array([1e-30, 1e-8, 0.3, 0.5, 0.9, 1 - 1e-9])
    got = losses.log_odds(torch.tensor(np.log(p)))
    np.testing.assert_allclose(got.numpy(), np.log(p) - np.log1p(-p), rtol=1e-6)
    exact = losses.log_odds(torch.tensor([-1e-12, -1e-3, -50.0], dtype=torch.float64)).numpy()
    np.testing.assert_allclose(exact[0], -np.log(1e-12), rtol=1e-12)
    np.testing.assert_allclose(exact[1], -1e-3 - np.log(-np.expm1(-1e-3)), rtol=1e-13)
    np.testing.assert_allclose(exact[2], -50.0, rtol=1e-13)
    certain = torch.zeros(2, requires_grad=True)
    odds = losses.log_odds(certain)
    odds.sum().backward()
    assert odds.isfinite().all()
    assert certain.grad is not None
    assert torch.equal(certain.grad, torch.zeros(2))


def test_f_divergence_scores_agree_where_they_should() -> None:
    f = torch.linspace(-3, 3, 13, dtype=torch.float64)
    score = losses.f_divergence_score
    assert torch.equal(score(f, divergence="alpha", alpha=0.0), f)
    torch.testing.assert_close(
        score(f, divergence="alpha", alpha=1.0), score(f, divergence="forward-kl")
    )
    torch.testing.assert_close(score(f, divergence="alpha", alpha=1e-9), f, rtol=1e-7, atol=1e-7)
    for divergence in ("reverse-kl", "forward-kl", "jensen-shannon", "alpha"):
        assert score(torch.zeros(1), divergence=divergence).item() == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 60.0), (torch.float64, 600.0)])
def test_the_tangent_continues_the_score_smoothly(dtype: torch.dtype, bound: float) -> None:
    f = torch.tensor([-bound * (1 - 1e-4), -bound * (1 + 1e-4), -50 * bound], dtype=dtype)
    f.requires_grad_()
    score = losses.f_divergence_score(f, divergence="forward-kl")
    score.sum().backward()
    assert f.grad is not None
    assert score[0] > score[1] > score[2]
    assert score.isfinite().all()
    slope = np.exp(bound)
    np.testing.assert_allclose(f.grad[1:].double().numpy(), slope, rtol=1e-4)
    np.testing.assert_allclose(f.grad[0].item(), slope * np.exp(-bound * 1e-4), rtol=1e-3)


def test_compiled_graph_has_no_break() -> None:
    torch._dynamo.reset()

    @torch.compile(backend="eager", fullgraph=True)
    def compiled(f: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
        return losses.squared_pair_loss(f, step_size=0.5, preference=p)

    f, p = torch.randn(5), torch.rand(5)
    torch.testing.assert_close(
        compiled(f, p), losses.squared_pair_loss(f, step_size=0.5, preference=p)
    )
