"""What a comparison of two answers is worth: the points of the answer that was shown first."""

import math
from collections.abc import Mapping

from mnpo.judging.calls import InvalidReply, Reply
from mnpo.judging.verdict_tag import LEAD, read_tag

POINTS = {"A": 1.0, "tie": 0.5, "B": 0.0}


class PointsContract:
    """The points of the answer shown first, in [0, 1].

    A judge that writes gives 1, 0 or 1/2 by the ``<verdict>`` tag in the last line of its reply
    (see `mnpo.judging.verdict_tag`). A judge that scores gives P(A) + P(tie) / 2 over the three
    choices, and an oracle its P(first beats second).
    """

    name = "points@2"
    choices: tuple[str, ...] = tuple(POINTS)
    lead = LEAD

    def read(self, reply: Reply) -> float:
        """The points.

        Raises:
            InvalidReply: no verdict, another one, or a number that is no probability.
        """
        if reply.preference is not None:
            if not 0 <= reply.preference <= 1:  # NaN fails too
                raise InvalidReply(f"the preference {reply.preference} is no probability")
            return float(reply.preference)
        if reply.choices is not None:
            return _expected(reply.choices)
        if reply.unusable:
            raise InvalidReply(reply.unusable)
        return POINTS[read_tag(reply.text)]


def _expected(choices: Mapping[str, float]) -> float:
    """Mean points under the choices' probabilities, which need not sum to one."""
    try:
        logs = [choices[name] for name in POINTS]
    except KeyError as error:
        raise InvalidReply(f"there is no log-probability of {error}") from None
    top = max(logs)
    if any(math.isnan(x) or x == math.inf for x in logs) or top == -math.inf:
        raise InvalidReply(f"the log-probabilities {logs} are none")
    weights = [math.exp(x - top) for x in logs]
    points = sum(w * p for w, p in zip(weights, POINTS.values(), strict=True)) / sum(weights)
    return min(max(points, 0.0), 1.0)
