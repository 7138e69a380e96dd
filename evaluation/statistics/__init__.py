"""Intervals that know what is independent of what: the one place where statistics are done.

Prompts are drawn independently; several responses, opponents or judgements of one prompt are not.
So the prompt (or whatever else was drawn as a whole) is a *cluster*, an interval counts clusters,
and where too little varies to estimate an uncertainty there is no interval rather than a narrow
one.
"""

from evaluation.statistics.bootstrap import (
    bootstrap_interval,
    weighted_bootstrap_interval,
    weighted_bootstrap_intervals,
)
from evaluation.statistics.comparisons import PairedComparison, compare_all
from evaluation.statistics.inputs import Array, Bounds
from evaluation.statistics.interval import Interval
from evaluation.statistics.means import ROUNDING, mean_interval, p_value, paired_difference
from evaluation.statistics.multiplicity import holm, holm_known
from evaluation.statistics.planning import (
    detectable_difference,
    deviation,
    prompts_needed,
    prompts_to_detect,
)

__all__ = [
    "ROUNDING",
    "Array",
    "Bounds",
    "Interval",
    "PairedComparison",
    "bootstrap_interval",
    "compare_all",
    "detectable_difference",
    "deviation",
    "holm",
    "holm_known",
    "mean_interval",
    "p_value",
    "paired_difference",
    "prompts_needed",
    "prompts_to_detect",
    "weighted_bootstrap_interval",
    "weighted_bootstrap_intervals",
]
