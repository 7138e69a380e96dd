"""What a check of a board found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Report:
    """How far a board's figures are those of the files it names.

    Attributes:
        figures: compared with the same figure, computed anew from the runs' results.
        problems: one line each: what differs, where, and both values; empty where nothing does.
        recounted: figures of the runs' own results that were computed anew from verdicts,
            trajectories or single games, by what they are of.
        compared: figures whose verdicts are not in the run, or cannot be scored here: only held
            to the run's results; by what they are of, with the reason.
        files: hashed.
        notes: what else a reader must know, one line each.
    """

    figures: int
    problems: tuple[str, ...]
    recounted: Mapping[str, int] = field(default_factory=dict)
    compared: Mapping[str, str] = field(default_factory=dict)
    files: int = 0
    notes: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        return not self.problems

    def lines(self) -> list[str]:
        """For a terminal: what was checked and how; `problems` are lines already."""
        found = [
            f"{self.figures} figures made anew from {self.files} files: "
            + (f"{len(self.problems)} problems" if self.problems else "all agree")
        ]
        found += [f"recounted: {what}, {count} figures" for what, count in self.recounted.items()]
        found += [f"only compared: {what}: {why}" for what, why in self.compared.items()]
        return [*found, *self.notes]

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"sound": self.sound}
