"""An estimate and how far it may be off."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        value: the estimate.
        low, high: ends of the interval; None where none can be given.
        n: values behind it.
        clusters: independent groups of values behind it.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int

    def times(self, factor: float) -> "Interval":
        """In another unit, e.g. percent; the factor is positive."""
        low = None if self.low is None else factor * self.low
        high = None if self.high is None else factor * self.high
        return Interval(factor * self.value, low, high, self.n, self.clusters)
