"""From logged samples to figures: means with intervals, checked against what lm-eval says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.scores import Official
from evaluation.statistics import Interval, mean_interval
from mnpo.errors import DamagedRun

#: A recomputed mean may differ by rounding only.
AGREEMENT = 1e-9


@dataclass(frozen=True)
class Values:
    """One metric over documents.

    Attributes:
        values: in percent; a document has several where it has several instructions.
        clusters: hash of the document behind each.
        documents: (task of lm-eval, number) behind each.
        missing: documents without a usable value.
    """

    values: tuple[float, ...]
    clusters: tuple[str, ...]
    documents: tuple[tuple[str, int], ...]
    missing: tuple[int, ...] = ()

    def interval(self) -> Interval | None:
        """Mean and interval, whole documents being drawn; None without any value."""
        if not self.values:
            return None
        return mean_interval(self.values, self.clusters, bounds=(0.0, 100.0))

    def __add__(self, other: "Values") -> "Values":
        """Those of two tasks, pooled."""
        return Values(
            self.values + other.values,
            self.clusters + other.clusters,
            self.documents + other.documents,
            self.missing + other.missing,
        )


NONE = Values((), (), ())


def read_values(unit: str, samples: Sequence[Mapping[str, Any]], key: str) -> Values:
    """The values of one metric, "METRIC,FILTER", in percent.

    A document whose log-likelihoods are not finite has no value: an argmax over NaN would be a
    number that nobody measured.
    """
    metric, _, chosen = key.rpartition(",")
    values: list[float] = []
    clusters: list[str] = []
    documents: list[tuple[str, int]] = []
    missing: list[int] = []
    for sample in samples:
        if sample["filter"] != chosen:
            continue
        found: Any = sample.get(metric)
        parts: list[Any] = found if isinstance(found, list) else [found]
        number = int(sample["doc_id"])
        if not _finite(parts) or not _finite_responses(sample):
            missing.append(number)
            continue
        for part in parts:
            values.append(100 * float(part))
            clusters.append(str(sample["doc_hash"]))
            documents.append((unit, number))
    return Values(tuple(values), tuple(clusters), tuple(documents), tuple(missing))


def official(key: str, results: Mapping[str, Any]) -> Official | None:
    """lm-eval's own figure, with 1.96 of its standard errors to both sides."""
    value = results.get(key)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    metric, _, chosen = key.rpartition(",")
    error = results.get(f"{metric}_stderr,{chosen}")
    known = isinstance(error, (int, float)) and math.isfinite(error)
    half = 196.0 * float(error or 0.0) if known else None
    return Official(
        100.0 * value,
        None if half is None else 100.0 * value - half,
        None if half is None else 100.0 * value + half,
        "lm-eval's value and 1.96 of its standard error",
    )


def require_agreement(unit: str, key: str, values: Values, results: Mapping[str, Any]) -> None:
    """Refuse results that are not the mean of their own samples.

    Raises:
        DamagedRun: with both figures.
    """
    said = results.get(key)
    if values.missing or not values.values or not isinstance(said, (int, float)):
        return
    found = math.fsum(values.values) / len(values.values) / 100
    if not abs(found - said) <= AGREEMENT:
        raise DamagedRun(
            f"{unit}: {key} is {said:.6f} in the results and {found:.6f} over the "
            f"{len(values.values)} logged samples; one of the two files is of another run"
        )


def average(parts: Sequence[Interval]) -> Interval:
    """The unweighted mean of independent figures, its interval by MOVER (Zou and Donner 2008).

    With mean m_t and ends l_t, u_t of T figures, the lower end lies sqrt(sum (m_t - l_t)^2)/T
    below the mean, the upper end likewise above. No interval if one of them has none.
    """
    count = len(parts)
    mean = math.fsum(own.value for own in parts) / count
    n, clusters = sum(own.n for own in parts), sum(own.clusters for own in parts)
    if any(own.low is None or own.high is None for own in parts):
        return Interval(mean, None, None, n, clusters)
    down = math.hypot(*(own.value - own.low for own in parts if own.low is not None))
    up = math.hypot(*(own.high - own.value for own in parts if own.high is not None))
    return Interval(mean, mean - down / count, mean + up / count, n, clusters)


def _finite(parts: Sequence[Any]) -> bool:
    return bool(parts) and all(
        isinstance(part, (int, float)) and math.isfinite(part) for part in parts
    )


def _finite_responses(sample: Mapping[str, Any]) -> bool:
    """Of choices: every log-likelihood is a number."""
    for response in sample.get("filtered_resps", ()):
        if isinstance(response, list) and len(response) == 2:
            try:  # the files hold texts, a run holds numbers
                likelihood = float(response[0])
            except (TypeError, ValueError):
                continue
            if not math.isfinite(likelihood):
                return False
    return True
