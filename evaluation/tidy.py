"""Results as one long table: a row for every number, the same columns for every benchmark."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evaluation.statistics import Interval

_END = "\r\n"
COLUMNS = (
    "run",
    "algorithm",
    "iteration",
    "seed",
    "benchmark",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "clusters",
    "judge",
    "hashes",
)


@dataclass(frozen=True)
class Origin:
    """Where a policy comes from.

    Attributes:
        run: the run directory's name, or whatever tells runs apart.
        algorithm: the method that trained it, or the model's name.
        iteration: after which; 0 is the start. None where it has none.
        seed: of the training run. None where it has none.
    """

    run: str
    algorithm: str
    iteration: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Result:
    """One number.

    Attributes:
        origin: of the policy.
        benchmark: which one measured it.
        metric: what it is; ``win_rate/against/NAME`` names the opponent.
        interval: the number, its interval and what is behind it.
        judge: whose preferences; "" where nobody was asked.
        hashes: of policies, prompts and judge, by role.
    """

    origin: Origin
    benchmark: str
    metric: str
    interval: Interval
    judge: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)

    def cells(self) -> tuple[str | int | float | None, ...]:
        """In the order of `COLUMNS`; hashes as JSON."""
        origin, interval = self.origin, self.interval
        return (
            origin.run,
            origin.algorithm,
            origin.iteration,
            origin.seed,
            self.benchmark,
            self.metric,
            interval.value,
            interval.low,
            interval.high,
            interval.n,
            interval.clusters,
            self.judge,
            json.dumps(dict(self.hashes), sort_keys=True) if self.hashes else "",
        )


def results_csv(results: Iterable[Result]) -> str:
    """The long table as CSV; what is not known is an empty cell."""
    return csv_text(COLUMNS, (result.cells() for result in results))


def csv_text(header: Iterable[str], rows: Iterable[Iterable[str | int | float | None]]) -> str:
    """CSV with floats written so that reading gives the same number back.

    Rows end in a line feed. Cells with a carriage return are quoted as those with a line feed are.
    """
    text = io.StringIO()
    writer = csv.writer(_LineFeeds(text), lineterminator=_END)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


class _LineFeeds:
    """Takes rows of a `csv.writer` one by one, which quotes only what ends its own lines."""

    def __init__(self, text: io.StringIO) -> None:
        self._text = text

    def write(self, row: str) -> int:
        return self._text.write(row.removesuffix(_END) + "\n")
