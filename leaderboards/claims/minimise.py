"""The minimiser of a loss over tabular policies, by Newton's method on the loss itself.

The losses are those of `mnpo.losses`, over all pairs of K responses. They depend on the policy
through its log-ratio f alone, up to a constant, so the K numbers f are what is solved for.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
Loss: TypeAlias = "Callable[[Tensor], Tensor]"

_STEPS, _TOLERANCE = 100, 1e-13


def minimise(loss: Loss, actions: int, *, furthest: float = 30.0) -> Array:
    """The f that minimises a convex loss, (K,) with mean zero; NaN if there is no finite one.

    Args:
        loss: (K,) log-ratio -> () loss; invariant to a constant added to f.
        actions: K.
        furthest: a margin beyond this many nats is on its way to infinity.
    """
    import torch

    f = torch.zeros(actions, dtype=torch.float64)
    for _ in range(_STEPS):
        gradient = torch.func.grad(loss)(f)
        curvature = torch.func.hessian(loss)(f)
        step = torch.linalg.pinv(curvature, hermitian=True, rtol=1e-12) @ gradient
        largest = float(step.abs().max())
        f = f - step * min(1.0, furthest / (15 * max(largest, furthest / 15)))
        if float(f.max() - f.min()) > furthest:
            return np.full(actions, np.nan)
        if largest < _TOLERANCE * max(1.0, float(f.abs().max())):
            break
    return np.asarray((f - f.mean()).numpy(), dtype=np.float64)


def policy(anchor: Array, f: Array) -> Array:
    """(K,) the policy with log-ratio f to an unnormalised log-anchor (K,)."""
    logits = anchor + f
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def tensor(values: Array) -> "Tensor":
    """float64."""
    import torch

    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float64)


def gaps(f: "Tensor") -> "Tensor":
    """(K,) -> (K, K): f_i - f_j."""
    return f[:, None] - f[None, :]


def product(mu: Array, nu: Array | None = None) -> "Tensor":
    """(K, K) weights of pairs whose first response is drawn from mu and second from nu (or mu)."""
    return tensor(np.outer(mu, mu if nu is None else nu))


def weighted(
    loss: Callable[..., "Tensor"], weights: "Tensor", **settings: "Tensor | float"
) -> Loss:
    """Mean of a pair loss over weighted pairs.

    Args:
        loss: of `mnpo.losses`, called with the (K, K) margins.
        weights: (K, K).
        **settings: of the loss; numbers, or (K, K) one a pair.
    """

    def mean(f: "Tensor") -> "Tensor":
        return (weights * loss(gaps(f), **settings)).sum()

    return mean


def labelled(loss: Callable[..., "Tensor"], weights: "Tensor", P: Array, **settings: float) -> Loss:
    """`weighted`, with labels from the preferences P (K, K)."""
    return weighted(loss, weights, preference=tensor(P), **settings)
