"""Losses of an offline pair without a reference policy: they act on log-probabilities themselves.

MNPO's Table 1 calls them games with one player: there is no opponent and no anchor, and the length
terms that define most of them are missing there. Each takes summed log-probabilities in nats and
returns one loss per pair without reducing. Those with a likelihood term take hard
labels only: the likelihood is that of the response that won.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mnpo.losses.margins import length_normalized
from mnpo.losses.pairwise import logistic_pair_loss
from mnpo.losses.values import Number, expected, finite_log_probs, setting, upcast


def simpo_loss(
    chosen_log_probs: Tensor,
    rejected_log_probs: Tensor,
    *,
    chosen_lengths: Number,
    rejected_lengths: Number,
    scale: Number,
    target_margin: Number,
    preference: Number = 1.0,
) -> Tensor:
    """SimPO: logistic loss of the length-normalised margin beyond ``target_margin``.

    ``-log sigma(scale (log pi(y)/|y| - log pi(y')/|y'|) - target_margin)`` (2405.14734, Eq. 6).

    Args:
        chosen_log_probs: (...) log pi(y), summed over tokens, nats.
        rejected_log_probs: (...) log pi(y'), summed over tokens, nats.
        chosen_lengths: tokens of y, broadcastable.
        rejected_lengths: tokens of y', broadcastable.
        scale: beta > 0, broadcastable.
        target_margin: gamma >= 0 in units of reward, so that configurations that state a ratio
            gamma/beta have to multiply it by beta; broadcastable.
        preference: probability in [0, 1] that the first response wins, broadcastable. The target
            margin turns with the label, unlike label smoothing in the TRL library.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if an argument is outside its range or a log-probability is not finite.
    """
    where = "simpo_loss"
    chosen = _average(where, "chosen_log_probs", chosen_log_probs, chosen_lengths)
    rejected = _average(where, "rejected_log_probs", rejected_log_probs, rejected_lengths)
    margin = chosen - rejected
    reward = margin * setting(where, "scale", scale, like=margin, above=0.0)
    gamma = setting(where, "target_margin", target_margin, like=margin, at_least=0.0)
    label = setting(where, "preference", preference, like=margin, at_least=0.0, at_most=1.0)
    return expected(label, -F.logsigmoid(reward - gamma), -F.logsigmoid(-reward - gamma))


def cpo_loss(
    chosen_log_probs: Tensor,
    rejected_log_probs: Tensor,
    *,
    scale: Number,
    likelihood_weight: Number = 1.0,
    chosen_lengths: Number | None = None,
) -> Tensor:
    """CPO: DPO with a uniform reference, plus the likelihood of the chosen response.

    ``-log sigma(scale (log pi(y) - log pi(y'))) - likelihood_weight log pi(y)`` (2401.08417,
    Eq. 3 for the first term; the paper has weight 1).

    Args:
        chosen_log_probs: (...) log pi(y), summed over tokens, nats.
        rejected_log_probs: (...) log pi(y'), summed over tokens, nats.
        scale: beta > 0, broadcastable.
        likelihood_weight: lambda >= 0, broadcastable.
        chosen_lengths: tokens of y, to average the likelihood term (only that) over them; None
            for the sum, as in MNPO's Table 9.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if an argument is outside its range or a log-probability is not finite.
    """
    where = "cpo_loss"
    chosen = finite_log_probs(where, "chosen_log_probs", chosen_log_probs)
    rejected = finite_log_probs(where, "rejected_log_probs", rejected_log_probs)
    weight = setting(where, "likelihood_weight", likelihood_weight, like=chosen, at_least=0.0)
    likelihood = chosen if chosen_lengths is None else length_normalized(chosen, chosen_lengths)
    return logistic_pair_loss(chosen - rejected, scale=scale) - weight * likelihood


def orpo_loss(
    chosen_log_probs: Tensor,
    rejected_log_probs: Tensor,
    *,
    chosen_lengths: Number,
    rejected_lengths: Number,
    odds_weight: Number,
) -> Tensor:
    """ORPO: likelihood of the chosen response plus a logistic loss of the odds ratio.

    ``-log p - odds_weight log sigma(log odds(p) - log odds(p'))`` with p = pi(y)^(1/|y|)
    (2403.07691, Eq. 6 and 7).

    Args:
        chosen_log_probs: (...) log pi(y), summed over tokens, nats.
        rejected_log_probs: (...) log pi(y'), summed over tokens, nats.
        chosen_lengths: tokens of y, broadcastable.
        rejected_lengths: tokens of y', broadcastable.
        odds_weight: lambda >= 0, broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if an argument is outside its range or a log-probability is not finite.
    """
    where = "orpo_loss"
    chosen = _average(where, "chosen_log_probs", chosen_log_probs, chosen_lengths)
    rejected = _average(where, "rejected_log_probs", rejected_log_probs, rejected_lengths)
    weight = setting(where, "odds_weight", odds_weight, like=chosen, at_least=0.0)
    return -chosen - weight * F.logsigmoid(log_odds(chosen) - log_odds(rejected))


def log_odds(log_probs: Tensor) -> Tensor:
    """Log-odds of a probability from its logarithm, ``x - log(1 - exp(x))``.

    Args:
        log_probs: (...) x <= 0, nats. Values above -eps of the dtype, where 1 - exp(x) has no
            correct digit left, are taken as -eps: a certain response keeps finite odds (16 in
            float32), and there its gradient is zero.

    Returns:
        (...) log-odds, nats.
    """
    log_probs = upcast(log_probs)
    x = log_probs.clamp(max=-torch.finfo(log_probs.dtype).eps)
    near_one = x > -math.log(2.0)
    # Either branch sees only arguments it is accurate for, so no NaN enters the gradient.
    near = torch.log(-torch.expm1(torch.where(near_one, x, -0.5)))
    far = torch.log1p(-torch.exp(torch.where(near_one, -1.0, x)))
    return x - torch.where(near_one, near, far)


def slic_hf_loss(
    chosen_log_probs: Tensor,
    rejected_log_probs: Tensor,
    *,
    target_margin: Number,
    likelihood_weight: Number,
    target_log_probs: Tensor | None = None,
) -> Tensor:
    """SLiC-HF: hinge loss of the margin of log-probabilities, plus a likelihood term.

    ``max(0, target_margin - log pi(y) + log pi(y')) - likelihood_weight log pi(y_ref)``
    (2305.10425).

    Args:
        chosen_log_probs: (...) log pi(y), summed over tokens, nats.
        rejected_log_probs: (...) log pi(y'), summed over tokens, nats.
        target_margin: delta >= 0, nats, broadcastable.
        likelihood_weight: lambda >= 0, broadcastable.
        target_log_probs: (...) log pi(y_ref) of the supervised target; None for the chosen
            response, as in MNPO's Table 9.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if an argument is outside its range or a log-probability is not finite.
    """
    where = "slic_hf_loss"
    chosen = finite_log_probs(where, "chosen_log_probs", chosen_log_probs)
    rejected = finite_log_probs(where, "rejected_log_probs", rejected_log_probs)
    delta = setting(where, "target_margin", target_margin, like=chosen, at_least=0.0)
    weight = setting(where, "likelihood_weight", likelihood_weight, like=chosen, at_least=0.0)
    if target_log_probs is None:
        target = chosen
    else:
        target = finite_log_probs(where, "target_log_probs", target_log_probs)
    return F.relu(delta - chosen + rejected) - weight * target


def rrhf_loss(
    chosen_log_probs: Tensor,
    rejected_log_probs: Tensor,
    *,
    chosen_lengths: Number,
    rejected_lengths: Number,
    likelihood_weight: Number = 1.0,
) -> Tensor:
    """RRHF on a pair: hinge loss of length-normalised log-probabilities, plus likelihood.

    ``max(0, log pi(y')/|y'| - log pi(y)/|y|) - likelihood_weight log pi(y)`` (2304.05302, the
    ranking loss plus the cross-entropy of the best response; the paper has weight 1). For k
    ranked responses sum the hinge over all ordered pairs (broadcasting, with weight 0) and add
    the likelihood of the best one once.

    Args:
        chosen_log_probs: (...) log pi(y), summed over tokens, nats.
        rejected_log_probs: (...) log pi(y'), summed over tokens, nats.
        chosen_lengths: tokens of y, broadcastable.
        rejected_lengths: tokens of y', broadcastable.
        likelihood_weight: lambda >= 0, broadcastable.

    Returns:
        (...) loss per pair, nats (the hinge in nats per token).

    Raises:
        InvalidSetting: if an argument is outside its range or a log-probability is not finite.
    """
    where = "rrhf_loss"
    chosen = finite_log_probs(where, "chosen_log_probs", chosen_log_probs)
    better = _average(where, "chosen_log_probs", chosen, chosen_lengths)
    worse = _average(where, "rejected_log_probs", rejected_log_probs, rejected_lengths)
    weight = setting(where, "likelihood_weight", likelihood_weight, like=chosen, at_least=0.0)
    return F.relu(worse - better) - weight * chosen


def _average(where: str, name: str, log_probs: Tensor, lengths: Number) -> Tensor:
    return length_normalized(finite_log_probs(where, name, log_probs), lengths)
