"""What the numbers of a matrix mean, and how they become preferences."""

from dataclasses import dataclass

import numpy as np

from mnpo.errors import InvalidGame
from simulators.games.files.raw import RawMatrix
from simulators.games.game import Array

_NOISY = "antisymmetrize=true averages the two sides of every pair"


@dataclass(frozen=True)
class Meaning:
    """The kind of the numbers and their unit.

    Attributes:
        kind: ``win-fraction``, ``payoff``, ``counts`` or ``multipliers``.
        scale: what a sure win is worth: 1 for fractions, 100 for percentages, the largest
            payoff, the largest multiplier; 1 and unused for counts.
    """

    kind: str
    scale: float


def detect(raw: RawMatrix, kind: str, scale: float | None) -> Meaning:
    """The meaning the user gave, the file's header tells, or the numbers leave no doubt about.

    Without a word from user or header: both sides of every pair sum to one (in units of
    ``scale``): win fractions; negative numbers whose two sides cancel: payoffs; whole numbers of
    at least 0 with some above 1, not the same on both sides: counts. Everything else is refused.

    Raises:
        InvalidGame: ambiguous, or a matrix of comparisons; says which option decides.
    """
    if kind == "auto":
        kind = _from_header(raw) or _from_numbers(raw, scale)
    if kind == "counts":
        if scale is not None:
            raise InvalidGame(f"{raw.name}: scale={scale:g} means nothing for counts; leave it out")
        return Meaning(kind, 1.0)
    if scale is None:
        scale = _default_scale(raw, kind)
    return Meaning(kind, scale)


def to_preferences(
    raw: RawMatrix, meaning: Meaning, antisymmetrize: bool
) -> tuple[Array, Array | None]:
    """Preferences (…, K, K), NaN where a pair was not compared, and the comparisons if counted.

    Where only one side of a pair is given, the other follows from it.

    Raises:
        InvalidGame: a value out of range, or two sides that contradict each other.
    """
    values = raw.values
    if meaning.kind == "counts":
        return _from_counts(raw)
    if meaning.kind == "multipliers":
        gap = values - np.swapaxes(values, -1, -2)
        return _checked(raw, 0.5 + gap / (2 * meaning.scale), meaning), None
    fraction = meaning.kind == "win-fraction"
    whole = meaning.scale if fraction else 0.0
    values = _both_sides(values, whole)
    if antisymmetrize:
        values = (values - np.swapaxes(values, -1, -2) + whole) / 2
    P = values / meaning.scale if fraction else 0.5 + values / (2 * meaning.scale)
    P = _checked(raw, P, meaning)
    if not antisymmetrize:
        _refuse_contradiction(raw, values, whole, meaning)
    return P, None


def _from_header(raw: RawMatrix) -> str | None:
    if raw.kind == "comparisons":
        raise InvalidGame(
            f"{raw.name}: these are numbers of comparisons, not who won; load the win fractions "
            f"and give this file as counts={raw.name}"
        )
    return raw.kind


def _from_numbers(raw: RawMatrix, scale: float | None) -> str:
    off = ~np.eye(raw.values.shape[-1], dtype=bool) & np.isfinite(raw.values)
    values = raw.values[off]
    if not values.size:
        raise InvalidGame(f"{raw.name}: no pair of actions has a number; every cell is missing")
    both = off & np.swapaxes(off, -1, -2)
    sums = (raw.values + np.swapaxes(raw.values, -1, -2))[both]
    top = float(np.abs(values).max(initial=0.0))
    if values.min() < 0:
        if np.abs(sums).max(initial=0.0) <= 0.1 * top:
            return "payoff"
        raise InvalidGame(
            f"{raw.name}: some numbers are negative, but the two sides of a pair do not cancel "
            f"(off by up to {np.abs(sums).max(initial=0.0):g}); if they are noisy payoffs, say "
            "kind=payoff antisymmetrize=true"
        )
    unit = scale or 1.0
    if top <= unit and np.abs(sums / unit - 1.0).max(initial=0.0) <= 0.01:
        return "win-fraction"
    if top > 1 and (values == np.round(values)).all():
        if (np.swapaxes(raw.values, -1, -2) == raw.values)[both].all():
            raise InvalidGame(
                f"{raw.name}: whole numbers, the same on both sides of every pair: numbers of "
                "comparisons? They do not say who won; say kind=counts if they are wins"
            )
        return "counts"
    hint = ""
    if values.min() >= 0 and top <= 1 and raw.values.ndim == 2:
        hint = f"; as win fractions they are off: {_worst_pair(raw)}"
    if np.abs(sums - 100).max(initial=0.0) <= 1 and sums.size:
        hint = "; they look like percentages: kind=win-fraction scale=100"
    raise InvalidGame(
        f"{raw.name}: numbers from {values.min():g} to {top:g} may be win fractions, "
        "payoffs or counts of wins; say kind=win-fraction (antisymmetrize=true if noisy), "
        f"kind=payoff or kind=counts{hint}"
    )


def _worst_pair(raw: RawMatrix) -> str:
    """The pair of a (K, K) file whose two win fractions are farthest from summing to one."""
    off = np.nan_to_num(np.abs(raw.values + raw.values.T - 1.0), nan=0.0)
    np.fill_diagonal(off, 0.0)
    i, j = (int(k) for k in np.unravel_index(off.argmax(), off.shape))
    there, back = raw.values[i, j], raw.values[j, i]
    return f"{raw.pair(i, j)} is {there:g} and of {raw.pair(j, i)} {back:g}, sum {there + back:g}"


def _default_scale(raw: RawMatrix, kind: str) -> float:
    top = float(np.nanmax(np.abs(raw.values), initial=0.0))
    if kind == "multipliers":
        return top or 1.0
    if kind == "payoff" and top > 1:
        raise InvalidGame(
            f"{raw.name}: payoffs reach {top:g}; say what a sure win is worth, e.g. "
            f"scale={_round_up(top):g}"
        )
    return 1.0


def _round_up(value: float) -> float:
    """The next number with one significant digit: 976.3 -> 1000."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(np.ceil(value / power) * power)


def _both_sides(values: Array, whole: float) -> Array:
    """Fill the missing side of half-given pairs, and the diagonal, by ``P[j, i] = whole - P``."""
    flipped = whole - np.swapaxes(values, -1, -2)
    filled = np.where(np.isnan(values), flipped, values)
    place = np.arange(values.shape[-1])
    diagonal = filled[..., place, place]
    filled[..., place, place] = np.where(np.isnan(diagonal), whole / 2, diagonal)
    return filled


def _from_counts(raw: RawMatrix) -> tuple[Array, Array]:
    """``P[i, j] = wins[i, j] / (wins[i, j] + wins[j, i])``; half wins stand for ties."""
    wins = np.nan_to_num(raw.values, nan=0.0)
    if wins.min() < 0:
        cell = np.unravel_index(wins.argmin(), wins.shape)
        i, j = int(cell[-2]), int(cell[-1])
        raise InvalidGame(f"{raw.name}: {raw.pair(i, j)} is {wins[cell]:g}; a count is at least 0")
    place = np.arange(wins.shape[-1])
    wins[..., place, place] = 0.0  # an action against itself says nothing
    total = wins + np.swapaxes(wins, -1, -2)
    P = np.full(wins.shape, np.nan)
    np.divide(wins, total, out=P, where=total > 0)
    P[..., place, place] = 0.5
    return P, total


def _refuse_contradiction(raw: RawMatrix, values: Array, whole: float, meaning: Meaning) -> None:
    sums = values + np.swapaxes(values, -1, -2)
    excess = np.nan_to_num(np.abs(sums - whole) / meaning.scale, nan=0.0)
    place = np.arange(values.shape[-1])
    diagonal = excess[..., place, place].copy()
    excess[..., place, place] = 0.0
    wrong = int((excess > 1e-9).sum()) // 2
    if wrong:
        cell = tuple(int(n) for n in np.unravel_index(excess.argmax(), excess.shape))
        i, j = cell[-2:]
        raise InvalidGame(
            f"{raw.name}: {meaning.kind} of {raw.pair(i, j)} is {values[cell]:.9g} and of "
            f"{raw.pair(j, i)} {values[(*cell[:-2], j, i)]:.9g}; their sum is {sums[cell]:.9g}, "
            f"must be {whole:g} "
            f"(worst of {wrong} pairs); {_NOISY}"
        )
    if diagonal.max() > 1e-9:
        cell = tuple(int(n) for n in np.unravel_index(diagonal.argmax(), diagonal.shape))
        i = cell[-1]
        raise InvalidGame(
            f"{raw.name}: {meaning.kind} of {raw.pair(i, i)} is {values[(*cell, i)]:.9g}, must be "
            f"{whole / 2:g} or blank; antisymmetrize=true makes it so"
        )


def _checked(raw: RawMatrix, P: Array, meaning: Meaning) -> Array:
    outside = np.nan_to_num(np.abs(P - 0.5), nan=0.0)
    if outside.max() > 0.5 * (1 + 1e-9):
        cell = tuple(int(n) for n in np.unravel_index(outside.argmax(), outside.shape))
        i, j = cell[-2:]
        limits = {
            "win-fraction": f"0 to {meaning.scale:g}",
            "payoff": f"{-meaning.scale:g} to {meaning.scale:g}",
            "multipliers": f"0 to {meaning.scale:g}",
        }[meaning.kind]
        raise InvalidGame(
            f"{raw.name}: {raw.pair(i, j)} is {raw.values[cell]:.9g}; a {meaning.kind} with "
            f"scale={meaning.scale:g} runs from {limits}; give the right kind= or scale="
        )
    return np.clip(P, 0.0, 1.0)
