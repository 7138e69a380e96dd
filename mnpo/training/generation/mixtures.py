"""Checking the mixtures that backends are asked to open."""

import math

from mnpo.errors import InvalidSetting
from mnpo.training.generation.base import Mixture
from mnpo.training.models.policy import PolicyCheckpoint


def merged(mixture: Mixture) -> Mixture:
    """The same mixture without needless entries.

    Entries of weight 0 go, and entries with one hash become one: the geometric mixture of a policy
    with itself is that policy (Nash-MD's first iteration, where it still equals the reference).

    Raises:
        InvalidSetting: a weight below 0, or weights that do not sum to one.
    """
    weights = [weight for _, weight in mixture]
    if not all(weight >= 0 for weight in weights) or not math.isclose(
        math.fsum(weights), 1, abs_tol=1e-6
    ):
        raise InvalidSetting(
            f"weights of a mixture of policies must be at least 0 and sum to one, got {weights}"
        )
    first: dict[str, PolicyCheckpoint] = {}
    total: dict[str, float] = {}
    for policy, weight in mixture:
        if weight > 0:
            first.setdefault(policy.sha256, policy)
            total[policy.sha256] = total.get(policy.sha256, 0) + weight
    if len(first) == 1:
        return ((next(iter(first.values())), 1.0),)
    return tuple((policy, total[sha256]) for sha256, policy in first.items())


def only_policy(mixture: Mixture, backend: str) -> PolicyCheckpoint:
    """The policy of a mixture of one.

    Args:
        mixture: to open.
        backend: what ``sampling.backend`` is, for the message.

    Raises:
        InvalidSetting: it mixes different policies, which only the transformers backend can do.
    """
    parts = merged(mixture)
    if len(parts) > 1:
        raise InvalidSetting(
            f"sampling.backend {backend} cannot sample from a geometric mixture of "
            f"{len(parts)} policies; use the transformers backend for this method"
        )
    return parts[0][0]
