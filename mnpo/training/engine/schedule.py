"""Learning-rate schedules over the steps of one iteration."""

import math
from typing import Literal

Schedule = Literal["cosine", "linear", "constant"]


def rate_factor(step: int, steps: int, *, schedule: Schedule, warmup_steps: int) -> float:
    """The learning rate of a step as a share of its peak.

    It rises linearly to the peak, which it has in the last step of the warm-up, and then falls
    towards zero (or stays). No step has a rate of zero: an iteration may consist of very few
    steps, and transformers' schedules, which start at zero, would waste the first, or the only
    one.

    Args:
        step: 0, 1, ..., steps - 1; what lies beyond has the factor 0 (constant: 1).
        steps: of the iteration.
        schedule: what follows the warm-up.
        warmup_steps: 0 for none.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    done = min((step - warmup_steps) / max(steps - warmup_steps, 1), 1.0)
    return 1.0 - done if schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
