"""The forms in which a judge of MT-Bench must answer."""

from evaluation.mt_bench.rating import (
    HIGHEST,
    LOWEST,
    VERDICTS,
    in_range,
    rating_in,
    verdicts_in,
)
from mnpo.judging.calls import InvalidReply, Reply


class RatingContract:
    """A rating from 1 to 10, read by the official rule.

    A rating outside that range is no answer to what was asked. A judge that scores the ten ratings
    instead of writing gives the likeliest one.
    """

    name = "mt-bench/rating@1"
    choices = tuple(f"[[{rating}]]" for rating in range(LOWEST, HIGHEST + 1))
    lead = "Rating: "

    def read(self, reply: Reply) -> float:
        """The rating; int where it is whole.

        Raises:
            InvalidReply: there is none, or it is outside 1 to 10.
        """
        if reply.choices is not None:
            return self.choices.index(_likeliest(reply, self.choices)) + LOWEST
        if reply.preference is not None:
            raise InvalidReply("a preference is no rating of one answer")
        rating = rating_in(reply.text)
        if rating is None:
            raise InvalidReply("no rating like [[5]]")
        if not in_range(rating):
            raise InvalidReply(f"the rating {rating:g} is outside {LOWEST} to {HIGHEST}")
        return rating


class VerdictContract:
    """[[A]], [[B]] or [[C]] for a tie.

    Two different verdicts in one reply are none: the official code would take A before B before C,
    whichever the judge meant.
    """

    name = "mt-bench/verdict@1"
    choices = tuple(f"[[{verdict}]]" for verdict in VERDICTS)
    lead = "My final verdict is: "

    def read(self, reply: Reply) -> str:
        """A, B or C.

        Raises:
            InvalidReply: there is no verdict, or more than one.
        """
        if reply.choices is not None:
            return _likeliest(reply, self.choices)[2]
        if reply.preference is not None:
            return "C" if reply.preference == 0.5 else "A" if reply.preference > 0.5 else "B"
        found = verdicts_in(reply.text)
        if not found:
            raise InvalidReply("no verdict: neither [[A]] nor [[B]] nor [[C]]")
        if len(found) > 1:
            raise InvalidReply(f"several verdicts: {', '.join(found)}")
        return found[0]


def _likeliest(reply: Reply, choices: tuple[str, ...]) -> str:
    scored = reply.choices or {}
    absent = [choice for choice in choices if choice not in scored]
    if absent:
        raise InvalidReply(f"no log-probability of {absent[0]}")
    return max(choices, key=lambda choice: scored[choice])
