"""One step of decoding: next-token distributions mixed, tempered, truncated, and drawn from.

Draws invert the distribution function at uniforms that belong to one completion alone. So a
completion depends on its own seed and prompt, not on what else is in the batch (up to rounding),
on the device, or on the state of torch's global generators.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mnpo.errors import UserError


def mixture_log_probs(logits: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The normalised geometric mixture of next-token distributions.

    Nash-MD samples from pi_t^(1 - w) ref^w (Munos et al. 2023, arXiv 2312.00886, Section 5). Token
    by token, log p(y_s | y_<s) = sum_k w_k log pi_k(y_s | y_<s) - log Z(y_<s). The product of these
    conditionals is not the mixture of the sequences' probabilities, whose normaliser would look
    ahead; the two agree exactly where a completion is a single token.

    Args:
        logits: one (..., V) tensor a policy, any floating type.
        weights: one positive number a policy.

    Returns:
        (..., V) log-probabilities, float32 or the logits' wider type.
    """
    wide = torch.promote_types(logits[0].dtype, torch.float32)
    mixed = torch.zeros_like(logits[0], dtype=wide)
    for values, weight in zip(logits, weights, strict=True):
        mixed = mixed + weight * torch.log_softmax(values.to(wide), dim=-1)
    return torch.log_softmax(mixed, dim=-1)


def truncate(log_probs: Tensor, *, temperature: float, top_k: int, top_p: float) -> Tensor:
    """Temperature, then the ``top_k`` likeliest tokens, then the smallest set of mass ``top_p``.

    Args:
        log_probs: (..., V) log-probabilities, nats.
        temperature: above 0; 1 changes nothing.
        top_k: tokens that stay; 0 keeps all. Ties at the border all stay.
        top_p: mass that stays at least, in (0, 1]; 1 keeps all.

    Returns:
        (..., V) scores up to an additive constant; -inf where a token was cut.
    """
    scores = log_probs / temperature
    if 0 < top_k < scores.shape[-1]:
        border = scores.topk(top_k, dim=-1).values[..., -1:]
        scores = scores.masked_fill(scores < border, -torch.inf)
    if top_p < 1:
        ordered, order = scores.sort(dim=-1, descending=True, stable=True)
        mass = ordered.softmax(dim=-1)
        # a token stays while the tokens before it have not reached the mass; the first always does
        cut = mass.cumsum(dim=-1) - mass >= top_p
        scores = scores.masked_fill(cut.gather(-1, order.argsort(dim=-1)), -torch.inf)
    return scores


def pick(scores: Tensor, uniforms: Tensor) -> Tensor:
    """Inverse-transform sampling: the first token whose cumulative mass exceeds the uniform.

    Args:
        scores: (B, V) log-probabilities up to a constant; -inf is never picked.
        uniforms: (B,) in [0, 1).

    Returns:
        (B,) token ids.

    Raises:
        UserError: a row has no finite distribution.
    """
    # float64 keeps tails of large vocabularies; Apple's GPUs do not have it
    wide = torch.float32 if scores.device.type == "mps" else torch.float64
    mass = scores.to(wide).softmax(dim=-1).cumsum(dim=-1)
    total = mass[:, -1:].contiguous()
    if not bool(torch.isfinite(total).all()):
        raise UserError(
            "the policy gives no finite next-token probabilities (NaN or infinite logits): its "
            "training diverged; lower optimizer.learning_rate or sample in float32"
        )
    level = uniforms.to(dtype=wide).to(mass.device)[:, None] * total
    level = torch.minimum(level, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(mass, level, right=True)[:, 0]
