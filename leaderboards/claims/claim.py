"""A claim of a paper, and what a test of it found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from evaluation.statistics import Interval

#: What a further number of a finding may be: its interval with it, a text, or nothing.
Detail = float | str | Interval | None
#: The detail of every claim with chance in it: how often that was drawn.
REPETITIONS = "repetitions of what is random"


class Verdict(StrEnum):
    """What a test says of a claim."""

    HOLDS = "holds"
    HOLDS_WHEN = "holds when"
    FAILS = "fails"


@dataclass(frozen=True)
class Effort:
    """How much work a test may do.

    Attributes:
        seeds: independent repetitions of what is random (games, noise).
        seed: the first one.
        quick: take shorter runs and leave out what decides nothing; intervals are wider.
    """

    seeds: int = 64
    seed: int = 0
    quick: bool = False

    def at_least(self, floor: int) -> int:
        """Repetitions of a test that says nothing with fewer than ``floor``."""
        return max(self.seeds, floor)


@dataclass(frozen=True)
class Finding:
    """What a test found.

    Attributes:
        verdict: on the claim as it is printed.
        condition: for HOLDS_WHEN, what must be given; for FAILS, what is true instead; "" else.
        quantity: what the number is, with its unit, e.g. "largest difference of log-policies".
        number: the number that decides, with its interval; ends None where nothing is random.
        details: every further number, one line each, by what it is; under `REPETITIONS` how many
            were used, which may be more than were asked for.
    """

    verdict: Verdict
    condition: str
    quantity: str
    number: Interval
    details: Mapping[str, Detail] = field(default_factory=dict)

    @property
    def repetitions(self) -> int | None:
        """Those that were used; None where nothing is random."""
        used = self.details.get(REPETITIONS)
        return int(used) if isinstance(used, float) else None


@dataclass(frozen=True)
class Claim:
    """One claim and its test.

    Attributes:
        name: on the command line, e.g. "two-player-reduction".
        statement: the claim, in our words, one sentence.
        source: paper and equation, proposition, table or section.
        test: what is computed and when the claim counts as holding, in one or two sentences.
        find: does it; deterministic for equal effort.
        commands: further commands of the suite that show the same, without "mnpo-bench".
    """

    name: str
    statement: str
    source: str
    test: str
    find: Callable[[Effort], Finding]
    commands: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """JSON-ready, without the test itself."""
        return {
            "name": self.name,
            "statement": self.statement,
            "source": self.source,
            "test": self.test,
            "commands": list(self.commands),
        }
