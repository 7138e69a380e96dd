"""The form in which a judge of a cross-play must answer."""

import re
from math import exp

from mnpo.judging.calls import InvalidReply, Reply

_TAG = re.compile(r"<verdict>(.*?)</verdict>", re.DOTALL | re.IGNORECASE)
_VALUES = {"a": 1.0, "tie": 0.5, "b": 0.0}


class PreferenceVerdict:
    """Verdict tags that all say the same; the value is P(first answer shown beats the second).

    A judge that writes gives 1, 1/2 (it says tie) or 0; one that scores the choices the share of
    the first; an oracle its own probability.
    """

    name = "cross-play/verdict@1"
    choices: tuple[str, ...] = ("A", "B")
    lead = "<verdict>"

    def read(self, reply: Reply) -> float:
        """The value, in [0, 1].

        Raises:
            InvalidReply: no tag, tags that contradict one another, an unknown verdict, or a number
                that is no probability.
        """
        if reply.preference is not None:
            return _probability(reply.preference)
        if reply.choices is not None:
            return self._share(reply)
        found = {verdict.strip().lower() for verdict in _TAG.findall(reply.text)}
        if not found:
            raise InvalidReply("it has no <verdict> tag")
        if len(found) > 1:
            raise InvalidReply("its <verdict> tags contradict one another")
        verdict = found.pop()
        if verdict not in _VALUES:
            raise InvalidReply(f"verdict {verdict[:40]!r} is none of A, B, tie")
        return _VALUES[verdict]

    def _share(self, reply: Reply) -> float:
        assert reply.choices is not None
        try:
            first, second = (reply.choices[choice] for choice in self.choices)
        except KeyError as missing:
            raise InvalidReply(f"choice {missing} was not scored") from None
        if first == second:
            return 0.5  # also where both are impossible, -inf
        gap = second - first
        return _probability(0.0 if gap > 700 else 1 / (1 + exp(gap)))  # NaN stays NaN


def _probability(value: float) -> float:
    if not 0 <= value <= 1:  # NaN fails
        raise InvalidReply(f"{value!r} is no probability")
    return float(value)
