"""Reading the arguments of a loss: dtypes and ranges, in one place.

Two rules hold for every loss. Half-precision tensors (float16, bfloat16) are upcast to float32
before anything is subtracted, because a log-probability of a whole completion is of the order of
hundreds of nats and a margin of the order of one; float32 and float64 stay as they are. Settings
and labels are checked by value, on any device, which reads one boolean back from an accelerator;
inside ``torch.compile`` the check is left out, because it would break the graph.
"""

import math
from typing import TypeAlias

import torch
from torch import Tensor

from mnpo.errors import InvalidSetting

#: A hyper-parameter or label: one number, or a tensor that broadcasts against the margin.
Number: TypeAlias = float | Tensor


def upcast(tensor: Tensor) -> Tensor:
    """The tensor in float32 if it is of half precision, else as it is."""
    if tensor.dtype in (torch.float16, torch.bfloat16):
        return tensor.float()
    return tensor


def setting(
    where: str,
    name: str,
    value: Number,
    *,
    like: Tensor,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    finite: bool = True,
    hint: str = "",
) -> Number:
    """Check one hyper-parameter or label; give it a floating dtype that suits ``like``.

    Args:
        where: the loss, for the message.
        name: the argument, for the message.
        value: a number or a tensor; integers and booleans become ``like``'s dtype.
        like: the tensor that the value will meet.
        at_least: smallest value allowed.
        above: every value must be greater than this.
        at_most: largest value allowed.
        finite: whether infinities are refused; NaN always is.
        hint: end of the message, what to do instead.

    Raises:
        InvalidSetting: if any value is outside its range.
    """
    if isinstance(value, Tensor):
        tensor = upcast(value if value.is_floating_point() else value.to(like.dtype))
        if not torch.compiler.is_compiling():
            # Below torch.func's wrappers, so that vmap over a loss works.
            plain = torch.func.debug_unwrap(tensor.detach())
            good = (
                (plain >= at_least) & (plain <= at_most) & ((plain > above) | (above == -math.inf))
            )
            if finite:
                good &= plain.isfinite()
            if not bool(good.all()):
                rule = _rule(at_least, above, at_most, finite)
                got = float(plain[~good].flatten()[0])
                raise InvalidSetting(f"{where}: {name} must be {rule}, got {got:g}{hint}")
        return tensor
    number = float(value)
    inside = at_least <= number <= at_most and (number > above or above == -math.inf)
    if not inside or (finite and not math.isfinite(number)):
        rule = _rule(at_least, above, at_most, finite)
        raise InvalidSetting(f"{where}: {name} must be {rule}, got {number:g}{hint}")
    return number


def finite_log_probs(where: str, name: str, log_probs: Tensor) -> Tensor:
    """Upcast log-probabilities, refusing NaN and infinities.

    Raises:
        InvalidSetting: if any is not finite. A response of probability zero has no log-ratio; it
            could not have been sampled, so the response and the policy do not belong together.
    """
    log_probs = upcast(log_probs)
    if not torch.compiler.is_compiling():
        good = torch.func.debug_unwrap(log_probs.detach()).isfinite()
        if not bool(good.all()):
            raise InvalidSetting(
                f"{where}: {name} holds {int((~good).sum())} of {good.numel()} values that are NaN "
                "or infinite; every response must have a probability above 0"
            )
    return log_probs


def expected(preference: Number, chosen: Tensor, flipped: Tensor) -> Tensor:
    """Mean of a loss over the label: ``p * loss(label right) + (1 - p) * loss(label flipped)``."""
    if not isinstance(preference, Tensor) and preference == 1.0:
        return chosen  # the hard label, without 0 * inf if the flipped loss overflows
    return preference * chosen + (1.0 - preference) * flipped


def _rule(at_least: float, above: float, at_most: float, finite: bool) -> str:
    """The range in words."""
    parts = []
    if above > -math.inf:
        parts.append(f"above {above:g}")
    elif at_least > -math.inf and at_most == math.inf:
        parts.append(f"at least {at_least:g}")
    if at_most < math.inf:
        low = "" if above > -math.inf else f"between {at_least:g} and "
        parts.append(f"{low}{at_most:g}" if low else f"at most {at_most:g}")
    elif finite:
        parts.append("finite")
    return " and ".join(parts) or "a number"
