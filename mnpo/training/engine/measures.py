"""What a training curve shows beside the loss: measures of one batch, summed over its groups."""

import torch
from torch import Tensor

from mnpo.losses.objective import gaps, win_rates
from mnpo.training.examples import GroupBatch

#: Names of the measures, in the order of `measure`'s result.
MEASURES = ("margin", "log_ratio", "best_log_prob", "worst_log_prob", "kl", "tokens")


@torch.no_grad()
def measure(log_probs: Tensor, batch: GroupBatch, tokens: int) -> Tensor:
    """Measures summed over the groups of a batch, to be divided by the groups of the step.

    With f = log pi - sum_j lambda_j log pi_j, in nats summed over the tokens of a response:

    * margin: of the preferred over the other response, over the compared pairs.
    * log_ratio: mean f over the responses.
    * best_log_prob, worst_log_prob: log pi of the response with the highest and with the lowest
      value, or win rate where there are no values.
    * kl: half the unbiased variance of f within the group: the KL divergence between policy and
      anchors to second order in f, for responses sampled from either. Unlike the mean of f it
      does not depend on the normalisation of a mixture of anchors. 0 for a single response.
    * tokens: packed tokens. A sum and not a mean: the caller leaves it as it is.

    Args:
        log_probs: (B, K) summed log-probabilities of the policy.
        batch: the same B groups.
        tokens: packed tokens of the batch.

    Returns:
        (6,) in the order of `MEASURES`, float64 except on devices that have none.
    """
    present = batch.present
    f = (log_probs - batch.anchor_log_probs).masked_fill(~present, 0.0)
    count = present.sum(dim=-1)
    sign = torch.sign(batch.preferences - 0.5)
    margin = (batch.weights * sign * gaps(f)).sum(dim=(-2, -1))
    mean = f.sum(dim=-1) / count
    deviation = (f - mean.unsqueeze(-1)).masked_fill(~present, 0.0)
    variance = deviation.square().sum(dim=-1) / (count - 1).clamp_min(1)
    score = (
        batch.values if batch.values is not None else win_rates(batch.weights, batch.preferences)
    )
    best = score.masked_fill(~present, -torch.inf).argmax(dim=-1, keepdim=True)
    worst = score.masked_fill(~present, torch.inf).argmin(dim=-1, keepdim=True)
    sums = [
        margin.sum(),
        mean.sum(),
        log_probs.gather(-1, best).sum(),
        log_probs.gather(-1, worst).sum(),
        0.5 * variance.sum(),
        torch.tensor(float(tokens), dtype=log_probs.dtype, device=log_probs.device),
    ]
    return torch.stack(sums)
