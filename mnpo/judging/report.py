"""What came of asking: counts, reasons, spend."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mnpo.judging.spend import Ledger, Spend

#: Missing calls that a report names.
_EXAMPLES = 5


@dataclass(frozen=True)
class Progress:
    """Where asking stands.

    Attributes:
        calls: dealt with.
        cached: of them, those that had an answer already, or got one with an identical call.
        answered: got an answer of their own.
        missing: have none.
        requests: sent.
        cost: dollars so far; None without a price.
    """

    calls: int
    cached: int
    answered: int
    missing: int
    requests: int
    cost: float | None


Listener: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True)
class AskReport:
    """What came of one list of calls: ``calls`` = cached + answered + all missing.

    Attributes:
        calls: dealt with: the whole list, or what came before the judge was given up.
        cached: had an answer already, or got one with an identical call.
        answered: got an answer of their own.
        missing: calls without an answer, by reason (`failures`).
        examples: the first few of them, each with its item and what happened.
        invalid: replies that broke their contract, of whatever call.
        spend: of this list alone.
        stopped: why not all was asked; "" where all was.
    """

    calls: int
    cached: int
    answered: int
    missing: Mapping[str, int]
    examples: tuple[str, ...]
    invalid: int
    spend: Spend
    stopped: str = ""

    @property
    def complete(self) -> bool:
        """Whether every call has an answer."""
        return not self.missing

    def json(self) -> dict[str, Any]:
        """JSON-ready, for manifests."""
        return {
            **vars(self),
            "missing": dict(sorted(self.missing.items())),
            "examples": list(self.examples),
            "spend": self.spend.json(),
        }

    def lines(self) -> list[str]:
        """A few lines for people."""
        found = [f"{self.calls:,} calls: {self.cached:,} known, {self.answered:,} answered"]
        if self.missing:
            reasons = ", ".join(f"{count:,} {why}" for why, count in sorted(self.missing.items()))
            found[0] += f", {sum(self.missing.values()):,} missing ({reasons})"
        if self.invalid:
            found.append(f"{self.invalid:,} replies broke their contract and counted as nothing")
        found += [f"missing: {example}" for example in self.examples]
        found.append(self.spend.text())
        return [*found, self.stopped] if self.stopped else found


@dataclass
class Tally:
    """Counts while asking goes on."""

    ledger: Ledger
    cached: int = 0
    answered: int = 0
    invalid: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def miss(self, item: str, reason: str, why: str) -> None:
        """Count a call without an answer."""
        self.missing[reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{item}: {reason} ({why})")

    def progress(self) -> Progress:
        """Where it stands."""
        ledger, missing = self.ledger, self.missing.total()
        done = self.cached + self.answered + missing
        return Progress(done, self.cached, self.answered, missing, ledger.requests, ledger.cost)

    def report(self, seconds: float, stopped: str) -> AskReport:
        """The end of it."""
        return AskReport(
            self.cached + self.answered + self.missing.total(),
            self.cached,
            self.answered,
            dict(self.missing),
            tuple(self.examples),
            self.invalid,
            self.ledger.spend(seconds),
            stopped,
        )
