"""From log-probabilities to the log-ratios and margins that the losses act on.

The common convention: with anchors pi_j and weights lambda_j, the log-ratio of a response is

    f(y) = log pi(y) - sum_j lambda_j log pi_j(y)

and the margin of a pair is f(y) - f(y'), both in nats and both summed over the tokens of a
response unless they were length-normalised. A constant added to f drops out of the margin, so no
partition function is ever needed. On a table of K actions all K*K margins are
``margin(f[..., :, None], f[..., None, :])``.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mnpo.errors import InvalidSetting
from mnpo.losses.values import Number, finite_log_probs, setting, upcast


def anchor_log_probs(log_probs: Tensor, weights: Tensor | Sequence[float]) -> Tensor:
    """Weighted sum of the anchors' log-probabilities, ``sum_j weights_j log_probs_j``.

    Args:
        log_probs: (A, ...) log-probability of each response under each of A anchors, nats.
        weights: (A,) one weight per anchor, or a tensor that broadcasts to ``log_probs`` (a
            weight per anchor and response). Any finite numbers: a sum other than one changes the
            effective reference, negative weights extrapolate (optimistic methods). An anchor
            of weight zero is left out, whatever its log-probabilities.

    Returns:
        (...) log of the unnormalised geometric mixture, nats; the anchor term of Eq. 12, 15, 17
        and 20 of MNPO (arXiv 2509.23102).

    Raises:
        InvalidSetting: if the shapes do not fit, a weight is not finite, or an anchor with a
            weight gives some response probability zero.
    """
    log_probs = upcast(log_probs)
    if log_probs.ndim == 0:
        raise InvalidSetting(
            "anchor_log_probs: log_probs needs a leading axis, one entry an anchor"
        )
    if not isinstance(weights, Tensor):
        weights = torch.tensor(list(weights), dtype=log_probs.dtype, device=log_probs.device)
    checked = setting("anchor_log_probs", "weights", weights, like=log_probs)
    assert isinstance(checked, Tensor)
    if checked.ndim == 1:
        if checked.shape[0] != log_probs.shape[0]:
            raise InvalidSetting(
                f"anchor_log_probs: {checked.shape[0]} weights for {log_probs.shape[0]} anchors; "
                "give one weight per anchor"
            )
        checked = checked.reshape(-1, *[1] * (log_probs.ndim - 1))
    try:
        checked = checked.expand(log_probs.shape)
    except RuntimeError:
        raise InvalidSetting(
            f"anchor_log_probs: weights of shape {tuple(checked.shape)} do not broadcast to "
            f"log_probs of shape {tuple(log_probs.shape)}"
        ) from None
    used = torch.where(checked == 0, torch.zeros_like(log_probs), log_probs)
    return (checked * finite_log_probs("anchor_log_probs", "log_probs", used)).sum(dim=0)


def log_ratio(policy_log_probs: Tensor, anchor_log_probs: Tensor) -> Tensor:
    """Log-ratio of the policy to its anchor, ``f(y)``.

    Args:
        policy_log_probs: (...) log pi(y), nats; the gradient flows through it.
        anchor_log_probs: (...) the anchor term, from `anchor_log_probs` or a single policy's
            log-probabilities, nats.

    Returns:
        (...) their difference, nats, at least float32.

    Raises:
        InvalidSetting: if a log-probability is NaN or infinite.
    """
    policy = finite_log_probs("log_ratio", "policy_log_probs", policy_log_probs)
    return policy - finite_log_probs("log_ratio", "anchor_log_probs", anchor_log_probs)


def margin(chosen_log_ratio: Tensor, rejected_log_ratio: Tensor) -> Tensor:
    """Margin of a pair, ``f(y) - f(y')``: how much the policy has moved towards the first.

    Args:
        chosen_log_ratio: (...) log-ratio of the first (chosen) response, nats.
        rejected_log_ratio: (...) log-ratio of the second (rejected) response, nats.

    Returns:
        (...) the margin, nats; MNPO's h_t(pi, y, y') (Eq. 12).
    """
    return upcast(chosen_log_ratio) - upcast(rejected_log_ratio)


def length_normalized(log_probs: Tensor, lengths: Number) -> Tensor:
    """Average log-probability per token, ``log_probs / lengths``.

    Args:
        log_probs: (...) log-probabilities, or log-ratios, summed over the response, nats.
        lengths: number of tokens that were summed, broadcastable.

    Returns:
        (...) nats per token.

    Raises:
        InvalidSetting: if a length is zero or negative: a completion emptied by truncation has no
            average, and has to be dropped before the loss.
    """
    log_probs = upcast(log_probs)
    return log_probs / setting("length_normalized", "lengths", lengths, like=log_probs, above=0.0)
