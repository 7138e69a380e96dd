"""Prices as the user gives them, and a budget that is not exceeded."""

import asyncio
import math
from dataclasses import dataclass

from mnpo.errors import InvalidSetting
from mnpo.judging.calls import Call


class BudgetUsedUp(Exception):
    """A request that might cost more than is left; it was not sent."""


#: Tokens that a chat template may add around one message, and around the whole conversation
#: (role names, separators, a system turn of the template's own).
PER_MESSAGE = 16
PER_CONVERSATION = 128


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens.

    Raises:
        InvalidSetting: a negative or infinite price.
    """

    input_per_million: float
    output_per_million: float

    def __post_init__(self) -> None:
        for value in (self.input_per_million, self.output_per_million):
            if not math.isfinite(value) or value < 0:
                raise InvalidSetting(f"a price per million tokens must be at least 0, got {value}")

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Dollars."""
        inward = prompt_tokens * self.input_per_million
        return (inward + completion_tokens * self.output_per_million) / 1e6


@dataclass(frozen=True)
class Bound:
    """The most tokens that one request can take.

    Attributes:
        prompt_tokens: bytes of the messages in UTF-8 (no tokenizer in use makes more tokens than
            bytes) and a margin for the chat template.
        completion_tokens: the request's own limit; None where it has none.
    """

    prompt_tokens: int
    completion_tokens: int | None


def bound(call: Call, parameters: dict[str, object]) -> Bound:
    """The bound of a call that is sent with these parameters."""
    sizes = [len(m.content.encode("utf-8", "replace")) + PER_MESSAGE for m in call.messages]
    limits = [parameters.get(name) for name in ("max_tokens", "max_completion_tokens")]
    given = [limit for limit in limits if isinstance(limit, int)]
    copies = parameters.get("n")
    times = copies if isinstance(copies, int) else 1
    return Bound(sum(sizes) + PER_CONVERSATION, max(given) * times if given else None)


class Budget:
    """What all judges together may spend; share one among executors of one event loop.

    A request's worst case is reserved before it is sent, and settled with what it took. One that
    might not fit waits for others in flight to settle; one that cannot fit is not sent.

    Args:
        max_cost: US dollars; None for no limit.
        max_calls: requests sent, repetitions included; None for no limit.

    Attributes:
        spent: dollars settled; requests whose usage nobody reported count at their worst case.
        requests: sent or in flight.

    Raises:
        InvalidSetting: a limit that is no positive number.
    """

    def __init__(self, max_cost: float | None = None, max_calls: int | None = None) -> None:
        if max_cost is not None and not (math.isfinite(max_cost) and max_cost > 0):
            raise InvalidSetting(f"max_cost must be more than 0 dollars, got {max_cost}")
        if max_calls is not None and max_calls < 1:
            raise InvalidSetting(f"max_calls must be at least 1, got {max_calls}")
        self.max_cost, self.max_calls = max_cost, max_calls
        self.spent = 0.0
        self.requests = 0
        self._reserved: dict[int, float] = {}
        self._numbers = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def reserve(self, cost: float) -> int:
        """Set the worst case of one request aside.

        Args:
            cost: dollars.

        Returns:
            the number to settle it by.

        Raises:
            BudgetUsedUp: it does not fit, even if all that is in flight were free.
        """
        while not self._fits(cost):
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                await waiting
            finally:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)
        self._numbers += 1
        self._reserved[self._numbers] = cost
        self.requests += 1
        return self._numbers

    def settle(self, number: int, cost: float, *, sent: bool = True) -> None:
        """Put what a request took in the place of its reservation.

        Args:
            number: as `reserve` gave it.
            cost: dollars.
            sent: False where it never reached a server: it does not count.
        """
        del self._reserved[number]
        self.spent += cost
        self.requests -= not sent
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _fits(self, cost: float) -> bool:
        if self.max_calls is not None and self.requests >= self.max_calls:
            raise BudgetUsedUp(f"the budget of {self.max_calls} requests is used up")
        if self.max_cost is None:
            return True
        if self.spent + cost > self.max_cost:
            raise BudgetUsedUp(
                f"the budget of ${self.max_cost:g} is used up: ${self.spent:.4f} are spent, and "
                f"the next request might cost ${cost:.4f}"
            )
        return self.spent + sum(self._reserved.values()) + cost <= self.max_cost
