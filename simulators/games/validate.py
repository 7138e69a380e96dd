"""The two checks every number passes before a game is played: preferences and policies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mnpo.errors import InvalidGame, InvalidPolicy
from simulators.games.game import Array
from simulators.games.matrices import symmetrised

REMEDY = "antisymmetrize=true averages the two sides of every pair"


def check_preferences(
    P: ArrayLike,
    *,
    where: str = "P",
    tolerance: float = 1e-9,
    actions: Sequence[str] | None = None,
    remedy: str = REMEDY,
) -> Array:
    """Return ``P`` as a valid preference matrix, or say in one line what is wrong with it.

    A deviation of ``P + P.T`` from one within ``tolerance`` (text files round) is averaged away.

    Args:
        P: (K, K), or (C, K, K) for one matrix per context; ``P[i, j]`` is the probability that
            action i beats action j.
        where: what messages call the matrix: an argument name or a file name.
        tolerance: largest accepted deviation of ``P[i, j] + P[j, i]`` and ``2 P[i, i]`` from one.
        actions: labels for messages, length K; positions without them.
        remedy: what the user can do when the two sides of a pair do not sum to one.

    Returns:
        A new float64 array of the same shape with ``P + P.T == 1`` exactly.

    Raises:
        InvalidGame: not square, fewer than two actions, NaN, outside [0, 1], a pair that does not
            sum to one, or a diagonal that is not one half.
    """
    matrix = _as_float(P, where)
    if matrix.ndim not in (2, 3) or matrix.shape[-1] != matrix.shape[-2]:
        raise InvalidGame(
            f"{where}: shape {matrix.shape} is not square; needed: (K, K), or (C, K, K) with one "
            "matrix per context, rows beating columns"
        )
    if matrix.shape[-1] < 2 or matrix.shape[0] < 1:
        raise InvalidGame(
            f"{where}: shape {matrix.shape} is no game; it takes two actions at least"
        )
    _refuse_missing(matrix, where, actions)
    _refuse_outside(matrix, where, actions)
    _refuse_unbalanced(matrix, where, tolerance, actions, remedy)
    return symmetrised(matrix)


def check_policy(
    p: ArrayLike,
    size: int,
    *,
    name: str,
    actions: Sequence[str] | None = None,
    full_support: bool = True,
    tolerance: float = 1e-6,
) -> Array:
    """Return ``p`` as a policy over ``size`` actions, normalised, or say what is wrong with it.

    Args:
        p: (K,) probabilities.
        size: number of actions K.
        name: what messages call it, e.g. ``reference``.
        actions: labels for messages, length K.
        full_support: refuse zeros: a reference with a zero makes the KL term infinite, and an
            initial policy can never leave a zero. False for policies that are only evaluated.
        tolerance: a sum this close to one is rescaled to one; beyond it the policy is refused.

    Returns:
        (K,) float64, summing to one.

    Raises:
        InvalidPolicy: wrong length, NaN, negative, zero where support is needed, or a wrong sum.
    """
    try:
        policy = np.array(p, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidPolicy(f"{name}: not a list of {size} numbers") from None
    if policy.shape != (size,):
        have = f"{policy.size} numbers" if policy.ndim == 1 else f"shape {policy.shape}"
        raise InvalidPolicy(f"{name}: {have}, but the game has {size} actions; give {size} numbers")
    for bad, what in (
        (~np.isfinite(policy), "is not a finite number"),
        (policy < 0, "is negative"),
    ):
        if bad.any():
            i = int(np.argmax(bad))
            raise InvalidPolicy(
                f"{name}: the probability of {_label(i, actions)} is {policy[i]:g}, which {what}; "
                "probabilities are non-negative and sum to one"
            )
    total = float(policy.sum())
    if abs(total - 1.0) > tolerance:
        raise InvalidPolicy(
            f"{name}: the probabilities sum to {total:.9g}, not 1; divide them by their sum"
        )
    if full_support and not policy.all():
        zeros = np.flatnonzero(policy == 0)
        raise InvalidPolicy(
            f"{name}: {_label(int(zeros[0]), actions)} has probability 0"
            f"{f' (and {len(zeros) - 1} more)' if len(zeros) > 1 else ''}; "
            f"{name} needs full support, so give every action a positive probability"
        )
    return policy if total == 1.0 else policy / total


def _as_float(P: ArrayLike, where: str) -> Array:
    raw = np.asarray(P) if not isinstance(P, list | tuple) else _nested(P, where)
    if raw.dtype.kind not in "fiub":
        raise InvalidGame(f"{where}: holds {raw.dtype} values; a preference matrix holds numbers")
    return np.array(raw, dtype=np.float64)


def _nested(P: Sequence[object], where: str) -> np.ndarray:
    try:
        return np.asarray(P)
    except ValueError:
        raise InvalidGame(f"{where}: the rows differ in length; a game matrix is square") from None


def _refuse_missing(matrix: Array, where: str, actions: Sequence[str] | None) -> None:
    missing = np.isnan(matrix)
    if not missing.any():
        return
    cell = tuple(int(i) for i in np.argwhere(missing)[0])
    count = int(missing.sum())
    raise InvalidGame(
        f"{where}: {_cell(cell)} is NaN: no preference for {_pair(cell, actions)}"
        f"{f' ({count} cells in all)' if count > 1 else ''}; "
        "fill_missing=bradley-terry or half fills missing pairs, drop_missing=true drops actions"
    )


def _refuse_outside(matrix: Array, where: str, actions: Sequence[str] | None) -> None:
    outside = (matrix < 0) | (matrix > 1)
    if outside.any():
        worst = np.abs(np.where(outside, matrix, 0.5) - 0.5).argmax()
        cell = tuple(int(i) for i in np.unravel_index(worst, matrix.shape))
        raise InvalidGame(
            f"{where}: {_cell(cell)} ({_pair(cell, actions)}) is {matrix[cell]:.9g}, outside "
            "[0, 1]; preferences are win probabilities (payoffs from a file: kind=payoff)"
        )


def _refuse_unbalanced(
    matrix: Array, where: str, tolerance: float, actions: Sequence[str] | None, remedy: str
) -> None:
    size = matrix.shape[-1]
    excess = np.abs(matrix + np.swapaxes(matrix, -1, -2) - 1.0)
    diagonal = excess[..., np.arange(size), np.arange(size)].copy()
    excess[..., np.arange(size), np.arange(size)] = 0.0
    wrong = int((excess > tolerance).sum()) // 2
    if wrong:
        cell = tuple(int(i) for i in np.unravel_index(excess.argmax(), matrix.shape))
        mirror = (*cell[:-2], cell[-1], cell[-2])
        raise InvalidGame(
            f"{where}: P + P.T must be 1, but {_pair(cell, actions)} is {matrix[cell]:.9g} and "
            f"{_pair(mirror, actions)} is {matrix[mirror]:.9g}, sum "
            f"{matrix[cell] + matrix[mirror]:.9g} (worst of {wrong} pairs); {remedy}"
        )
    if diagonal.max() > tolerance:
        where_bad = tuple(int(i) for i in np.unravel_index(diagonal.argmax(), diagonal.shape))
        cell = (*where_bad, where_bad[-1])
        raise InvalidGame(
            f"{where}: {_cell(cell)} is {matrix[cell]:.9g}; an action against itself "
            f"({_label(cell[-1], actions)}) must be 0.5; {remedy}"
        )


def _label(i: int, actions: Sequence[str] | None) -> str:
    return f"action {i}" if actions is None else f"'{actions[i]}'"


def _pair(cell: tuple[int, ...], actions: Sequence[str] | None) -> str:
    context = f" in context {cell[0]}" if len(cell) == 3 else ""
    return f"{_label(cell[-2], actions)} against {_label(cell[-1], actions)}{context}"


def _cell(cell: tuple[int, ...]) -> str:
    return f"cell ({', '.join(str(i) for i in cell)})"
