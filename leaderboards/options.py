"""What a board may be asked for; kept with it, so that it can be made again."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class BoardOptions:
    """How a board is made of runs.

    Attributes:
        title: of the page.
        benchmarks: only these; a name without its version takes every version. Empty takes all.
        algorithms: only these. Empty takes all.
        judges: only figures under these. Empty takes all.
        columns: keys of the columns that are shown, in this order; METRIC alone takes it of every
            benchmark. Empty takes each benchmark's headline.
        sort: the column key that sections are sorted by; None takes the first shown.
        compare: papers whose figures stand beside ours: "mnpo", "inpo", "sppo"; "paper" is "mnpo".
        seed: of every bootstrap.
    """

    title: str = "Leaderboard"
    benchmarks: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    sort: str | None = None
    compare: tuple[str, ...] = ()
    seed: int = 0

    def describe(self) -> dict[str, Any]:
        """JSON-ready."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
