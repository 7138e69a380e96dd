"""What asking has cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mnpo.judging.budget import Bound, Price
from mnpo.judging.calls import Usage


@dataclass(frozen=True)
class Spend:
    """Requests, tokens, dollars and time.

    Attributes:
        requests: sent, repetitions included.
        unreported: those of them whose tokens nobody reported although they may have been billed:
            given up after the timeout, broken off, unreadable.
        prompt_tokens, completion_tokens: as the server reported them.
        cost: dollars of the reported tokens; None without a price.
        cost_bound: the most that the unreported requests may have cost; None without a price or
            where a request had no limit of tokens.
        faults: how often what went wrong between us and the server, e.g. "status 503".
        seconds: wall clock.
    """

    requests: int = 0
    unreported: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    cost_bound: float | None = None
    faults: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(
            self.requests + other.requests,
            self.unreported + other.unreported,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            _sum(self, other, self.cost, other.cost),
            _sum(self, other, self.cost_bound, other.cost_bound),
            dict(Counter(self.faults) + Counter(other.faults)),
            self.seconds + other.seconds,
        )

    def json(self) -> dict[str, Any]:
        """JSON-ready, for manifests."""
        return {**vars(self), "faults": dict(sorted(self.faults.items()))}

    def text(self) -> str:
        """One line for people."""
        parts = [
            f"{self.requests:,} requests",
            f"{self.prompt_tokens:,} + {self.completion_tokens:,} tokens",
        ]
        if self.cost is not None:
            parts.append(f"${self.cost:.4f}")
        if self.unreported:
            most = "" if self.cost_bound is None else f" (at most ${self.cost_bound:.4f} more)"
            parts.append(f"{self.unreported:,} without a report of tokens{most}")
        parts += [f"{count:,} x {kind}" for kind, count in sorted(self.faults.items())]
        return ", ".join([*parts, f"{self.seconds:.1f} s"])


class Ledger:
    """Books what requests took, as it becomes known."""

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.requests = self.unreported = 0
        self.prompt_tokens = self.completion_tokens = 0
        self.faults: Counter[str] = Counter()
        self._bound: float | None = 0.0

    def worst(self, bound: Bound) -> float | None:
        """Dollars that a request can cost at most; None where nothing bounds them."""
        if self.price is None or bound.completion_tokens is None:
            return None
        return self.price.cost(bound.prompt_tokens, bound.completion_tokens)

    def reported(self, usage: Usage) -> float:
        """Book tokens; returns their dollars, 0 without a price."""
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        if self.price is None:
            return 0.0
        return self.price.cost(usage.prompt_tokens, usage.completion_tokens)

    def unknown(self, bound: Bound) -> float:
        """Book a request whose tokens nobody reported; returns its worst case in dollars."""
        self.unreported += 1
        worst = self.worst(bound)
        self._bound = None if self._bound is None or worst is None else self._bound + worst
        return worst or 0.0

    @property
    def cost(self) -> float | None:
        """Dollars of the reported tokens; None without a price."""
        if self.price is None:
            return None
        return self.price.cost(self.prompt_tokens, self.completion_tokens)

    def spend(self, seconds: float) -> Spend:
        """All of it until now."""
        return Spend(
            self.requests,
            self.unreported,
            self.prompt_tokens,
            self.completion_tokens,
            self.cost,
            None if self.price is None else self._bound,
            dict(self.faults),
            seconds,
        )


def _sum(one: Spend, other: Spend, first: float | None, second: float | None) -> float | None:
    """An unknown sum stays unknown, except beside nothing at all."""
    if first is not None and second is not None:
        return first + second
    if one.requests and other.requests:
        return None
    return first if one.requests else second
