import pytest
import torch
from torch.nn.functional import linear

from mnpo.training.logprobs.head import Logits, linear_log_probs


def plain(hidden, weight, bias, targets, transform):
    logits = linear(hidden, weight, bias) * transform.scale
    if transform.softcap is not None:
        logits = transform.softcap * torch.tanh(logits / transform.softcap)
    return logits.log_softmax(-1)[torch.arange(len(targets)), targets]


def inputs(dtype=torch.float64, rows=11, vocabulary=17, with_bias=True):
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        drawn = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return drawn.to(dtype).requires_grad_()

    targets = torch.randint(vocabulary, (rows,), generator=generator)
    return draw(rows, 5), draw(vocabulary, 5), draw(vocabulary) if with_bias else None, targets


@pytest.mark.parametrize("softcap", [None, 1.5])
@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("held", [1, 3 * 17, 10**6])  # one row, slices with a short last one, all
def test_equals_log_softmax_in_value_and_gradient(softcap, scale, with_bias, held):
    hidden, weight, bias, targets = inputs(with_bias=with_bias)
    transform = Logits(scale=scale, softcap=softcap)
    ours = linear_log_probs(hidden, weight, bias, targets, transform=transform, held=held)
    theirs = plain(hidden, weight, bias, targets, transform)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
    upstream = torch.linspace(-2, 3, len(targets), dtype=torch.float64)
    leaves = [leaf for leaf in (hidden, weight, bias) if leaf is not None]
    for mine, other in zip(
        torch.autograd.grad(ours, leaves, upstream),
        torch.autograd.grad(theirs, leaves, upstream),
        strict=True,
    ):
        assert torch.allclose(mine, other, rtol=0, atol=1e-12)


def test_gradient_check_with_cap():
    hidden, weight, bias, targets = inputs(rows=4, vocabulary=6)
    transform = Logits(scale=0.7, softcap=1.2)
    assert torch.autograd.gradcheck(
        lambda h, w, b: linear_log_probs(h, w, b, targets, transform=transform, held=12),
        (hidden, weight, bias),
    )


def test_only_asked_gradients_are_formed():
    hidden, weight, _, targets = inputs()
    frozen = weight.detach()
    linear_log_probs(hidden, frozen, None, targets, transform=Logits()).sum().backward()
    assert hidden.grad is not None
    assert frozen.grad is None


def test_half_precision_is_summed_in_float32():
    hidden, weight, bias, targets = inputs(torch.bfloat16)
    ours = linear_log_probs(hidden, weight, bias, targets, transform=Logits(), held=40)
    assert ours.dtype == torch.float32
    wide = plain(hidden.float(), weight.float(), bias.float(), targets, Logits())
    assert torch.allclose(ours, wide, rtol=0, atol=1e-5)
    rounded = linear(hidden, weight, bias).float().log_softmax(-1)
    rounded = rounded[torch.arange(len(targets)), targets]
    assert (rounded - wide).abs().max() > 1e-3  # what rounding the logits would have cost
    ours.sum().backward()
    assert weight.grad.dtype == torch.bfloat16


def test_autocast_decides_on_the_product():
    hidden, weight, bias, targets = inputs(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = linear_log_probs(hidden, weight, bias, targets, transform=Logits())
    narrow = [each.bfloat16().float() for each in (hidden, weight)]
    assert torch.allclose(ours, plain(*narrow, bias, targets, Logits()), rtol=0, atol=1e-5)
    ours.sum().backward()
    assert weight.grad.dtype == torch.float32


def test_logits_are_never_all_held():
    """The largest block that is ever made has ``held`` numbers, forward and backward."""
    hidden, weight, bias, targets = inputs(rows=64, vocabulary=50)
    sizes = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                sizes.append(out.numel())
            return out

    with Watch():
        log_probs = linear_log_probs(
            hidden, weight, bias, targets, transform=Logits(softcap=3.0), held=400
        )
        log_probs.sum().backward()
    assert max(sizes) <= 400
