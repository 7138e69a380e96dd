"""Losses of one response (SPPO, KTO), or of a pair whose winner comes from data (SPIN).

The log-ratio is f(y) = log pi(y) - log anchor(y), nats. Unlike a pair loss, a pointwise one does
not cancel the partition function of the update, so what stands in for it matters.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mnpo.errors import InvalidSetting
from mnpo.losses.values import Number, expected, setting, upcast


def sppo_pointwise_loss(
    log_ratio: Tensor,
    *,
    step_size: Number,
    win_rate: Number,
    log_partition: Number | None = None,
) -> Tensor:
    """Squared distance of the log-ratio to ``step_size * win_rate - log Z`` (SPPO).

    The exact multiplicative-weights step is pi = pi_t exp(step_size * P(y > pi_t)) / Z. SPPO
    (2405.00675, Eq. 4.6) replaces log Z by step_size / 2, which gives ``(f - step_size * (win_rate
    - 1/2))^2``. Its minimiser over distributions is near the exact step, not equal to it: log pi =
    log pi_t + g - W(nu/2 e^g), g = step_size * (win_rate - 1/2), W Lambert's function; they differ
    by about 1e-7, 1e-4 and 1e-2 for step sizes 0.1, 1 and 5. With the exact ``log_partition`` the
    loss is zero at the exact step.

    Args:
        log_ratio: (...) log pi(y) - log pi_t(y), nats.
        step_size: the paper's eta = alpha >= 0, broadcastable.
        win_rate: P(y > pi_t) in [0, 1], exact or estimated from sampled opponents, broadcastable.
        log_partition: log E_{y ~ pi_t} exp(step_size * P(y > pi_t)), nats, one per prompt,
            broadcastable; None for the paper's step_size / 2.

    Returns:
        (...) loss per response, squared nats.

    Raises:
        InvalidSetting: if ``step_size`` is negative or not finite, ``win_rate`` outside [0, 1] or
            ``log_partition`` not finite.
    """
    log_ratio = upcast(log_ratio)
    where = "sppo_pointwise_loss"
    step = setting(where, "step_size", step_size, like=log_ratio, at_least=0.0)
    rate = setting(where, "win_rate", win_rate, like=log_ratio, at_least=0.0, at_most=1.0)
    if log_partition is None:
        return (log_ratio - step * (rate - 0.5)) ** 2
    constant = setting(where, "log_partition", log_partition, like=log_ratio)
    return (log_ratio - (step * rate - constant)) ** 2


def spin_loss(margin: Tensor, *, scale: Number) -> Tensor:
    """SPIN: logistic loss whose winner is a demonstration and whose loser the policy's own sample.

    Self-Play Fine-Tuning (2401.01335, Eq. 4.7) with the logistic loss, ``-log sigma(scale f)``
    for f = f(demonstration) - f(own sample) against the previous policy. No preference enters.
    The population minimiser is f = log(p_data / pi_t) / scale: a step towards the data.

    Args:
        margin: (...) log-ratio of the demonstration minus that of the own sample, nats.
        scale: the paper's lambda > 0 (beta in MNPO's Table 9), broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if ``scale`` is not positive and finite.
    """
    margin = upcast(margin)
    return -F.logsigmoid(margin * setting("spin_loss", "scale", scale, like=margin, above=0.0))


def kto_loss(
    log_ratio: Tensor,
    *,
    desirable: Number,
    scale: Number,
    z_ref: Number,
    desirable_weight: Number = 1.0,
    undesirable_weight: Number = 1.0,
) -> Tensor:
    """KTO: prospect-theoretic value of one response judged desirable or not.

    ``lambda_D (1 - sigma(scale (f - z)))`` if desirable, ``lambda_U (1 - sigma(scale (z - f)))``
    if not (2402.01306, Eq. 7). MNPO's Table 9 prints the second term with a plus sign,
    ``+ lambda_l sigma(z - ...)``, whose minimisation would raise the undesirable response.

    Args:
        log_ratio: (...) log pi(y) - log pi_ref(y), nats.
        desirable: true, or the probability in [0, 1] of being so, broadcastable.
        scale: beta > 0, broadcastable.
        z_ref: reference point KL(pi || pi_ref) in nats, not multiplied by beta (the paper's is);
            see `kto_reference_point`. No gradient flows through it. Broadcastable.
        desirable_weight: lambda_D >= 0, broadcastable.
        undesirable_weight: lambda_U >= 0, broadcastable.

    Returns:
        (...) loss per response, between 0 and its weight.

    Raises:
        InvalidSetting: if an argument is outside its range.
    """
    log_ratio = upcast(log_ratio)
    where = "kto_loss"
    if isinstance(z_ref, Tensor):
        z_ref = z_ref.detach()
    label = setting(where, "desirable", desirable, like=log_ratio, at_least=0.0, at_most=1.0)
    beta = setting(where, "scale", scale, like=log_ratio, above=0.0)
    gains = setting(where, "desirable_weight", desirable_weight, like=log_ratio, at_least=0.0)
    losses = setting(where, "undesirable_weight", undesirable_weight, like=log_ratio, at_least=0.0)
    logit = beta * (log_ratio - setting(where, "z_ref", z_ref, like=log_ratio))
    return expected(label, gains * torch.sigmoid(-logit), losses * torch.sigmoid(logit))


def kto_reference_point(mismatched_log_ratio: Tensor) -> Tensor:
    """KTO's estimate of its reference point, ``max(0, mean of f over mismatched responses)``.

    Args:
        mismatched_log_ratio: (...) log pi(y' | x) - log pi_ref(y' | x) for responses y' that
            belong to other prompts of the batch, nats (2402.01306, Section 4.1).

    Returns:
        () the estimate in nats, detached. Across processes, average it before the maximum.

    Raises:
        InvalidSetting: if there is no response.
    """
    if mismatched_log_ratio.numel() == 0:
        raise InvalidSetting(
            "kto_reference_point: needs at least one mismatched response, got none"
        )
    return upcast(mismatched_log_ratio).detach().mean().clamp(min=0.0)
