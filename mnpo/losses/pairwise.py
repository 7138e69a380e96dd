"""Losses of a pair of responses that act on the margin f(y) - f(y').

Each is one distance D between the margin and a target, in MNPO's words (arXiv 2509.23102, Eq. 17);
the anchors that define f make the method. The first response of a pair is the chosen one when
``preference`` is 1; any other value in [0, 1] is the probability of that label, and the loss is
then the mean over labels. No loss reduces: the result has the broadcast shape of its arguments,
in nats (squared nats for the squared distances).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mnpo.losses.values import Number, expected, setting, upcast

#: exp(-1000) is 0 in float64: a Bernoulli with this logit is deterministic to the last bit, and
#: putting it in the place of a larger target changes nothing but inf - inf.
_CERTAIN = 1e3


def squared_pair_loss(margin: Tensor, *, step_size: Number, preference: Number = 1.0) -> Tensor:
    """Squared distance of the labelled margin to ``c = step_size / 2``.

    ``p (f - c)^2 + (1 - p) (f + c)^2``. With pairs drawn independently from mu and labels from
    the preference P, the population minimiser is f(y) = step_size * (P mu)(y) + const: alpha = 2c
    is the step on the log-odds per unit of win probability against the *sampling* distribution.

    The papers write the target c in different letters. IPO (2310.12036, Eq. 17): 1/(2 tau), so
    alpha = 1/tau. INPO (2407.00617, Eq. 8): 1/(2 eta), alpha = 1/eta. ONPO (2502.16852): eta/2,
    alpha = eta. MNPO (2509.23102) needs eta/2 for its Eq. 15 to agree with Eq. 10 and 14, but
    prints 1/(2 eta), which is alpha = 1/eta; both are a value of ``step_size`` here.

    Args:
        margin: (...) f(y) - f(y'), nats.
        step_size: alpha >= 0, broadcastable.
        preference: probability in [0, 1] that the first response wins, broadcastable.

    Returns:
        (...) loss per pair, squared nats.

    Raises:
        InvalidSetting: if ``step_size`` is negative or not finite, or ``preference`` outside
            [0, 1].
    """
    margin = upcast(margin)
    where = "squared_pair_loss"
    target = setting(where, "step_size", step_size, like=margin, at_least=0.0) / 2.0
    label = _preference(where, preference, margin)
    return expected(label, (margin - target) ** 2, (margin + target) ** 2)


def squared_target_loss(margin: Tensor, *, target: Number) -> Tensor:
    """Squared distance of the margin to a known target, ``(f - target)^2``; no label.

    The target is a gap that is known rather than labelled: eta * (P(y > opponents) - P(y' >
    opponents)) is MNPO's Eq. 14 (INPO's Eq. 7 with 1/eta), eta * (r(y) - r(y')) is Eq. 16 and 17
    with a reward model (the squared distance of RPO, 2502.00203).

    Args:
        margin: (...) f(y) - f(y'), nats.
        target: the gap, nats, broadcastable; finite.

    Returns:
        (...) loss per pair, squared nats.

    Raises:
        InvalidSetting: if a target is not finite. MNPO's Table 1 pairs this distance with an
            infinite target (Distill-DPO), which has no minimiser.
    """
    margin = upcast(margin)
    return (margin - setting("squared_target_loss", "target", target, like=margin)) ** 2


def logistic_pair_loss(margin: Tensor, *, scale: Number, preference: Number = 1.0) -> Tensor:
    """Logistic loss of the label, ``-p log sigma(scale f) - (1 - p) log sigma(-scale f)``.

    DPO (2305.18290, Eq. 7) with scale = beta. Label smoothing by eps is preference = 1 - eps. The
    minimiser is the Bradley-Terry projection of the labels divided by ``scale``; hard labels that
    are separable drive the margin to infinity.

    Args:
        margin: (...) f(y) - f(y'), nats.
        scale: beta > 0, broadcastable.
        preference: probability in [0, 1] that the first response wins, broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if ``scale`` is not positive and finite, or ``preference`` outside [0, 1].
    """
    margin = upcast(margin)
    where = "logistic_pair_loss"
    logit = margin * setting(where, "scale", scale, like=margin, above=0.0)
    label = _preference(where, preference, margin)
    return expected(label, -F.logsigmoid(logit), -F.logsigmoid(-logit))


def dno_loss(margin: Tensor, *, scale: Number, win_rate_gap: Number) -> Tensor:
    """DNO: logistic loss with the soft label ``sigma(r(y) - r(y'))``, r(y) = P(y > pi_t).

    Direct Nash Optimization (2404.03715), Algorithm 1. The regression is realisable, so for any
    pair distribution of full support the minimiser is f = (P mu) / scale + const: one step of
    multiplicative weights with alpha = 1/scale. With hard labels instead (DNO-Prct) the same loss
    is iterative DPO, and that identity is lost.

    Args:
        margin: (...) f(y) - f(y') with f = log pi - log pi_t, nats.
        scale: the paper's eta > 0, an inverse step; broadcastable.
        win_rate_gap: r(y) - r(y') in [-1, 1], broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if ``scale`` is not positive and finite, or a gap is outside [-1, 1].
    """
    margin = upcast(margin)
    gap = setting("dno_loss", "win_rate_gap", win_rate_gap, like=margin, at_least=-1.0, at_most=1.0)
    label = torch.sigmoid(_tensor(gap, margin))
    return logistic_pair_loss(margin, scale=scale, preference=label)


def backward_kl_pair_loss(
    margin: Tensor, *, target: Number, scale: Number = 1.0, preference: Number = 1.0
) -> Tensor:
    """Backward Bernoulli divergence ``KL(Bern(sigma(target)) || Bern(sigma(scale f)))``.

    D_bwd of MNPO (2509.23102, Table 1) and RPO (2502.00203). The gradient in f is scale *
    (sigma(scale f) - sigma(target)), so the minimiser is f = target / scale. For target -> inf it
    is `logistic_pair_loss`, from which it differs by H(sigma(target)) - scale f sigma(-target).

    Args:
        margin: (...) f(y) - f(y'), nats.
        target: gap that the first response should have, nats, broadcastable; may be infinite.
        scale: beta > 0, broadcastable.
        preference: probability in [0, 1] that the target belongs to the first response rather
            than to the second, broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if a target is NaN, ``scale`` is not positive and finite, or
            ``preference`` outside [0, 1].
    """
    margin = upcast(margin)
    where = "backward_kl_pair_loss"
    aim = _tensor(setting(where, "target", target, like=margin, finite=False), margin)
    aim = aim.clamp(-_CERTAIN, _CERTAIN)
    logit = margin * setting(where, "scale", scale, like=margin, above=0.0)
    label = _preference(where, preference, margin)
    return expected(label, _bernoulli_kl(aim, logit), _bernoulli_kl(aim, -logit))


def forward_kl_pair_loss(
    margin: Tensor, *, target: Number, scale: Number = 1.0, preference: Number = 1.0
) -> Tensor:
    """Forward Bernoulli divergence ``KL(Bern(sigma(scale f)) || Bern(sigma(target)))``.

    RPO's third distance (2502.00203), and with target = logit(1 - eps) the pairwise EXO loss
    (2402.00856, Eq. 16). Its gradient scale * sigma(z) sigma(-z) (z - target), z = scale f, has
    the same zero as the backward one but vanishes for large |z|: it is not convex, and a pair
    that starts far on the wrong side is not corrected. There is no limit for an infinite target:
    the loss grows like target * sigma(-z).

    Args:
        margin: (...) f(y) - f(y'), nats.
        target: gap that the first response should have, nats, broadcastable; finite.
        scale: beta > 0, broadcastable.
        preference: probability in [0, 1] that the target belongs to the first response rather
            than to the second, broadcastable.

    Returns:
        (...) loss per pair, nats.

    Raises:
        InvalidSetting: if a target is not finite, ``scale`` is not positive and finite, or
            ``preference`` outside [0, 1].
    """
    margin = upcast(margin)
    where = "forward_kl_pair_loss"
    hint = "; the divergence grows without bound with it, backward_kl_pair_loss has the limit"
    aim = _tensor(setting(where, "target", target, like=margin, hint=hint), margin)
    logit = margin * setting(where, "scale", scale, like=margin, above=0.0)
    label = _preference(where, preference, margin)
    return expected(label, _bernoulli_kl(logit, aim), _bernoulli_kl(-logit, aim))


def _preference(where: str, preference: Number, like: Tensor) -> Number:
    return setting(where, "preference", preference, like=like, at_least=0.0, at_most=1.0)


def _tensor(number: Number, like: Tensor) -> Tensor:
    return torch.as_tensor(number, dtype=like.dtype, device=like.device)


def _bernoulli_kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(Bern(sigma(p)) || Bern(sigma(q))) from logits; 0 * log 0 = 0 falls out of underflow."""
    wins = torch.sigmoid(p) * (F.logsigmoid(p) - F.logsigmoid(q))
    return wins + torch.sigmoid(-p) * (F.logsigmoid(-p) - F.logsigmoid(-q))
