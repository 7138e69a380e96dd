"""From an update of an algorithm to its loss: the one place where a distance becomes a function.

`mnpo.algorithms.Update` says which distance an update uses; here that is turned into the losses of
this package, over all pairs of K responses, for the simulator's tables and for language models
alike. Leading dimensions are free: (B,) runs or prompts.
"""

import torch
from torch import Tensor

from mnpo.algorithms.update import Distance
from mnpo.losses.pairwise import (
    dno_loss,
    logistic_pair_loss,
    squared_pair_loss,
    squared_target_loss,
)
from mnpo.losses.pointwise import spin_loss, sppo_pointwise_loss
from mnpo.losses.values import upcast


def preference_objective(
    log_ratio: Tensor,
    *,
    distance: Distance,
    step_size: Tensor | float,
    weights: Tensor,
    preferences: Tensor,
) -> Tensor:
    """Loss of labelled comparisons among K responses under an update's distance.

    Args:
        log_ratio: (..., K) f(y) = log pi(y) - sum_j weight_j log anchor_j(y), nats.
        distance: of the update.
        step_size: alpha, a number or (...); for LOGISTIC the factor 1/beta.
        weights: (..., K, K) share of the comparisons that are (i, j), summing to one.
        preferences: (..., K, K) probability, or observed share, with which i beats j.

    Returns:
        (...) weighted sum over the pairs, or over the responses for POINTWISE, whose weights are
        the responses' shares of the comparisons.
    """
    alpha = _per_pair(step_size, log_ratio)
    match distance:
        case Distance.SQUARED:
            loss = squared_pair_loss(gaps(log_ratio), step_size=alpha, preference=preferences)
        case Distance.LOGISTIC:
            loss = logistic_pair_loss(gaps(log_ratio), scale=1 / alpha, preference=preferences)
        case Distance.SOFT_LOGISTIC:
            rates = win_rates(weights, preferences)
            loss = dno_loss(gaps(log_ratio), scale=1 / alpha, win_rate_gap=gaps(rates))
        case Distance.POINTWISE:
            rates = win_rates(weights, preferences)
            pointwise = sppo_pointwise_loss(log_ratio, step_size=alpha.squeeze(-1), win_rate=rates)
            return (weights.sum(dim=-1) * pointwise).sum(dim=-1)
    return (weights * loss).sum(dim=(-2, -1))


def regression_objective(
    log_ratio: Tensor, *, step_size: Tensor | float, weights: Tensor, values: Tensor
) -> Tensor:
    """Squared regression of the margins on ``step_size`` times known value gaps.

    For scalar rewards (MNPO Eq. 16 and 20), and where the advantage itself is known rather than
    sampled as labels: exact win rates, or an optimistic combination of several.

    Args:
        log_ratio: (..., K).
        step_size: alpha, a number or (...).
        weights: (..., K, K).
        values: (..., K) rewards or advantages.
    """
    target = _per_pair(step_size, log_ratio) * gaps(values)
    return (weights * squared_target_loss(gaps(log_ratio), target=target)).sum(dim=(-2, -1))


def demonstration_objective(
    log_ratio: Tensor, *, step_size: Tensor | float, weights: Tensor
) -> Tensor:
    """SPIN's loss: i is a demonstration, j an own sample, no preference asked.

    Args:
        log_ratio: (..., K).
        step_size: 1/lambda, a number or (...).
        weights: (..., K, K) probability that i is demonstrated and j sampled.
    """
    scale = 1 / _per_pair(step_size, log_ratio)
    return (weights * spin_loss(gaps(log_ratio), scale=scale)).sum(dim=(-2, -1))


def gaps(values: Tensor) -> Tensor:
    """(..., K) -> (..., K, K): the value of i minus that of j."""
    return values.unsqueeze(-1) - values.unsqueeze(-2)


def win_rates(weights: Tensor, preferences: Tensor) -> Tensor:
    """(..., K) share of its comparisons that a response won; 1/2 where it has none."""
    won = (weights * preferences).sum(dim=-1) + (weights * (1 - preferences)).sum(dim=-2)
    total = weights.sum(dim=-1) + weights.sum(dim=-2)
    half = torch.full_like(won, 0.5)
    return torch.where(total > 0, won / total.clamp_min(torch.finfo(total.dtype).tiny), half)


def _per_pair(step_size: Tensor | float, like: Tensor) -> Tensor:
    """(...) -> (..., 1, 1), to meet (..., K, K); a number takes the precision of ``like``."""
    if isinstance(step_size, Tensor):
        return step_size[..., None, None]
    return torch.tensor(step_size, dtype=upcast(like).dtype, device=like.device)[..., None, None]
