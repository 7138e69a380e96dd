"""How often each algorithm got each verdict, for reports with many runs an algorithm."""

from collections import Counter
from dataclasses import dataclass

from simulators.report.content import ReportContent
from simulators.report.verdicts import rank


@dataclass(frozen=True)
class Tally:
    """Counts of verdicts.

    Attributes:
        verdicts: those that occur, best first.
        counts: (algorithm, one count a verdict).
    """

    verdicts: tuple[str, ...]
    counts: tuple[tuple[str, tuple[int, ...]], ...]


def tally(content: ReportContent) -> Tally | None:
    """The tally; None where every algorithm ran once, as the table of results says it all."""
    counted: dict[str, Counter[str]] = {}
    for row in content.rows:
        counted.setdefault(str(row["algorithm"]), Counter())[str(row.get("verdict", ""))] += 1
    if len(content.rows) <= len(counted):
        return None
    verdicts = tuple(sorted({v for counts in counted.values() for v in counts}, key=rank))
    return Tally(
        verdicts,
        tuple((name, tuple(counts[v] for v in verdicts)) for name, counts in counted.items()),
    )
