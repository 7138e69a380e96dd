"""A batch of policies, held as normalised log-probabilities and probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Log-probabilities end here: far below anything a method can tell from zero, and far enough from
#: the end of floats that a run that grows without bound stays finite, and can be seen to diverge.
_FLOOR = -1e100


@dataclass(frozen=True, eq=False)
class Policies:
    """Policies in columns: ``log`` (K, B), normalised, and ``probabilities`` (K, B)."""

    log: Array
    probabilities: Array


def normalize(logits: Array) -> Policies:
    """The softmax of unnormalised log-probabilities (K, B); overwrites ``logits``.

    Always in the log domain: unregularised iterates reach probabilities of e^-200 and below.
    """
    logits -= np.maximum.reduce(logits, axis=0)
    np.maximum(logits, _FLOOR, out=logits)
    probabilities = np.exp(logits)
    total = np.add.reduce(probabilities, axis=0)
    probabilities /= total
    logits -= np.log(total)
    return Policies(logits, probabilities)
