"""What counting a run's figures again gave."""

from dataclasses import dataclass

from mnpo.errors import UserError


class NotHere(UserError):
    """What counting again needs was never kept, or is on another machine: that is no damage."""


@dataclass(frozen=True)
class Recount:
    """Of one benchmark under one judge, or of one file of a run.

    Attributes:
        what: run, benchmark and judge.
        figures: computed anew from verdicts, and compared.
        problems: one line each.
        why_not: why some or all figures could only be compared; "" where all were computed.
    """

    what: str
    figures: int = 0
    problems: tuple[str, ...] = ()
    why_not: str = ""
