"""The length-controlled win rate of one model: the package's figure, and an interval around it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.alpaca_eval.folds import OFFICIAL
from evaluation.alpaca_eval.length_control import Gamed, Rows, controlled, fit
from evaluation.alpaca_eval.package import OfficialFit, official_fit
from evaluation.alpaca_eval.sample import Sample
from evaluation.statistics import Array, Interval
from evaluation.statistics.bootstrap import cluster_draws
from evaluation.statistics.quantiles import bca_ends

#: Parts of the instructions that are left out in turn, for BCa's acceleration.
PARTS = 200


@dataclass(frozen=True, eq=False)
class Draws:
    """Multiplicities of all instructions, the same for every model.

    Attributes:
        times: (R, N) how often each instruction was drawn.
        without: (P, N) all instructions but those of one part.
    """

    times: Array
    without: Array


def draw(instructions: int, seed: int, replicates: int) -> Draws:
    """Instructions drawn with replacement."""
    times = np.array(list(cluster_draws(instructions, seed, replicates)), dtype=np.float64)
    parts = min(PARTS, instructions)
    which = np.arange(instructions) % parts
    return Draws(times, (which != np.arange(parts)[:, None]).astype(np.float64))


@dataclass(frozen=True, eq=False)
class Controlled:
    """A model's length-controlled win rate.

    Attributes:
        interval: the package's value, with the bootstrap's ends.
        drawn: (R,) the value on each draw.
        fit: the package's.
    """

    interval: Interval
    drawn: Array
    fit: OfficialFit

    def describe(self) -> dict[str, Any]:
        """What is worth knowing of the fit and the draws, JSON-ready."""
        return described(self.fit) | {
            "standard_error_of_bootstrap": float(self.drawn.std(ddof=1))
            if np.isfinite(self.drawn).all()
            else None,
        }


def described(found: OfficialFit) -> dict[str, Any]:
    """What is worth knowing of a fit, JSON-ready."""
    chosen = int(np.flatnonzero(found.grid == found.C)[0])
    near = found.path[max(0, chosen - 1) : chosen + 2]
    return {
        "C": found.C,
        "folds": f"5, ties ordered as by {OFFICIAL}",
        "moves_over_neighbouring_C": float(np.abs(near - found.value).max()),
        "moves_over_all_C_above": float(np.abs(found.path[chosen:] - found.value).max()),
        "grid": found.grid.tolist(),
        "cross_validation_loss": found.losses.tolist(),
        "value_by_C": found.path.tolist(),
        "weights": found.weights.tolist(),
    }


def control(
    sample: Sample,
    places: NDArray[np.int64],
    df_gamed: Path,
    gamed: Gamed,
    draws: Draws,
    *,
    by_position: bool,
) -> Controlled | None:
    """Fit and bootstrap one model.

    Every draw of instructions is fitted anew, at the C that was chosen for all rows, with the
    lengths standardised by the draw's own rows; the regulariser stays as it is.

    Args:
        sample: with lengths.
        places: (N,) indices of all instructions, in the order of the draws' columns.
        df_gamed: the file of the regulariser.
        gamed: its content.
        draws: of the N instructions.
        by_position: look up difficulties by the position of a row, as the package does with its
            own files, and not by its instruction; the same where no row is absent.

    Returns:
        None where lengths do not vary.
    """
    assert sample.lengths is not None
    judged = sample.judged
    if judged.sum() < 2 or np.ptp(sample.lengths[:, 0] - sample.lengths[:, 1]) == 0:
        return None
    found = official_fit(
        sample.preference,
        sample.lengths[:, 0],
        sample.lengths[:, 1],
        df_gamed,
        index=None if by_position else sample.index,
    )
    # The package predicts, and measures lengths, on all rows, and fits those with a preference.
    looked_up = np.arange(len(sample.index)) if by_position else sample.index
    delta = (sample.lengths[:, 0] - sample.lengths[:, 1]).astype(np.float64)
    every = Rows(sample.preference - 1, delta, gamed.by_instruction[looked_up])
    rows = Rows(every.preference[judged], delta[judged], every.difficulty[judged])
    column = np.searchsorted(places, sample.index)

    def refitted(times: Array) -> Array:
        own = times[:, column]
        weights = fit(rows, gamed, found.C, own[:, judged], every.spread(own))
        return controlled(weights, every, own)

    value = float(refitted(np.ones((1, len(places))))[0])
    drawn, left_out = refitted(draws.times), refitted(draws.without)
    low, high = _ends(drawn, value, left_out, len(rows.delta))
    interval = Interval(found.value, low, high, len(rows.delta), len(rows.delta))
    return Controlled(interval, drawn, found)


def _ends(
    drawn: Array, value: float, left_out: Array, count: int
) -> tuple[float | None, float | None]:
    """Of the 95 % interval; none where draws have no fit or do not differ."""
    if not np.isfinite(drawn).all() or not np.isfinite(left_out).all() or np.ptp(drawn) == 0:
        return None, None
    low, high = bca_ends(drawn, value, left_out, count, 0.95)
    return max(0.0, low), min(100.0, high)
