"""What only a GPU shows: compiled flex attention, and half precision summed in float32."""

import pytest
import torch
from torch.nn.functional import linear

from mnpo.training.logprobs.forward import enable_completion_scoring
from mnpo.training.logprobs.head import Logits, linear_log_probs
from mnpo.training.logprobs.packing import pack
from mnpo.training.logprobs.scoring import completion_log_probs

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
SHAPES = [[(40, (30, 1, 60)), (5, (7, 7))], [(200, (100, 150, 90, 20))]]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma2"])
def test_flex_equals_dense_masks_in_value_and_gradient(family, tiny, groups_of):
    limit = 512
    found = {}
    for attention in ("eager", "flex_attention"):
        model = tiny(family, torch.float32, attention=attention, positions=limit).cuda()
        enable_completion_scoring(model)
        for i, shape in enumerate(SHAPES):
            packed = pack(groups_of(shape), pad_to_multiple=128, pad_id=0).to("cuda")
            model.zero_grad()
            log_probs = completion_log_probs(model, packed)
            log_probs.sum().backward()
            gradients = [p.grad.clone() for p in model.parameters()]
            found[attention, i] = (log_probs.detach(), *gradients)
    for i in range(len(SHAPES)):
        for dense, flex in zip(found["eager", i], found["flex_attention", i], strict=True):
            assert (dense - flex).norm() <= 2e-3 * dense.norm()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("transform", [Logits(), Logits(scale=0.5, softcap=5.0)])
def test_the_head_keeps_logits_in_float32(dtype, transform):
    generator = torch.Generator("cuda").manual_seed(0)

    def draw(*shape):
        drawn = torch.randn(*shape, generator=generator, device="cuda")
        return drawn.to(dtype).requires_grad_()

    hidden, weight = draw(300, 64), draw(1000, 64)
    targets = torch.randint(1000, (300,), generator=generator, device="cuda")
    ours = linear_log_probs(hidden, weight, None, targets, transform=transform, held=50_000)
    wide = [each.detach().double().requires_grad_() for each in (hidden, weight)]
    logits = linear(*wide) * transform.scale
    if transform.softcap is not None:
        logits = transform.softcap * torch.tanh(logits / transform.softcap)
    theirs = logits.log_softmax(-1)[torch.arange(300, device="cuda"), targets]
    assert ours.dtype == torch.float32
    assert torch.allclose(ours.double(), theirs, rtol=0, atol=1e-4)
    for mine, other in zip(
        torch.autograd.grad(ours.sum(), (hidden, weight)),
        torch.autograd.grad(theirs.sum(), wide),
        strict=True,
    ):
        assert (mine.double() - other).norm() <= 0.02 * other.norm()


def test_sums_are_repeatable(tiny, groups_of):
    model = tiny("llama", torch.float32).cuda()
    enable_completion_scoring(model)
    packed = pack(groups_of([(9, (5, 3)), (4, (9, 1, 2))]), pad_id=0).to("cuda")
    runs = []
    for _ in range(3):
        model.zero_grad()
        log_probs = completion_log_probs(model, packed)
        log_probs.sum().backward()
        runs.append([log_probs.detach(), *[p.grad.clone() for p in model.parameters()]])
    for other in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))
