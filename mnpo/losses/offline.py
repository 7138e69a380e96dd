"""Further losses of an offline pair with a reference policy: MNPO's Table 9, one function a row.

Each takes log-ratios f(y) = log pi(y) - log pi_ref(y) or their margin, in nats, and returns one
loss per pair without reducing. Formulas are those of the original papers; where MNPO's table
(arXiv 2509.23102) prints another one the docstring says so.
"""

import math
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from mnpo.errors import InvalidSetting, suggest
from mnpo.losses.margins import length_normalized
from mnpo.losses.margins import margin as pair_margin
from mnpo.losses.pairwise import logistic_pair_loss, squared_pair_loss, squared_target_loss
from mnpo.losses.values import Number, setting, upcast

Divergence = Literal["reverse-kl", "forward-kl", "jensen-shannon", "alpha"]


def ipo_loss(
    chosen_log_ratio: Tensor,
    rejected_log_ratio: Tensor,
    *,
    temperature: Number,
    preference: Number = 1.0,
    chosen_lengths: Number | None = None,
    rejected_lengths: Number | None = None,
) -> Tensor:
    """IPO: `squared_pair_loss` with step_size = 1/temperature, in either length convention.

    (2310.12036, Eq. 17.) The paper's margin is a difference of summed log-ratios. Given lengths,
    each log-ratio is averaged over its tokens first, the convention of the TRL library; the
    target 1/(2 tau) is then per token, so the same tau means a much larger move.

    Args:
        chosen_log_ratio: (...) f of the chosen response, summed over tokens, nats.
        rejected_log_ratio: (...) f of the rejected response, summed over tokens, nats.
        temperature: tau > 0, broadcastable.
        preference: probability in [0, 1] that the first response wins, broadcastable.
        chosen_lengths: tokens of the chosen response; give both lengths or neither.
        rejected_lengths: tokens of the rejected response.

    Returns:
        (...) loss per pair, squared nats (per token squared with lengths).

    Raises:
        InvalidSetting: if ``temperature`` is not positive and finite, ``preference`` outside
            [0, 1], only one of the lengths is given, or a length is not positive.
    """
    if (chosen_lengths is None) != (rejected_lengths is None):
        raise InvalidSetting("ipo_loss: give both chosen_lengths and rejected_lengths, or neither")
    if chosen_lengths is not None and rejected_lengths is not None:
        chosen_log_ratio = length_normalized(chosen_log_ratio, chosen_lengths)
        rejected_log_ratio = length_normalized(rejected_log_ratio, rejected_lengths)
    margin = pair_margin(chosen_log_ratio, rejected_log_ratio)
    tau = setting("ipo_loss", "temperature", temperature, like=margin, above=0.0)
    return squared_pair_loss(margin, step_size=1.0 / tau, preference=preference)


def r_dpo_loss(
    margin: Tensor,
    *,
    scale: Number,
    length_penalty: Number,
    chosen_lengths: Number,
    rejected_lengths: Number,
    preference: Number = 1.0,
) -> Tensor:
    """R-DPO: DPO for the reward less ``length_penalty`` per token.

    ``-log sigma(scale f + length_penalty (|y| - |y'|))`` (2403.19159). The sign follows
    from the policy being optimal for r(y) - length_penalty |y|, so that r = scale f +
    length_penalty |y|: a longer winner is already partly explained by its length.

    Args:
        margin: (...) f(y) - f(y'), nats.
        scale: beta > 0, broadcastable.
        length_penalty: the paper's alpha, reward per token, finite; negative rewards length.
        chosen_lengths: tokens of the first response, broadcastable.
        rejected_lengths: tokens of the second response, broadcastable.
        preference: probability in [0, 1] that the first response wins, broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if an argument is outside its range or a length is not positive.
    """
    margin = upcast(margin)
    where = "r_dpo_loss"
    beta = setting(where, "scale", scale, like=margin, above=0.0)
    penalty = setting(where, "length_penalty", length_penalty, like=margin)
    longer = setting(where, "chosen_lengths", chosen_lengths, like=margin, above=0.0) - setting(
        where, "rejected_lengths", rejected_lengths, like=margin, above=0.0
    )
    return logistic_pair_loss(beta * margin + penalty * longer, scale=1.0, preference=preference)


def gshf_loss(
    margin: Tensor, *, scale: Number, uncertainty_gap: Number, preference: Number = 1.0
) -> Tensor:
    """Offline GSHF: DPO for the pessimistic reward r(y) - Gamma(y).

    ``-log sigma(scale f + Gamma(y) - Gamma(y'))`` (2312.11456): the policy is optimal for
    r - Gamma, so r = scale f + Gamma, by the argument of `r_dpo_loss`. The first version of
    MNPO's table prints the gap outside the logarithm, where it would have no gradient.

    Args:
        margin: (...) f(y) - f(y'), nats.
        scale: beta > 0 (the paper's eta), broadcastable.
        uncertainty_gap: Gamma(y) - Gamma(y'), in units of reward, broadcastable.
        preference: probability in [0, 1] that the first response wins, broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if an argument is outside its range.
    """
    margin = upcast(margin)
    beta = setting("gshf_loss", "scale", scale, like=margin, above=0.0)
    gap = setting("gshf_loss", "uncertainty_gap", uncertainty_gap, like=margin)
    return logistic_pair_loss(beta * margin + gap, scale=1.0, preference=preference)


def distill_dpo_loss(margin: Tensor, *, scale: Number, reward_gap: Number) -> Tensor:
    """Distill-DPO: regress the implicit reward gap on an explicit one, ``(scale f - gap)^2``.

    Reward-model distillation (2405.19316). The minimiser is the KL-regularised optimum, ref
    exp(r / scale), for any pair distribution that connects the responses. MNPO's Table 9 has
    scale = 1; its Table 1 writes the target as infinite, which has no minimiser.

    Args:
        margin: (...) f(y) - f(y'), nats.
        scale: beta > 0, broadcastable.
        reward_gap: r(y) - r(y') of the reward model, finite, broadcastable.

    Returns:
        (...) loss per pair, squared units of reward.

    Raises:
        InvalidSetting: if ``scale`` is not positive and finite, or a gap is not finite.
    """
    margin = upcast(margin)
    beta = setting("distill_dpo_loss", "scale", scale, like=margin, above=0.0)
    gap = setting("distill_dpo_loss", "reward_gap", reward_gap, like=margin)
    return squared_target_loss(beta * margin, target=gap)


def f_divergence_score(
    log_ratio: Tensor, *, divergence: Divergence = "reverse-kl", alpha: float = 0.5
) -> Tensor:
    """Implicit reward f'(u) of an f-divergence at u = pi / pi_ref, up to a constant.

    (2309.16240, Table 1.) reverse-kl: log u. forward-kl: 1 - 1/u. jensen-shannon: log(2u / (1 +
    u)). alpha: (1 - u^-alpha) / alpha, which is reverse-kl as alpha -> 0 and forward-kl at 1. The
    constants are chosen so that every score is 0 with slope 1 (1/2 for Jensen-Shannon) at u = 1.

    Where u^-alpha would overflow (exponent above 60 in float32, 600 in float64) it continues
    along its tangent, so that a hopeless response keeps a finite score and a finite, strong
    gradient.

    Args:
        log_ratio: (...) log u, nats.
        divergence: one of the four names.
        alpha: in [0, 1]; read by "alpha" only.

    Returns:
        (...) the score.

    Raises:
        InvalidSetting: for an unknown divergence, or alpha outside [0, 1].
    """
    log_ratio = upcast(log_ratio)
    if divergence == "reverse-kl":
        return log_ratio
    if divergence == "jensen-shannon":
        return F.logsigmoid(log_ratio) + math.log(2.0)
    if divergence == "forward-kl":
        return -_expm1(-log_ratio)
    if divergence == "alpha":
        if not 0.0 <= alpha <= 1.0:
            raise InvalidSetting(
                f"f_divergence_score: alpha must be between 0 and 1, got {alpha:g}"
            )
        return log_ratio if alpha == 0.0 else -_expm1(-alpha * log_ratio) / alpha
    raise InvalidSetting(
        f"f_divergence_score: no divergence '{divergence}'"
        f"{suggest(divergence, get_args(Divergence))}"
    )


def f_dpo_loss(
    chosen_log_ratio: Tensor,
    rejected_log_ratio: Tensor,
    *,
    scale: Number,
    divergence: Divergence = "reverse-kl",
    alpha: float = 0.5,
    preference: Number = 1.0,
) -> Tensor:
    """f-DPO: DPO under another divergence from the reference than the reverse KL.

    ``-log sigma(scale (f'(u) - f'(u')))`` with u = pi / pi_ref (2309.16240, Theorem 1 and
    Table 1); reverse-kl is DPO. It depends on both log-ratios, not only on their margin.

    Args:
        chosen_log_ratio: (...) log pi(y) - log pi_ref(y) of the first response, nats.
        rejected_log_ratio: (...) of the second response, nats.
        scale: beta > 0, broadcastable.
        divergence: "reverse-kl", "forward-kl", "jensen-shannon" or "alpha".
        alpha: in [0, 1], for the alpha divergence; see `f_divergence_score`.
        preference: probability in [0, 1] that the first response wins, broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: for an unknown divergence or an argument outside its range.
    """
    margin = pair_margin(
        f_divergence_score(chosen_log_ratio, divergence=divergence, alpha=alpha),
        f_divergence_score(rejected_log_ratio, divergence=divergence, alpha=alpha),
    )
    return logistic_pair_loss(margin, scale=scale, preference=preference)


def mio_loss(chosen_log_ratio: Tensor, rejected_log_ratio: Tensor) -> Tensor:
    """MIO: Jensen-Shannon mutual information of the pair.

    ``log(1 + 1/u) + log(1 + u)/2 + log(1 + u')/2`` with u = pi / pi_ref (2506.22578, in the form
    of MNPO's Table 9). The chosen term has its minimum at log u = log 2, so the chosen response is
    not pushed up without end; the rejected one is pushed down without end. The same formula is
    NCA's pair loss (2402.05369) at temperature 1.

    Args:
        chosen_log_ratio: (...) log u of the chosen response, nats.
        rejected_log_ratio: (...) log u' of the rejected response, nats.

    Returns:
        (...) loss per pair, nats.
    """
    chosen, rejected = upcast(chosen_log_ratio), upcast(rejected_log_ratio)
    pushed_up = -F.logsigmoid(chosen) - 0.5 * F.logsigmoid(-chosen)
    return pushed_up - 0.5 * F.logsigmoid(-rejected)


def _expm1(exponent: Tensor) -> Tensor:
    """exp(x) - 1, continued along its tangent above the largest safe exponent."""
    safe = 600.0 if exponent.dtype == torch.float64 else 60.0
    tangent = math.expm1(safe) + math.exp(safe) * (exponent.clamp(min=safe) - safe)
    return torch.where(exponent <= safe, torch.expm1(exponent.clamp(max=safe)), tangent)
