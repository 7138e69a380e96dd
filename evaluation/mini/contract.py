"""What a judge's answer is worth: the points of the answer that was shown first."""

import math
from collections.abc import Mapping

from mnpo.judging.calls import InvalidReply, Reply
from mnpo.training.oracles.verdicts import INSTRUCTIONS, read_verdict

POINTS = {"A": 1.0, "tie": 0.5, "B": 0.0}
#: How the judge is told to answer.
INSTRUCTION = INSTRUCTIONS["tag"]


class PointsContract:
    """The points of the answer shown first, in [0, 1].

    A judge that writes gives 1, 0 or 1/2 by the ``<verdict>`` tag in the last line of its reply;
    tags that contradict one another, as when it quotes an answer that imitates them, are no
    verdict. A judge that scores
    gives P(A) + P(tie) / 2 over the three choices, and an oracle its P(first beats second).
    """

    name = "mini/points@1"
    choices = tuple(POINTS)
    lead = "<verdict>"

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
        last = reply.text.rstrip().rpartition("\n")[2]
        read_verdict(last, "tag")  # one that is quoted further up only is not the judge's
        return POINTS[read_verdict(reply.text, "tag")]


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
