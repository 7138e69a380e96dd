"""Log-probs of chosen tokens straight from hidden states, without the table of all logits.

N tokens times a vocabulary of V is most of a trainer's memory. Here a slice of rows at a time
meets the vocabulary, in the forward pass and again in the backward pass.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

#: Logits that are held at once, each 4 bytes and copied about three times.
_HELD = 2**26


@dataclass(frozen=True)
class Logits:
    """How a head turns W h + b into logits.

    Attributes:
        scale: factor (Cohere's ``logit_scale``; Granite divides by ``logits_scaling``).
        softcap: c of c tanh(x / c), applied after the scale (Gemma 2); None for none.
    """

    scale: float = 1.0
    softcap: float | None = None

    def __call__(self, raw: Tensor) -> Tensor:
        """The logits, of any shape; may overwrite ``raw``."""
        logits = raw if self.scale == 1 else raw.mul_(self.scale)
        return logits if self.softcap is None else (logits / self.softcap).tanh_() * self.softcap

    def backward(self, gradient: Tensor, logits: Tensor) -> Tensor:
        """Gradient with respect to W h + b; may overwrite ``gradient``."""
        if self.softcap is not None:
            gradient = gradient * (1 - (logits / self.softcap).square_())
        return gradient if self.scale == 1 else gradient.mul_(self.scale)


def linear_log_probs(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    *,
    transform: Logits,
    held: int = _HELD,
) -> Tensor:
    """Log softmax(transform(W h + b))[target], row by row; differentiable once.

    Products of half-precision numbers are summed and kept in float32. Under autocast the
    product is taken in autocast's precision, as a linear layer's would be.

    Args:
        hidden: (N, H).
        weight: (V, H).
        bias: (V,) or None.
        targets: (N,) indices below V.
        transform: from W h + b to logits.
        held: logits held at once; more is faster up to a point.

    Returns:
        (N,) nats, float32, or float64 for float64 inputs.
    """
    device = hidden.device.type
    if torch.is_autocast_enabled(device):
        compute = torch.get_autocast_dtype(device)
    else:
        compute = torch.promote_types(hidden.dtype, weight.dtype)
    rows = max(1, held // weight.shape[0])
    log_probs: Tensor = _LinearLogProbs.apply(  # type: ignore[no-untyped-call]
        hidden, weight, bias, targets, transform, compute, rows
    )
    return log_probs


class _LinearLogProbs(Function):
    """Forward keeps the (N,) normalisers, backward forms the logits of each slice again."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        transform: Logits,
        compute: torch.dtype,
        rows: int,
    ) -> Tensor:
        with torch.autocast(hidden.device.type, enabled=False):
            product = _Product(hidden, weight, bias, compute)
            log_probs = hidden.new_empty(len(hidden), dtype=product.wide)
            normalisers = torch.empty_like(log_probs)
            for part in _slices(len(hidden), rows):
                logits = transform(product.rows(part))
                normalisers[part] = logits.logsumexp(dim=-1)
                log_probs[part] = _pick(logits, targets[part]) - normalisers[part]
        ctx.save_for_backward(hidden, weight, bias, targets, normalisers)
        ctx.settings = (transform, compute, rows)
        return log_probs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, targets, normalisers = ctx.saved_tensors
        transform, compute, rows = ctx.settings
        wants_hidden, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        with torch.autocast(hidden.device.type, enabled=False):
            product = _Product(hidden, weight, bias, compute)
            wide = product.wide
            to_hidden = torch.empty_like(hidden) if wants_hidden else None
            # Sums over slices in half precision would lose what each slice adds.
            to_weight = torch.zeros_like(weight, dtype=wide) if wants_weight else None
            to_bias = torch.zeros_like(bias, dtype=wide) if wants_bias else None
            for part in _slices(len(hidden), rows):
                logits = transform(product.rows(part))
                slope = (logits - normalisers[part, None]).exp_().neg_()
                slope.scatter_add_(1, targets[part, None], torch.ones_like(slope[:, :1]))
                slope.mul_(upstream[part, None])
                slope = transform.backward(slope, logits).to(product.weight.dtype)
                if to_hidden is not None:
                    to_hidden[part] = slope @ product.weight
                if to_weight is not None:
                    to_weight += slope.t() @ product.hidden[part]
                if to_bias is not None:
                    to_bias += slope.sum(dim=0, dtype=wide)
        return (
            to_hidden,
            None if to_weight is None else to_weight.to(weight.dtype),
            None if to_bias is None else to_bias.to(bias.dtype),
            *[None] * 4,
        )


class _Product:
    """W h + b for slices of rows, in float32 at least."""

    def __init__(
        self, hidden: Tensor, weight: Tensor, bias: Tensor | None, compute: torch.dtype
    ) -> None:
        self.wide = torch.promote_types(compute, torch.float32)
        # Only CUDA multiplies half-precision numbers into float32; elsewhere they are widened.
        self._widens = compute != self.wide and hidden.device.type == "cuda"
        self.hidden = hidden.to(compute)
        self.weight = weight.to(compute)
        if not self._widens:
            self.hidden, self.weight = self.hidden.to(self.wide), self.weight.to(self.wide)
        self._bias = None if bias is None else bias.to(self.wide)

    def rows(self, part: slice) -> Tensor:
        """(rows, V), freshly allocated."""
        if self._widens:
            raw = torch.mm(self.hidden[part], self.weight.t(), out_dtype=self.wide)
        else:
            raw = self.hidden[part] @ self.weight.t()
        return raw if self._bias is None else raw.add_(self._bias)


def _slices(length: int, rows: int) -> list[slice]:
    return [slice(start, min(start + rows, length)) for start in range(0, length, rows)]


def _pick(logits: Tensor, targets: Tensor) -> Tensor:
    return logits.gather(1, targets.unsqueeze(1)).squeeze(1)
