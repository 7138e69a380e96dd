"""What can be said of a run directory, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["training", "chain", "evaluation", "simulation", "suite", "claims"]
#: "interrupted": no process works on it, and it is not finished; the same command goes on.
State = Literal["done", "running", "interrupted", "failed"]
ItemState = Literal["done", "failed", "left"]


@dataclass(frozen=True)
class Item:
    """A piece of work that a user would name: a method with a seed, a benchmark under a judge.

    Attributes:
        what: which.
        state: "left" where it is neither done nor failed.
        detail: counts, or why it failed; one line.
    """

    what: str
    state: ItemState
    detail: str = ""


@dataclass(frozen=True)
class Status:
    """A run directory at one moment.

    Attributes:
        folder: as given.
        kind: of run.
        state: of the whole.
        started: when it was last started from nothing, ISO 8601; None where unknown.
        finished: when it was done.
        items: its pieces.
        progress: lines on finer pieces: stages, answers, verdicts.
        failures: what went wrong, one line each, that is no item's.
        cost: what it has cost so far, by name with unit; only what is known.
        command: that goes on; None for a finished run.
        within: the runs inside it, for chains.
        stages: of a chain, name to status.
    """

    folder: str
    kind: Kind
    state: State
    started: str | None = None
    finished: str | None = None
    items: tuple[Item, ...] = ()
    progress: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)
    command: str | None = None
    within: tuple["Status", ...] = ()
    stages: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {
            "done": sum(item.state == "done" for item in self.items),
            "left": sum(item.state == "left" for item in self.items),
            "failed": sum(item.state == "failed" for item in self.items),
            "within": [own.describe() for own in self.within],
        }
