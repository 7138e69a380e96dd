"""What asking will cost and how long it will take, before anybody is asked."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mnpo.judging.budget import Price, bound
from mnpo.judging.cache import AnswerCache
from mnpo.judging.calls import Call, Judge
from mnpo.judging.keys import Keys

#: English text and common tokenizers: about four bytes to a token.
BYTES_PER_TOKEN = 4
#: Seconds of one call where no answer of this judge is stored and nobody names another figure.
ASSUMED_SECONDS = 2.0


@dataclass(frozen=True)
class Estimate:
    """Of one list of calls to one judge, without repetitions after faults or invalid replies.

    Attributes:
        calls: in the list; identical ones count each, though they are asked once.
        cached: that have an answer already.
        prompt_tokens: of the others, a fourth of the messages' bytes.
        completion_tokens: of the others: the mean of this judge's stored answers where there are
            any, else each call's own limit; None where there is neither.
        prompt_bound, completion_bound: the most that they can take; None without a limit.
        cost, cost_bound: dollars of the two; None without a price or a limit.
        seconds: at the given concurrency.
        per_call: seconds of one call that this rests on, and whether they were measured.
    """

    calls: int
    cached: int
    prompt_tokens: int
    completion_tokens: int | None
    prompt_bound: int
    completion_bound: int | None
    cost: float | None
    cost_bound: float | None
    seconds: float
    per_call: float
    measured: bool

    @property
    def asked(self) -> int:
        """Calls without an answer."""
        return self.calls - self.cached

    def json(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(vars(self))

    def lines(self) -> list[str]:
        """A few lines for people."""
        replies = "?" if self.completion_tokens is None else f"{self.completion_tokens:,}"
        source = "measured" if self.measured else "assumed"
        found = [
            f"{self.calls:,} calls: {self.cached:,} answered already, {self.asked:,} to be asked",
            f"about {self.prompt_tokens:,} tokens of prompts ({BYTES_PER_TOKEN} bytes each) and "
            f"{replies} of replies",
            f"about {duration(self.seconds)} ({self.per_call:.1f} s a call, {source})",
        ]
        if self.cost is not None and self.cost_bound is not None:
            most = f"at most ${self.cost_bound:.2f} if no call is repeated"
            found.insert(2, f"about ${self.cost:.2f}, {most}")
        elif self.asked:
            found.insert(2, "cost unknown: it takes the judge's prices and a limit of tokens")
        return found


def estimate(
    calls: Iterable[Call],
    judge: Judge,
    cache: AnswerCache,
    *,
    price: Price | None = None,
    concurrency: int = 8,
    seconds_per_call: float | None = None,
) -> Estimate:
    """Look every call up, and add up what the missing ones will take.

    Args:
        calls: read one by one.
        judge: neither opened nor asked.
        cache: its store; not made where it does not exist.
        price: of its tokens.
        concurrency: calls in flight.
        seconds_per_call: None takes the mean of this judge's stored answers, or a guess of
            ``ASSUMED_SECONDS``.
    """
    keys = Keys(judge)
    tokens, measured = cache.means(judge.name)
    total = cached = prompt = prompt_bound = 0
    replies: float | None = 0.0
    replies_bound: int | None = 0
    for call in calls:
        total += 1
        if keys.key(call) in cache:
            cached += 1
            continue
        prompt += sum(len(m.content.encode("utf-8", "replace")) for m in call.messages)
        limit = bound(call, dict(judge.parameters(call)))
        prompt_bound += limit.prompt_tokens
        own = limit.completion_tokens
        expected = own if tokens is None else tokens if own is None else min(tokens, own)
        replies = None if replies is None or expected is None else replies + expected
        replies_bound = None if replies_bound is None or own is None else replies_bound + own
    per_call = seconds_per_call or measured or ASSUMED_SECONDS
    prompt = math.ceil(prompt / BYTES_PER_TOKEN)
    known = price is not None and replies is not None
    bounded = price is not None and replies_bound is not None
    return Estimate(
        calls=total,
        cached=cached,
        prompt_tokens=prompt,
        completion_tokens=None if replies is None else math.ceil(replies),
        prompt_bound=prompt_bound,
        completion_bound=replies_bound,
        cost=price.cost(prompt, replies or 0) if price and known else None,
        cost_bound=price.cost(prompt_bound, replies_bound or 0) if price and bounded else None,
        seconds=math.ceil((total - cached) / concurrency) * per_call,
        per_call=per_call,
        measured=seconds_per_call is not None or measured is not None,
    )


def duration(seconds: float) -> str:
    """For people, in the largest unit that leaves a number above two."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
